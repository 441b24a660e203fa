"""The database's own programs, for backups and recovery of a Galera cluster, and what differs between the two engines.

MariaDB's are in this container. Those of Percona XtraDB Cluster are in the vendor's image alone: a container of it runs
beside this one (galera-run.sh), and streams go between the two through named pipes in a folder that both mount.
"""
from __future__ import annotations

import os
import select
import subprocess
import time
from typing import Any, Dict, IO, List, NamedTuple, Optional

Json = Dict[str, Any]
LOOK_S = 0.1


class Programs(NamedTuple):
    backup: str
    unpack: str
    binlog: str
    client: str
    server: str


def programs_of(config: Json) -> Programs:
    if config["engine"] == "mariadb":
        return Programs("mariadb-backup", "mbstream", "mariadb-binlog", "mariadb", "mariadbd")
    return Programs(f"{config['toolsDirectory']}/xtrabackup", f"{config['toolsDirectory']}/xbstream", "mysqlbinlog", "mysql", "mysqld")


def stream_name(engine: str) -> str:
    """What a backup's stream is called in the archive: another program unpacks each."""
    return "base.mbs.zst" if engine == "mariadb" else "base.xbs.zst"


class Local:
    """A program in this container."""

    def __init__(self, command: List[str], folder: str, **streams: bool) -> None:
        self.log = open(f"{folder}/log", "w+b")
        pipe = {name: subprocess.PIPE for name, wanted in streams.items() if wanted}
        self.process = subprocess.Popen(command, **{"stdin": subprocess.DEVNULL, "stdout": self.log, "stderr": self.log, **pipe})
        self.stdin, self.stdout = self.process.stdin, self.process.stdout

    def wait(self) -> int:
        return self.process.wait()

    def errors(self) -> str:
        self.log.seek(0)
        return self.log.read().decode(errors="replace")


def beside(command: List[str], runner: str) -> Any:
    """A program in the container of the server's image: poll(), terminate(), end()."""
    from galera_server import Failed, Remote
    try:
        return Remote(command, runner)
    except Failed as problem:
        raise OSError(str(problem)) from problem


class Beside:
    """A program in the container of the server's image, with the streams of one here."""

    def __init__(self, command: List[str], folder: str, runner: str, **streams: bool) -> None:
        self.folder, self.stdin, self.stdout = folder, None, None  # type: Any
        places = {"stdin": "/dev/null", "stdout": f"{folder}/log"}
        for name, wanted in streams.items():
            if wanted:
                places[name] = f"{folder}/{name}"
                os.mkfifo(places[name], 0o600)
        reading = os.open(places["stdout"], os.O_RDONLY | os.O_NONBLOCK) if streams.get("stdout") else None
        script = 'exec < "$0" > "$1" 2> "$2"; shift 2; exec "$@"'
        self.process = beside(["bash", "-c", script, places["stdin"], places["stdout"], f"{folder}/log", *command], runner)
        if streams.get("stdin"):
            self.stdin = self.opened(places["stdin"])
        if reading is not None:
            self.stdout = self.awaited(reading)

    def opened(self, path: str) -> IO[bytes]:
        """For writing, once the program reads; one that has ended never does."""
        while True:
            try:
                handle = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
                os.set_blocking(handle, True)
                return os.fdopen(handle, "wb")
            except OSError:
                if self.process.poll() is not None:
                    return open(os.devnull, "wb")
                time.sleep(LOOK_S)

    def awaited(self, handle: int) -> IO[bytes]:
        """For reading, once the program writes: before that, the end of the stream cannot be told from its beginning."""
        while not select.select([handle], [], [], LOOK_S)[0] and self.process.poll() is None:
            continue
        os.set_blocking(handle, True)
        return os.fdopen(handle, "rb")

    def wait(self) -> int:
        while True:
            code = self.process.poll()
            if code is not None:
                return code
            time.sleep(LOOK_S)

    def errors(self) -> str:
        try:
            with open(f"{self.folder}/log", encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""


class Tools:
    """Starts programs of the database."""

    def __init__(self, config: Json) -> None:
        self.config, self.programs = config, programs_of(config)
        self.mariadb, self.remote = config["engine"] == "mariadb", bool(config.get("remote"))

    def scratch(self) -> Optional[str]:
        """Where both containers see it: on the volume. None: anywhere."""
        return f"{self.config['volume']}/tmp" if self.remote else None

    def start(self, command: List[str], folder: str, **streams: bool) -> Any:
        """`streams`: stdin, stdout. `folder`: empty, and visible to both containers; the program's messages go there."""
        if self.remote:
            return Beside(command, folder, f"{self.config['run']}/tools", **streams)
        return Local(command, folder, **streams)

    def run(self, command: List[str], folder: str) -> None:
        program = self.start(command, folder)
        code = program.wait()
        if code:
            raise OSError(f"{os.path.basename(command[0])} ended with {code}: {program.errors()[-500:].strip()}")


def write_private(path: str, text: str) -> str:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    return path


def option_text(value: str) -> str:
    """As a file of options takes it."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
