"""What one member's volume of a Galera cluster holds, beside a restore in place and the way back behind it.

A step is written down before its first rename and taken away after its last, and whoever starts finishes it: so a
process may end at any moment. Nothing here removes data.
"""
from __future__ import annotations

import json
import os
from typing import Any, Dict, List, Optional

import galera_rules as rules
from kube import log, read

ERA, STEP = "era.json", "replacing.json"
#: What belongs to one history: the data, and what galera-member.py has noted of them.
PARTS = ("data", "everest")

Json = Dict[str, Any]


def sync_folder(folder: str) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_whole(path: str, value: Any) -> None:
    """All of it or nothing, whenever the process ends."""
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        json.dump(value, file)
        file.flush()
        os.fsync(file.fileno())
    os.rename(f"{path}.new", path)
    sync_folder(os.path.dirname(path))


class Volume:
    """What one member's volume holds: data, the era that they are of, and what was set aside."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def path(self, name: str) -> str:
        return f"{self.folder}/{name}"

    def told(self, name: str) -> Optional[Json]:
        return json.loads(read(self.path(name))) if os.path.exists(self.path(name)) else None

    def era(self) -> Json:
        return self.told(ERA) or rules.FIRST_ERA

    def adopt(self, era: Json) -> None:
        """Of the members that this one joins; it has no data of its own."""
        if era != self.era():
            write_whole(self.path(ERA), era)

    def waits(self, wanted: Optional[Json]) -> bool:
        """It has not been through what is declared."""
        return bool(wanted) and (self.told(STEP) is not None or rules.step_of(wanted) not in self.era()["done"])

    def kept(self) -> List[str]:
        return sorted(name for name in os.listdir(self.folder) if name.startswith(("before-", "rejected-", "accepted-")))

    def has_data(self, folder: str) -> bool:
        """Data that a group may have gone on from: not the empty folder or the half restore of one that never served."""
        names = set(os.listdir(f"{folder}/data")) if os.path.isdir(f"{folder}/data") else set()
        return bool(names - {"lost+found"}) and not os.path.exists(f"{folder}/everest/initializing.json")

    def returns(self, name: str) -> Optional[int]:
        """The era of the data from before that restore, set aside or still in their place; None: there are none."""
        if name not in self.era()["done"]:
            return self.era()["number"] if self.has_data(self.folder) else None
        kept = self.told(f"before-{name}/{ERA}")
        return kept["number"] if kept and self.has_data(self.path(f"before-{name}")) else None

    def begin(self, wanted: Json, era: Json) -> None:
        """`aside`: the folder that takes what is in place now; `back`: the one that is brought in its place. On the way
        back only data of the latest era that any member has from before count; all others stay aside."""
        name, own = wanted["name"], self.era()
        through, counts = name in own["done"], self.returns(name) is not None and self.returns(name) == era.get("returned")
        if wanted["putBack"]:
            aside, back = None if counts and not through else f"rejected-{name}", f"before-{name}" if counts and through else None
        else:
            aside, back = f"before-{name}", None
        write_whole(self.path(STEP), {"aside": aside, "back": back, "from": own["number"], "era": era})

    def finish(self) -> None:
        """Before anything else is done on the volume; what has been done of it is not done again."""
        step = self.told(STEP)
        if step is None:
            return
        if step["aside"]:
            self.set_aside(step["aside"], step["from"])
        if step["back"]:
            self.bring_back(step["back"])
        write_whole(self.path(ERA), step["era"])
        os.unlink(self.path(STEP))
        sync_folder(self.folder)
        log(f"this volume has been through {step['era']['by']}")

    def set_aside(self, name: str, era: int) -> None:
        """The folder gets its name at the end: by it everything that there was is in it."""
        folder, staged = self.path(name), self.path(f"{name}-moving")
        if os.path.exists(folder):
            return
        os.makedirs(staged, mode=0o700, exist_ok=True)
        self.move(self.folder, staged)
        write_whole(f"{staged}/{ERA}", {"number": era})
        os.rename(staged, folder)
        sync_folder(self.folder)

    def bring_back(self, name: str) -> None:
        folder = self.path(name)
        if not os.path.exists(folder):
            return
        self.move(folder, self.folder)
        if os.path.exists(f"{folder}/{ERA}"):
            os.unlink(f"{folder}/{ERA}")
        os.rmdir(folder)
        sync_folder(self.folder)

    def move(self, source: str, target: str) -> None:
        for part in PARTS:
            if os.path.exists(f"{source}/{part}") and not os.path.exists(f"{target}/{part}"):
                os.rename(f"{source}/{part}", f"{target}/{part}")
        sync_folder(source)
        sync_folder(target)
