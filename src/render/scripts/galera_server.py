"""The database server of a Galera member: its files, its process and its SQL. Used by galera-member.py alone."""
from __future__ import annotations

import json
import math
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Set, Tuple

from galera_rules import Row, ZERO_UUID
from galera_sql import Sql, SqlError, text
from galera_tools import Remote
from galera_users import Declared, Users, settle_declared
from galera_volume import sync_folder, write_whole
from kube import Api, NotYet, SecretSpec, Values, log, random_password, read, settle_secret

CONFIG_DIR = os.environ.get("EVEREST_CONFIG_DIR", "/etc/everest")
INITIALIZED, INITIALIZED_ERA = "initialized", "initializedEra"
# While a member that is proven dead is given up nobody is waited for longer than this.
EVICT, SUSPECT, HURRIED, HURRY_S = "evs.evict", "evs.suspect_timeout", "PT0.6S", 2.0
SQL_TIMEOUT_S, CHANGE_TIMEOUT_S = 2.0, 20.0
# MariaDB's and MySQL's numbers.
READ_ONLY_VARIABLE, UNKNOWN_VARIABLE = 1238, 1193

Json = Dict[str, Any]


class Failed(Exception):
    """A program that the start needs has failed."""


class Position(NamedTuple):
    uuid: Optional[str]
    seqno: int
    source: str
    raw: Optional[str] = None  # as the server printed it, for --wsrep_start_position


class Found(NamedTuple):
    """What the volume holds. `incomplete`: a copy from a donor has begun and has not ended."""
    empty: bool
    incomplete: bool
    safe: bool = False


class Settled(NamedTuple):
    api_key: str
    #: The last era in which the cluster had data; None before there were any.
    initialized: Optional[int]
    credentials: Values
    tls: Values
    declared: Declared


def read_config() -> Json:
    config = json.loads(read(f"{CONFIG_DIR}/galera.json"))
    config["member"] = re.sub(r"-0$", "", os.environ["POD_NAME"])
    return config


# ---- Secrets

def settle(config: Json) -> Settled:
    """One attempt: everything that is outside of the Pod, or NotYet."""
    api = Api.in_cluster()
    record = api.call("GET", f"configmaps/{config['recordConfigMap']}")
    if record is None:
        raise NotYet(f"ConfigMap {config['recordConfigMap']} does not exist; apply it, waiting.")
    credentials = settle_secret(api, SecretSpec(
        config["credentials"]["secret"], config["credentials"]["generate"], config["credentials"]["keys"],
        lambda have: {key: random_password() for key in config["credentials"]["keys"] if not have.get(key)}))
    tls = settle_secret(api, SecretSpec(
        config["tls"]["secret"], config["tls"]["generate"], ["ca.crt", "tls.crt", "tls.key"],
        lambda have: {} if have.get("tls.key") else new_certificate(config)))
    declared = settle_declared(config, api)
    return Settled(credentials["api"], initialized_era(record.get("data") or {}), credentials, tls, declared)


def initialized_era(data: Values) -> Optional[int]:
    return int(data.get(INITIALIZED_ERA) or 0) if data.get(INITIALIZED) else None


def new_certificate(config: Json) -> Values:
    """An authority of this cluster alone, whose key is thrown away, and one certificate for all of its members."""
    with tempfile.TemporaryDirectory() as folder:
        def openssl(*arguments: str) -> None:
            run(["openssl", *arguments], cwd=folder)
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        openssl("req", "-x509", *curve, "-days", "3650", "-subj", f"/CN={config['cluster']} authority", "-keyout", "ca.key", "-out", "ca.crt")
        openssl("req", *curve, "-subj", f"/CN={config['cluster']}", "-keyout", "tls.key", "-out", "tls.csr")
        with open(f"{folder}/names", "w", encoding="utf-8") as file:
            file.write("subjectAltName=" + ",".join(f"DNS:{name}" for name in config["tls"]["names"]))
        openssl("x509", "-req", "-in", "tls.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "3650",
                "-extfile", "names", "-out", "tls.crt")
        return {name: read(f"{folder}/{name}") + "\n" for name in ("ca.crt", "tls.crt", "tls.key")}


def mark_initialized(config: Json, uuid: str, era: int) -> None:
    """From here on empty volumes of this era are a loss, not a new cluster."""
    path = f"configmaps/{config['recordConfigMap']}"
    try:
        Api.in_cluster().call("PATCH", path, {"data": {INITIALIZED: uuid, INITIALIZED_ERA: str(era)}})
    except NotYet as problem:
        raise Failed(str(problem)) from problem


def run(command: Sequence[str], cwd: Optional[str] = None) -> str:
    done = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise Failed(f"{command[0]} ended with {done.returncode}: {done.stdout[-2000:]}")
    return done.stdout


# ---- notes on the volume

class Notes:
    """Small values beside the data, each written whole or not at all."""

    def __init__(self, volume: str) -> None:
        self.folder = f"{volume}/everest"
        self.values: Dict[str, Any] = {}
        os.makedirs(self.folder, exist_ok=True)
        for name in os.listdir(self.folder):
            if name.endswith(".json"):
                try:
                    self.values[name[:-5]] = json.loads(read(f"{self.folder}/{name}"))
                except ValueError:
                    log(f"{self.folder}/{name} cannot be read; it counts as absent")

    def get(self, name: str) -> Any:
        return self.values.get(name)

    def put(self, name: str, value: Any) -> None:
        write_whole(f"{self.folder}/{name}.json", value)
        self.values[name] = value

    def drop(self, name: str) -> None:
        if name in self.values:
            del self.values[name]
            unlink(f"{self.folder}/{name}.json")
            sync_folder(self.folder)


def unlink(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


# ---- files of the server

def parse_grastate(text: str) -> Dict[str, str]:
    return dict(re.findall(r"^(\w+):\s*(\S+)\s*$", text, re.MULTILINE))


def ended_from_outside(code: int) -> Optional[int]:
    """The signal with which somebody else (the kernel short of memory, a person) has ended a program: that tells nothing of
    the data, so it is asked again. A crash of its own is an answer. The container of a vendor's image tells 128 + signal."""
    number = -code if code < 0 else code - 128
    return number if number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT) else None


def parse_recovered(output: str) -> Optional[Position]:
    """`WSREP: Recovered position: UUID:SEQNO`; with GTIDs a tail follows behind a comma."""
    found = re.findall(r"Recovered position:\s*(([0-9a-f-]{36}):(-?\d+)(?:,\S+)?)", output)
    if not found:
        return None
    raw, uuid, seqno = found[-1]
    return Position(uuid, int(seqno), "recovered", raw)


def parse_options(text: str) -> Dict[str, str]:
    """Settings of a my.cnf in which only [mysqld] counts; MariaDB does not tell `-` from `_` in names."""
    section, options = "", {}
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("["):
            section = line.strip("[]")
        elif section == "mysqld" and "=" in line and not line.startswith("#"):
            name, value = (part.strip() for part in line.split("=", 1))
            options[name.replace("-", "_")] = value
    return options


class Local:
    """A program that this script is the parent of, with a session of its own, so that a copy's programs end with it."""

    def __init__(self, command: List[str]) -> None:
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
        self.pid = self.process.pid

    def poll(self) -> Optional[int]:
        return self.process.poll()

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def end(self) -> None:
        """Whatever is left of it."""
        end_session(self.pid)
        self.process.wait()


class Server:
    def __init__(self, config: Json, name: str) -> None:
        self.config, self.name = config, name
        self.volume, self.run = config["volume"], config["run"]
        self.data = f"{self.volume}/data"
        self.process: Any = None
        self.started_at, self.heard = 0.0, 0.0
        self.settled: Optional[Settled] = None
        self.watch, self.act = Sql(config, SQL_TIMEOUT_S), Sql(config, CHANGE_TIMEOUT_S)
        self.evicted: Set[str] = set()
        self.hurry_until = 0.0
        self.loaded: Dict[str, str] = {}
        self.mariadb = config["engine"] == "mariadb"
        self.users = Users(self.act, self.mariadb)

    # -- files

    def prepare(self, settled: Settled, tick: Callable[[], None]) -> None:
        self.settled = settled
        if self.config.get("remote"):
            Remote.clear(self.run, tick)
        self.watch.password = self.act.password = settled.credentials.get("root", "")
        os.makedirs(f"{self.run}/tls", exist_ok=True)
        os.makedirs(f"{self.volume}/tmp", exist_ok=True)
        for name in ("ca.crt", "tls.crt", "tls.key"):
            with open(os.open(f"{self.run}/tls/{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
                file.write(settled.tls[name])

    def own_settings(self) -> Dict[str, str]:
        """What differs between members, or holds a secret; all else is in the ConfigMap's my.cnf."""
        address, index = os.environ["POD_IP"], self.config["members"].index(self.name)
        tls = {"ca": f"{self.run}/tls/ca.crt", "cert": f"{self.run}/tls/tls.crt", "key": f"{self.run}/tls/tls.key"}
        provider = {
            **self.config["providerOptions"],
            "base_host": address, "ist.recv_addr": f"{address}:4568",
            **{f"socket.ssl_{kind}": path for kind, path in tls.items()},
        }
        return {
            "datadir": self.data, "tmpdir": f"{self.volume}/tmp", "socket": f"{self.run}/mysqld.sock",
            "pid_file": f"{self.run}/mysqld.pid", "bind_address": "*",
            # Never empty: a server that somebody starts by hand must not make a cluster of its own.
            "wsrep_cluster_address": "gcomm://" + ",".join(f"{name}-0.{self.config['peersDomain']}" for name in self.config["members"]),
            "wsrep_cluster_name": self.config["cluster"], "wsrep_node_name": self.name,
            "wsrep_node_address": address, "wsrep_node_incoming_address": f"{self.name}:3306",
            "wsrep_sst_receive_address": f"{address}:4444",
            "wsrep_provider_options": '"' + ";".join(f"{key}={value}" for key, value in provider.items()) + '"',
            **{f"ssl_{kind}": path for kind, path in tls.items()},
            **({"gtid_domain_id": str(100 + index), "wsrep_sst_auth": "mysql:"} if self.mariadb else {}),
        }

    def write_config(self) -> None:
        common = read(f"{CONFIG_DIR}/my.cnf")
        self.loaded = parse_options(common)
        sst = "" if not self.mariadb else (
            f"[sst]\nssl-mode=VERIFY_CA\nssl-ca={self.run}/tls/ca.crt\nssl-cert={self.run}/tls/tls.crt\nssl-key={self.run}/tls/tls.key\n")
        own = "".join(f"{name}={value}\n" for name, value in self.own_settings().items())
        with open(f"{self.run}/my.cnf", "w", encoding="utf-8") as file:
            file.write(f"{common}\n[mysqld]\n{own}\n{sst}")

    def look(self, notes: Notes) -> Found:
        if notes.get("initializing") is not None:
            # Nobody was let in before that note was taken away.
            return Found(True, False)
        joining = notes.get("joining") is not None
        names = set(os.listdir(self.data)) if os.path.isdir(self.data) else set()
        empty = not names - {"lost+found"}
        grastate = f"{self.data}/grastate.dat"
        text = read(grastate) if os.path.exists(grastate) else ""
        unfinished = not text or "mysql" not in names or bool(names & {".sst", "sst_in_progress", "wsrep_sst.pid"})
        return Found(empty, joining and unfinished, parse_grastate(text).get("safe_to_bootstrap") == "1")

    def copying(self) -> bool:
        return any(os.path.exists(f"{self.data}/{name}") for name in (".sst", "sst_in_progress", "wsrep_sst.pid"))

    def remove_stale(self, incomplete: bool) -> None:
        """Before each start: marks of a copy that nobody makes any more; with half a copy also the state that says otherwise."""
        for name in ("sst_in_progress", "wsrep_sst.pid", "gvwstate.dat", *(("grastate.dat",) if incomplete else ())):
            unlink(f"{self.data}/{name}")
        shutil.rmtree(f"{self.data}/.sst", ignore_errors=True)

    def set_aside(self) -> None:
        if os.path.isdir(self.data):
            os.rename(self.data, f"{self.volume}/aside-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}")
            sync_folder(self.volume)

    def asides(self) -> List[str]:
        return sorted(name for name in os.listdir(self.volume) if name.startswith("aside-"))

    # -- process

    def command(self, *arguments: str) -> List[str]:
        return [self.config["server"], f"--defaults-file={self.run}/my.cnf", *arguments]

    def launch(self, command: List[str]) -> Any:
        return Remote(command, self.run) if self.config.get("remote") else Local(command)

    def wait_for(self, command: List[str], tick: Callable[[], None]) -> int:
        process = self.launch(command)
        while process.poll() is None:
            tick()
            time.sleep(0.02)
        return process.poll()

    def recover(self, tick: Callable[[], None]) -> Position:
        """How far the data go: from grastate.dat after a clean stop, else from InnoDB."""
        grastate = f"{self.data}/grastate.dat"
        stated = parse_grastate(read(grastate)) if os.path.exists(grastate) else {}
        if int(stated.get("seqno", "-1")) >= 0 and stated.get("uuid", ZERO_UUID) != ZERO_UUID:
            return Position(stated["uuid"], int(stated["seqno"]), "grastate")
        self.write_config()
        log_file = f"{self.run}/recover.log"
        arguments = ["--wsrep-recover", "--skip-networking", f"--log-error={log_file}", *([] if self.mariadb else ["--log-error-verbosity=3"])]
        code = self.wait_for(self.command(*arguments), tick)
        output = read(log_file) if os.path.exists(log_file) else ""
        unlink(log_file)
        if ended_from_outside(code):
            raise Failed(f"the search for the position was ended by signal {ended_from_outside(code)} before it had an answer")
        found = parse_recovered(output)
        if code or found is None:
            log(f"no position was recovered ({code}): {output[-2000:]}")
            return Position(None, -1, "unknown")
        return found if found.seqno >= 0 else Position(None, -1, "unknown")

    def initialize(self, tick: Callable[[], None]) -> None:
        """Into a folder of another name first: half an initialised folder must not look like data."""
        fresh = f"{self.volume}/new"
        shutil.rmtree(fresh, ignore_errors=True)
        if self.config.get("recovery"):
            self.recover_from_archive(fresh, tick)
        elif self.mariadb:
            run(["mariadb-install-db", "--no-defaults", f"--datadir={fresh}", "--auth-root-authentication-method=socket",
                 "--auth-root-socket-user=mysql", "--skip-test-db"])
        else:
            self.initialize_mysql(fresh, tick)
        # Empty, or left by an earlier attempt that never served.
        shutil.rmtree(self.data, ignore_errors=True)
        os.rename(fresh, self.data)
        sync_folder(self.volume)

    def recover_from_archive(self, fresh: str, tick: Callable[[], None]) -> None:
        """By a process of its own, since it may take hours. What it says goes to the log; when it fails it is tried again."""
        process = subprocess.Popen(["python3", f"{CONFIG_DIR}/galera_recovery.py", "restore", fresh], stdin=subprocess.DEVNULL)
        while process.poll() is None:
            tick()
            time.sleep(0.2)
        if process.returncode:
            raise Failed(f"the recovery ended with {process.returncode}; what stands in its way is above")

    def target_problem(self, go_on: Callable[[], bool]) -> Optional[str]:
        """Why the declared target cannot be reached, before anything is moved; None: it can."""
        process = subprocess.Popen(["python3", f"{CONFIG_DIR}/galera_replacement.py", "check"], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while True:
            try:
                told, problem = process.communicate(timeout=0.5)
                break
            except subprocess.TimeoutExpired:
                if not go_on():
                    process.kill()
        log((told or problem).strip())
        return None if process.returncode == 0 else problem.strip()[-500:] or "the target cannot be looked at"

    def initialize_mysql(self, fresh: str, tick: Callable[[], None]) -> None:
        script = f"{self.run}/init.sql"
        with open(os.open(script, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(f"ALTER USER root@localhost IDENTIFIED BY '{self.settled.credentials['root']}';\n")
        try:
            code = self.wait_for([self.config["server"], "--no-defaults", "--initialize-insecure", f"--datadir={fresh}", f"--init-file={script}"], tick)
            if code:
                raise Failed(f"the new data were not made ({code})")
        finally:
            os.unlink(script)

    def start(self, addresses: List[str], position: Position, donors: List[str]) -> None:
        known = [f"--wsrep_start_position={position.raw}"] if position.raw else []
        # The comma at the end lets any other member give its data where these cannot.
        wanted = [f"--wsrep_sst_donor={','.join(donors)},"] if donors else []
        self.spawn(f"--wsrep_cluster_address=gcomm://{','.join(addresses)}", *known, *wanted)

    def start_new_cluster(self, position: Position) -> None:
        grastate = f"{self.data}/grastate.dat"
        if os.path.exists(grastate):
            text = re.sub(r"safe_to_bootstrap:\s*0", "safe_to_bootstrap: 1", read(grastate)) + "\n"
            with open(grastate, "w", encoding="utf-8") as file:
                file.write(text)
        known = [f"--wsrep_start_position={position.raw}"] if position.raw else []
        self.spawn("--wsrep-new-cluster", "--wsrep_cluster_address=gcomm://", *known)

    def spawn(self, *arguments: str) -> None:
        self.write_config()
        os.makedirs(self.data, mode=0o750, exist_ok=True)
        self.process = self.launch(self.command(*arguments))
        self.started_at, self.heard, self.evicted = time.time(), 0.0, set()

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def pid(self) -> Optional[int]:
        return self.process.pid if self.process and self.alive() else None

    def exit_code(self) -> Optional[int]:
        return self.process.poll() if self.process else None

    def forget_connections(self) -> None:
        self.watch.close()
        self.act.close()

    def stop(self, budget: float, tick: Callable[[], None]) -> None:
        """TERM is not always obeyed: a server that waits for a group or for a copy goes on."""
        self.forget_connections()
        if not self.process:
            return
        if self.alive():
            self.process.terminate()
        end = time.monotonic() + budget
        while self.alive() and time.monotonic() < end:
            tick()
            time.sleep(0.02)
        if self.alive():
            log(f"the server has not obeyed TERM for {budget:.0f} s; KILL")
        self.process.end()

    # -- SQL

    def status(self) -> Optional[Json]:
        """None: no answer."""
        try:
            values = dict(self.watch.rows("SHOW GLOBAL STATUS LIKE 'wsrep\\_%'"))
            members = self.watch.rows("SELECT node_name, node_uuid FROM mysql.wsrep_cluster_members ORDER BY node_name")
        except SqlError:
            return None
        self.heard = time.monotonic()
        return told_status(values, members)

    def writer_row(self) -> Optional[Row]:
        try:
            rows = self.watch.rows("SELECT member, gcomm_uuid, epoch FROM everest.writer WHERE id = 1")
        except SqlError:
            return None
        return Row(rows[0][0], rows[0][1], int(rows[0][2])) if rows else None

    def set_writer(self, name: str, gcomm: str, epoch: int) -> bool:
        """Compare and set: of several at once the group lets one through."""
        if epoch == 0:
            return self.act.change("INSERT INTO everest.writer VALUES (1, %s, %s, 1)", (name, gcomm)) == 1
        return self.act.change("UPDATE everest.writer SET member = %s, gcomm_uuid = %s, epoch = epoch + 1 WHERE id = 1 AND epoch = %s",
                               (name, gcomm, epoch)) == 1

    def create_own_tables(self) -> None:
        for statement in (
            "CREATE DATABASE IF NOT EXISTS everest",
            "CREATE TABLE IF NOT EXISTS everest.writer (id TINYINT PRIMARY KEY, member VARCHAR(64) NOT NULL, gcomm_uuid CHAR(36) NOT NULL,"
            " epoch BIGINT NOT NULL) ENGINE=InnoDB",
            "CREATE TABLE IF NOT EXISTS everest.bootstrap (n BIGINT PRIMARY KEY, id VARCHAR(128) NOT NULL, uuid CHAR(36) NOT NULL,"
            " seqno BIGINT NOT NULL, member VARCHAR(64) NOT NULL) ENGINE=InnoDB",
        ):
            self.act.change(statement)

    def record_bootstrap(self, record: Json) -> Json:
        """With the number that it was given, where another one has not taken it meanwhile."""
        full = {**record, "n": max([record.get("n", 1), *(item["n"] + 1 for item in self.bootstraps())])}
        self.act.change("INSERT INTO everest.bootstrap (n, id, uuid, seqno, member) VALUES (%s, %s, %s, %s, %s)",
                        (full["n"], full["id"], full["uuid"], full["seqno"], full["member"]))
        return full

    def bootstraps(self) -> List[Json]:
        """The last ones that there were, oldest first."""
        rows = self.watch.rows("SELECT n, id, uuid, seqno, member FROM everest.bootstrap ORDER BY n DESC LIMIT 20")
        return [dict(zip(("n", "id", "uuid", "seqno", "member"), row)) for row in reversed(rows)]

    def evict(self, gcomm: str) -> None:
        """
        A group goes on without a dead member when evs.suspect_timeout is over, evicted or not. So that is short for this
        moment: the survivors are known to live, since whoever asks has heard them.
        """
        try:
            self.hurry(gcomm)
            self.provider_option(SUSPECT, HURRIED)
            self.provider_option(EVICT, gcomm)
        finally:
            # `calm` may have looked in between.
            self.hurry(gcomm)

    def hurry(self, gcomm: str) -> None:
        self.evicted, self.hurry_until = self.evicted | {gcomm}, time.monotonic() + HURRY_S

    def calm(self, view: Set[str]) -> None:
        """
        The usual time-out again, and nobody evicted any more once they are out of the view: members of a group name those
        to whoever joins, and a joiner waits for them until it suspects them, while nobody writes (1.5 s measured). What
        fails is tried again at the next look; a new server has all this from its file.
        """
        evicted = self.evicted
        if not evicted or (evicted & view and time.monotonic() < self.hurry_until):
            return
        try:
            self.provider_option(SUSPECT, self.config["providerOptions"][SUSPECT])
            self.hurry_until = math.inf
            if not evicted & view:
                self.provider_option(EVICT, "")
                self.evicted = self.evicted - evicted
        except SqlError as problem:
            log(f"after an eviction: {problem}")

    def promote(self) -> None:
        self.provider_option("pc.bootstrap", "1")

    def provider_option(self, name: str, value: str) -> None:
        """Newer MariaDB has a variable for each option, and refuses the text of all."""
        try:
            self.act.change(f"SET GLOBAL wsrep_provider_{name.replace('.', '_')} = %s", (plain(value),))
        except SqlError as problem:
            if problem.args[1:] != (UNKNOWN_VARIABLE,):
                raise
            self.act.change("SET GLOBAL wsrep_provider_options = %s", (f"{name}={value}",))

    def desync(self, on: bool) -> None:
        self.act.change(f"SET GLOBAL wsrep_desync = {'ON' if on else 'OFF'}")

    def reload(self) -> List[str]:
        """Settings that have changed in the ConfigMap: set where the server can; those that wait for a restart are told."""
        wanted, pending = parse_options(read(f"{CONFIG_DIR}/my.cnf")), []
        for name in sorted(wanted):
            if wanted[name] == self.loaded.get(name):
                continue
            try:
                self.act.change(f"SET GLOBAL {name} = {literal(wanted[name])}")
                self.loaded[name] = wanted[name]
                log(f"{name} is {wanted[name]} now")
            except SqlError as problem:
                pending.append(name)
                if problem.args[1:] not in ((READ_ONLY_VARIABLE,), (UNKNOWN_VARIABLE,)):
                    log(f"{name} was not set: {problem}")
        return pending + sorted(set(self.loaded) - set(wanted))

    def take(self, declared: Declared) -> None:
        self.settled = self.settled._replace(declared=declared)

    def reconcile(self) -> List[Json]:
        """Databases and users as declared, and those of the cluster itself; what could not be done, and why."""
        for user in self.config["users"]:
            self.users.ensure_own(user["name"], self.settled.credentials[user["key"]], user["grants"])
        return self.users.keep(self.settled.declared)


def told_status(values: Dict[str, str], members: Sequence[Tuple[str, str]]) -> Json:
    def number(name: str) -> int:
        return int(values.get(name) or -1)
    uuid = values.get("wsrep_cluster_state_uuid", "")
    return {
        "clusterStatus": values.get("wsrep_cluster_status", ""), "localState": number("wsrep_local_state"),
        "localStateComment": values.get("wsrep_local_state_comment", ""), "ready": values.get("wsrep_ready") == "ON",
        "connected": values.get("wsrep_connected") == "ON", "clusterStateUuid": "" if uuid == ZERO_UUID else uuid,
        "lastCommitted": number("wsrep_last_committed"), "clusterSize": number("wsrep_cluster_size"), "confId": number("wsrep_cluster_conf_id"),
        "gcommUuid": values.get("wsrep_gcomm_uuid", ""), "desyncCount": int(values.get("wsrep_desync_count") or 0),
        "flowControlPaused": float(values.get("wsrep_flow_control_paused") or 0), "recvQueue": int(values.get("wsrep_local_recv_queue") or 0),
        "members": [{"name": name, "gcommUuid": uuid} for name, uuid in members],
    }


def plain(value: str) -> Any:
    """Of an option as its variable wants it: numbers, and durations as seconds."""
    duration = re.fullmatch(r"PT([0-9.]+)S", value)
    if duration:
        return float(duration[1])
    return int(value) if value.isdigit() else value


SIZES = {"": 1, "K": 1024, "M": 1024 ** 2, "G": 1024 ** 3, "T": 1024 ** 4}


def literal(value: str) -> str:
    """As SET GLOBAL takes it: sizes have no letters there."""
    number = re.fullmatch(r"(-?\d+)([KMGT]?)", value.strip('"'), re.IGNORECASE)
    if number:
        return str(int(number[1]) * SIZES[number[2].upper()])
    return value if re.fullmatch(r"-?\d+\.\d+|ON|OFF", value, re.IGNORECASE) else text(value.strip('"'))


def end_session(session: int) -> None:
    for name in os.listdir("/proc"):
        try:
            if name.isdigit() and os.getsid(int(name)) == session:
                os.kill(int(name), signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue
