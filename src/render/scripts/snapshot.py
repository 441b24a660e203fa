#!/usr/bin/env python3
"""Snapshots of a member's volume: backup mode while one is made, and what a volume that was made of one is used for.

  snapshot.py hold NAME SECONDS    backup mode until `release`, or until no `keep` came for so long; prints JSON lines
  snapshot.py keep NAME            whoever makes the snapshot is still there
  snapshot.py release NAME         ends it; the first one then prints what the snapshot has to say of itself
  snapshot.py adopt                before a member starts on a volume of a snapshot: the data on it are set apart

A snapshot alone is an image of a running server's files. With the label that PostgreSQL gives at the end of backup mode,
and the write-ahead log since its beginning, it is a backup. The label is known only after the snapshot, so it travels
beside it, in an annotation.
"""
from __future__ import annotations

import json
import os
import platform
import re
import shutil
import sys
import time
from datetime import datetime
from typing import Callable, Dict, List, NamedTuple, Optional

import member
from member import Api, Json, NotYet

GROUP, ANNOTATION = "apis/snapshot.storage.k8s.io/v1", "everest.io/snapshot"
#: Between two looks whether to end it, and between two at the server, whose session may be gone.
LOOK_S, SERVER_LOOK_S = 0.2, 2.0
#: Functions were renamed in version 15.
RENAMED = 150000
#: What a server makes anew, and a backup leaves out (PostgreSQL's manual, 25.3.4).
EMPTIED = ("pg_replslot", "pg_dynshmem", "pg_notify", "pg_serial", "pg_snapshots", "pg_stat_tmp", "pg_subtrans")
REMOVED = ("postmaster.pid", "postmaster.opts", "standby.signal", "recovery.signal", "patroni.dynamic.json",
           "backup_label", "backup_label.old", "tablespace_map", "tablespace_map.old")
#: Settings of another server's recovery that ALTER SYSTEM may have left.
FOREIGN = re.compile(r"^\s*(recovery_\w+|restore_command|archive_cleanup_command|primary_conninfo|primary_slot_name|promote_trigger_file)\b", re.IGNORECASE)
UNITS = {"": 1, "k": 1000, "M": 1000 ** 2, "G": 1000 ** 3, "T": 1000 ** 4, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40, "Pi": 1 << 50}


# ---- backup mode

class Words(NamedTuple):
    """Files by which a second command speaks to the one that holds. In memory: a driver may freeze the volume.

    What the first one prints tells nothing of its reader: a container's runtime keeps the pipe open when that has gone.
    """
    keep: str
    release: str

    @staticmethod
    def of(cluster: Json, name: str) -> Words:
        return Words(*(f"{cluster['socketDirectory']}/{name}.{word}" for word in Words._fields))

    def clear(self) -> None:
        for path in self:
            if os.path.exists(path):
                os.remove(path)


def speak(cluster: Json, name: str, word: str) -> int:
    with open(getattr(Words.of(cluster, name), word), "a", encoding="utf-8") as file:
        file.write(".")
    return 0


def say(**words: object) -> None:
    print(json.dumps(words), flush=True)


def begin(server: member.Database, name: str) -> None:
    """With an immediate checkpoint: a slow one would only take longer."""
    for setting in ("statement_timeout", "idle_session_timeout", "lock_timeout"):
        if server.value("SELECT 1 FROM pg_settings WHERE name = %s", setting):
            server.run(f"SET {setting} = 0")
    if server.value("SELECT pg_is_in_recovery()") and not server.value("SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming'"):
        raise NotYet("this standby does not stream, so its data may be old.")
    if server.value("SELECT count(*) FROM pg_tablespace WHERE spcname NOT IN ('pg_default', 'pg_global')"):
        raise NotYet("there are tablespaces, which a snapshot of one volume does not hold.")
    server.value("SELECT pg_backup_start(%s, true)::text" if is_renamed(server) else "SELECT pg_start_backup(%s, true, false)::text", name)


def is_renamed(server: member.Database) -> bool:
    return int(server.value("SELECT current_setting('server_version_num')")) >= RENAMED


def end(server: member.Database) -> Json:
    """Does not wait for the archive: a standby sends nothing while it is one. The Job looks for the files."""
    cursor = server.connection.cursor()
    cursor.execute(f"SELECT lsn::text, labelfile FROM {'pg_backup_stop(false)' if is_renamed(server) else 'pg_stop_backup(false, false)'}")
    lsn, label = cursor.fetchone()
    return {"label": label, "stopLsn": lsn, **identity(server), **places(server, label, lsn)}


def identity(server: member.Database) -> Json:
    return {"system": str(server.value("SELECT system_identifier FROM pg_control_system()")), "architecture": platform.machine(),
            "stoppedAt": server.value("SELECT to_char(clock_timestamp() AT TIME ZONE 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")}


def places(server: member.Database, label: str, stop: str) -> Json:
    """The first and the last file of the log that a server needs to begin on the snapshot."""
    found = re.search(r"^START WAL LOCATION: (\S+) \(file (\w{24})\)", label, re.MULTILINE)
    if not found:
        raise NotYet("the label of the backup cannot be read.")
    # Of a standby: up to where its own files are known to be; of a primary: that of the checkpoint that began the backup.
    where = "min_recovery_end_timeline FROM pg_control_recovery()" if server.value("SELECT pg_is_in_recovery()") else "timeline_id FROM pg_control_checkpoint()"
    timeline = int(server.value(f"SELECT {where}"))
    size = int(server.value("SELECT setting FROM pg_settings WHERE name = 'wal_segment_size'"))
    return {"startLsn": found[1], "startWal": found[2], "stopWal": wal_name(timeline, stop, size)}


def wal_name(timeline: int, lsn: str, size: int) -> str:
    """The file that ends with this place, or holds it: what stands at the very border is in the one before."""
    number = (lsn_number(lsn) - 1) // size
    per_log = 0x1_0000_0000 // size
    return f"{timeline:08X}{number // per_log:08X}{number % per_log:08X}"


def lsn_number(text: str) -> int:
    high, low = (int(part, 16) for part in text.split("/"))
    return high << 32 | low


def hold(cluster: Json, name: str, limit_s: float) -> int:
    """The mark lies on the volume before it is copied: by it a volume is known to be of this snapshot."""
    words, mark = Words.of(cluster, name), mark_path(cluster)
    try:
        with member.Database(cluster) as server:
            begin(server, name)
            write_durably(mark, json.dumps({"snapshot": name, "cluster": cluster["name"], "member": os.environ["HOSTNAME"]}))
            say(held=name)
            until_released(server, words, limit_s)
            say(facts={"cluster": cluster["name"], "member": os.environ["HOSTNAME"], "major": cluster["major"], **end(server)})
        return 0
    except (NotYet, member.driver().Error) as problem:
        member.log(f"{name}: {member.first_line(str(problem).encode())}")
    finally:
        words.clear()
        if os.path.exists(mark):
            os.remove(mark)
    return 1


def until_released(server: member.Database, words: Words, limit_s: float) -> None:
    heard, kept, looked = time.monotonic(), 0, time.monotonic()
    while not os.path.exists(words.release):
        now = time.monotonic()
        size = os.path.getsize(words.keep) if os.path.exists(words.keep) else 0
        if size != kept:
            heard, kept = now, size
        if now - heard > limit_s:
            raise NotYet(f"nothing was heard for {limit_s:.0f} s of who makes the snapshot: backup mode has ended.")
        if now - looked >= SERVER_LOOK_S:
            looked = now
            server.value("SELECT 1")
        time.sleep(LOOK_S)


def write_durably(path: str, text: str) -> None:
    staged = f"{path}.new"
    with open(staged, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(staged, path)
    folder = os.open(os.path.dirname(path), os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


# ---- a volume that was made of a snapshot

class Copy(NamedTuple):
    """The data of the snapshot, apart from those of the member, and what has been done with them."""
    folder: str
    name: str

    @property
    def note(self) -> str:
        return f"{self.folder}/note.json"

    def data(self, cluster: Json) -> str:
        return f"{self.folder}/{os.path.basename(cluster['dataDirectory'])}"

    def goal(self) -> Optional[Json]:
        """Towards which the data have been replayed; None: they are as they came."""
        goal: Optional[Json] = json.loads(member.read(self.note)).get("goal") if os.path.exists(self.note) else None
        return goal


def mark_path(cluster: Json) -> str:
    return member.beside(cluster, member.SNAPSHOT_MARK)


def copy_of(cluster: Json) -> Optional[Copy]:
    """None where the manifest names no snapshot."""
    name = wanted(cluster)
    return Copy(member.snapshot_folder(cluster), name) if name else None


def wanted(cluster: Json) -> str:
    return ((cluster.get("recovery") or {}).get("snapshot") or {}).get("name", "")


def brings(cluster: Json) -> bool:
    """Only the first member's volume is made of the snapshot."""
    return bool(os.environ["HOSTNAME"] == cluster["members"][0])


def adopt(cluster: Json) -> int:
    """Nothing is removed, and what is done twice is done once: the mark goes last."""
    mark = json.loads(member.read(mark_path(cluster)))
    copy = copy_of(cluster)
    if copy is None or mark["snapshot"] != copy.name:
        return forget(cluster, mark)
    os.makedirs(copy.folder, mode=0o700, exist_ok=True)
    kept = {os.path.basename(copy.folder), member.SNAPSHOT_MARK, "member.lock", "lost+found"}
    volume = os.path.dirname(cluster["dataDirectory"])
    for name in sorted(set(os.listdir(volume)) - kept):
        os.rename(f"{volume}/{name}", f"{copy.folder}/{name}")
    write_durably(copy.note, json.dumps({"snapshot": copy.name}))
    os.remove(mark_path(cluster))
    member.log(f"the volume is a copy of the snapshot {copy.name} of {mark['cluster']}: its data are set apart")
    return 0


def forget(cluster: Json, mark: Json) -> int:
    """A snapshot was being made when this container died; or the volume is a copy of one that nobody has declared."""
    if (mark["cluster"], mark["member"]) == (cluster["name"], os.environ["HOSTNAME"]):
        os.remove(mark_path(cluster))
        return 0
    print(f"everest: the volume is a copy of the snapshot {mark['snapshot']} of {mark['cluster']}, and no recovery from it is declared: declare "
          "it, or give this member another volume; waiting.", file=sys.stderr)
    return 1


# ---- what is looked at before

def facts_of(cluster: Json, api: Api) -> Json:
    """What the snapshot says of itself, if it counts as a backup, fits here, and its copy can still be used."""
    name = wanted(cluster)
    found = api.call("GET", f"volumesnapshots/{name}", group=GROUP)
    if found is None:
        raise NotYet(f"VolumeSnapshot {name} is not in this namespace. It has to be in the one of the new cluster; correct the name, waiting.")
    text = (found["metadata"].get("annotations") or {}).get(ANNOTATION)
    if not text:
        raise NotYet(f"VolumeSnapshot {name} is no backup: nothing on it tells that its log is in the archive. Name another one; waiting.")
    check_volume(cluster, found.get("status") or {}, name)
    facts: Json = {**json.loads(text), "name": name}
    if facts["major"] != cluster["major"]:
        raise NotYet(f"the snapshot {name} is of PostgreSQL {facts['major']}, and this cluster is {cluster['major']}: declare version "
                     f"{facts['major']}, and upgrade afterwards; waiting.")
    if brings(cluster):
        check_copy(cluster, cluster["recovery"]["goal"])
    return facts


def check_volume(cluster: Json, status: Json, name: str) -> None:
    needed, size = status.get("restoreSize", "0"), cluster["recovery"]["snapshot"]["size"]
    if quantity(size) < quantity(needed):
        raise NotYet(f"the snapshot {name} needs a volume of {needed}, and storage.size is {size}: no volume can be made of it. Declare a larger "
                     f"one, and delete the claim of {cluster['members'][0]}, which is empty; waiting.")
    if not status.get("readyToUse"):
        raise NotYet(f"VolumeSnapshot {name} is not ready to use yet; waiting.")


def quantity(text: str) -> float:
    """Bytes of an amount as Kubernetes writes it."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([kMGT]|[KMGTP]i)?", text)
    return float(found[1]) * UNITS[found[2] or ""] if found else 0.0


def check_copy(cluster: Json, goal: Json) -> None:
    copy = copy_of(cluster)
    assert copy
    anew = f"delete the claim {cluster['members'][0].removesuffix('-0')}-data and the Pod, so that a new copy is made; waiting."
    if not os.path.exists(copy.data(cluster)):
        raise NotYet(f"the volume of this member is no copy of the snapshot {copy.name}: {anew}")
    before = copy.goal()
    if before is None:
        return
    if not any(os.path.exists(f"{copy.data(cluster)}/{name}") for name in ("backup_label", "recovery.signal")):
        raise NotYet(f"the copy of the snapshot {copy.name} is used up: it was promoted once, and did not come to its end. To begin again, {anew}")
    if before != goal and not is_later(before, goal):
        raise NotYet(f"the copy of the snapshot {copy.name} is used up: it was replayed towards {shown(before)}, and the target now is {shown(goal)}. "
                     f"Declare the former again, or {anew}")


def shown(goal: Json) -> str:
    return goal["value"] or "the end of the archive"


def is_later(before: Json, goal: Json) -> bool:
    """On the same way, further on; what cannot be compared is not."""
    if before.get("timeline") != goal.get("timeline") or before["type"] == "latest":
        return False
    if goal["type"] == "latest":
        return True
    order: Dict[str, Callable[[str], float]] = {"time": lambda text: datetime.fromisoformat(text).timestamp(), "lsn": lsn_number}
    place = order.get(goal["type"])
    return bool(place and before["type"] == goal["type"] and place(before["value"]) < place(goal["value"]))


# ---- the copy becomes the member's data

def place(cluster: Json, facts: Json, goal: Json) -> None:
    """Where pgBackRest would restore. What was begun before goes on from where the server had come to."""
    copy = copy_of(cluster)
    assert copy
    data = copy.data(cluster)
    if copy.goal() is None:
        clean(data)
        write_durably(f"{data}/backup_label", facts["label"])
    write_durably(copy.note, json.dumps({"snapshot": copy.name, "goal": goal}))
    empty_log(data, cluster.get("walDirectory"))
    os.rename(data, cluster["dataDirectory"])


def clean(data: str) -> None:
    """What is of the server that ran on these files, and not of the database."""
    for name in REMOVED:
        if os.path.lexists(f"{data}/{name}"):
            os.remove(f"{data}/{name}")
    for name in EMPTIED:
        for entry in os.listdir(f"{data}/{name}") if os.path.isdir(f"{data}/{name}") else []:
            remove(f"{data}/{name}/{entry}")
    for folder, folders, files in os.walk(data):
        for name in [name for name in files if name.startswith("pg_internal.init")]:
            os.remove(f"{folder}/{name}")
        for name in [name for name in folders if name.startswith("pgsql_tmp")]:
            shutil.rmtree(f"{folder}/{name}")
    settings = f"{data}/postgresql.auto.conf"
    if os.path.exists(settings):
        with open(settings, encoding="utf-8") as file:
            lines = file.readlines()
        write_durably(settings, "".join(line for line in lines if not FOREIGN.match(line)))


def empty_log(data: str, wal: Optional[str]) -> None:
    """All of the log comes from the archive: what lies here may be of another moment, above all on a volume of its own."""
    remove(f"{data}/pg_wal")
    if wal:
        shutil.rmtree(wal, ignore_errors=True)
        os.symlink(wal, f"{data}/pg_wal")
    os.makedirs(f"{wal or f'{data}/pg_wal'}/archive_status", mode=0o700)


def remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.remove(path)


def main(arguments: List[str]) -> int:
    commands: Dict[str, Callable[[Json], int]] = {}
    if len(arguments) == 3 and arguments[0] == "hold" and arguments[2].isdigit():
        commands["hold"] = lambda cluster: hold(cluster, arguments[1], float(arguments[2]))
    if len(arguments) == 2:
        commands.update({word: lambda cluster: speak(cluster, arguments[1], arguments[0]) for word in Words._fields})
    if len(arguments) == 1:
        commands["adopt"] = adopt
    if not arguments or arguments[0] not in commands:
        print(__doc__, file=sys.stderr)
        return 2
    return commands[arguments[0]](json.loads(member.read(f"{member.CONFIG_DIR}/cluster.json")))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
