#!/usr/bin/env python3
"""For people's commands: a restore in place of a Galera cluster, at one member. galera-member.py does it (galera_rules.py).

  galera_replacement.py state      what is declared, and what this volume has been through
  galera_replacement.py check      whether the declared target can be reached; changes nothing
  galera_replacement.py look GOAL  whether a moment can be reached in the archive that the cluster writes now
  galera_replacement.py accept     the data that were set aside on this volume are removed
"""
from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from datetime import datetime, timezone
from typing import Any, Callable, Dict, List

import galera_rules as rules
from galera_archive import ArchiveError, open_archive, read_config
from galera_recovery import NotPossible, Target, plan_recovery
from galera_volume import Volume
from kube import NotYet

#: Room beside the backup: the binary log that is replayed, and what the server writes meanwhile.
SPARE_BYTES = 256 * 1024 * 1024

Json = Dict[str, Any]


def has_room(volume: str, size: int) -> None:
    space = os.statvfs(volume)
    free = space.f_bavail * space.f_frsize
    if free < size + SPARE_BYTES:
        raise NotPossible(f"the backup has {size >> 20} MiB, and the volume has room for {free >> 20} MiB, of which {SPARE_BYTES >> 20} are kept "
                          "free: declare a larger storage.size")


def plan_text(config: Json, repository: Json, goal: Json) -> str:
    target = Target(goal["kind"], goal["value"], tuple(goal["skip"]))
    backup = plan_recovery(open_archive(repository, config["run"]), target).backup
    has_room(config["volume"], backup["sizeBytes"])
    return f"{goal['value'] or 'the end of the archive'} can be reached from the backup {backup['label']} of {repository['storage']}"


def check(config: Json, _: str) -> int:
    if "recovery" not in config:
        print("no recovery is declared", file=sys.stderr)
        return 2
    print(plan_text(config, config["recovery"]["repository"], config["recovery"]["target"]))
    return 0


def look(config: Json, goal: str) -> int:
    if "archive" not in config:
        print("the cluster has no backups", file=sys.stderr)
        return 2
    asked = json.loads(goal)
    if asked["type"] != "time":
        print(f"a Galera cluster has no target of the kind {asked['type']}: give a time", file=sys.stderr)
        return 2
    moment = datetime.fromisoformat(asked["value"]).astimezone(timezone.utc)
    print(plan_text(config, config["archive"]["repository"], {"kind": "time", "value": moment.strftime("%Y-%m-%dT%H:%M:%SZ"), "skip": []}))
    return 0


def own_state() -> Json:
    """What the member's script tells; it is the parent of the server in this container."""
    with urllib.request.urlopen("http://127.0.0.1:9200/state", timeout=3) as answer:
        return json.loads(answer.read())


def state(config: Json, _: str) -> int:
    volume, told = Volume(config["volume"]), own_state()
    print(json.dumps({"replacement": config.get("replacement"), "waits": volume.waits(config.get("replacement")), "kept": volume.kept(),
                      "phase": told["phase"], "because": told["because"]}))
    return 0


def accept(config: Json, _: str) -> int:
    """The one place that removes what was set aside: asked for by name, and only beside a server that serves."""
    volume, wanted = Volume(config["volume"]), config.get("replacement")
    if not wanted or volume.waits(wanted) or volume.era()["by"] != rules.step_of(wanted) or own_state()["phase"] not in rules.SERVING:
        print("there is no restore in place that is done and serves, so nothing is removed", file=sys.stderr)
        return 1
    os.makedirs(volume.path(f"accepted-{wanted['name']}"), mode=0o700, exist_ok=True)
    for name in (f"before-{wanted['name']}", f"rejected-{wanted['name']}"):
        if os.path.exists(volume.path(name)):
            print(f"removing {volume.path(name)}")
            shutil.rmtree(volume.path(name))
    return 0


def main(arguments: List[str]) -> int:
    commands: Dict[str, Callable[[Json, str], int]] = {"state": state, "check": check, "look": look, "accept": accept}
    if not arguments or arguments[0] not in commands or (arguments[0] == "look") != (len(arguments) == 2):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        return commands[arguments[0]](read_config(), arguments[-1])
    except (NotPossible, NotYet, ArchiveError, OSError, KeyError, ValueError, subprocess.CalledProcessError) as problem:
        print(f"{problem}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
