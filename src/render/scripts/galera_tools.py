"""The database's own programs, for backups and recovery of a Galera cluster, and what differs between the two engines.

MariaDB's are in this container. Those of Percona XtraDB Cluster are in the vendor's image alone: a container of it runs
beside this one (galera-run.sh), and streams go between the two through named pipes in a folder that both mount.
"""
from __future__ import annotations

import errno
import os
import select
import signal
import subprocess
import time
from typing import Any, Callable, Dict, IO, List, NamedTuple, Optional

from kube import read

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


def is_dead(folder: str) -> bool:
    """Of a container: nobody reads the pipe that galera-run.sh holds open. An older one holds none, and nothing is known."""
    try:
        os.close(os.open(f"{folder}/runner/alive", os.O_WRONLY | os.O_NONBLOCK))
        return False
    except OSError as problem:
        return problem.errno == errno.ENXIO


class Remote:
    """A program in a container of the server's image, started by galera-run.sh there."""

    def __init__(self, command: List[str], folder: str) -> None:
        self.folder = f"{folder}/runner"
        self.boot = self.told("boot")
        if self.boot is None:
            raise OSError("the server's container has not started yet")
        self.number = os.urandom(4).hex()
        self.pid = 0
        self.tell("request", "\n".join([self.number, *command]))

    @staticmethod
    def clear(folder: str, tick: Callable[[], None]) -> None:
        """A server that an earlier script has left behind."""
        left = Remote.__new__(Remote)
        left.folder = f"{folder}/runner"
        names = os.listdir(left.folder) if os.path.isdir(left.folder) else []
        for number in [name[4:] for name in names if name.startswith("pid.") and name[4:].isalnum()]:
            left.number, left.boot, left.pid = number, left.told("boot"), 0
            while left.poll() is None:
                left.kill()
                tick()
                time.sleep(0.3)

    def told(self, name: str) -> Optional[str]:
        try:
            return read(f"{self.folder}/{name}")
        except FileNotFoundError:
            return None

    def tell(self, name: str, value: str) -> None:
        with open(f"{self.folder}/{name}.new", "w", encoding="utf-8") as file:
            file.write(value + "\n")
        os.rename(f"{self.folder}/{name}.new", f"{self.folder}/{name}")

    def poll(self) -> Optional[int]:
        self.pid = self.pid or int(self.told(f"pid.{self.number}") or 0)
        code = self.told(f"exit.{self.number}")
        if code is not None:
            return int(code)
        return None if self.told("boot") == self.boot and not is_dead(os.path.dirname(self.folder)) else -signal.SIGKILL

    def terminate(self) -> None:
        self.tell("signal", "TERM")

    def kill(self) -> None:
        """With all that it has started."""
        self.tell("signal", "KILL")

    def end(self) -> None:
        while self.poll() is None:
            self.kill()
            time.sleep(0.3)


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
        self.process = Remote(["bash", "-c", script, places["stdin"], places["stdout"], f"{folder}/log", *command], runner)
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

    def containers(self) -> List[str]:
        """Of the server and of its programs: how they are told what to start."""
        return [self.config["run"], f"{self.config['run']}/tools"] if self.remote else []

    def wait_until_there(self, limit: float) -> None:
        """For the containers of the vendor's image, which may have to be pulled."""
        end = time.monotonic() + limit
        for folder in self.containers():
            while not os.path.exists(f"{folder}/runner/boot"):
                if time.monotonic() > end:
                    raise OSError("a container of the server's image has not started")
                time.sleep(LOOK_S)

    def scratch(self) -> Optional[str]:
        """Where both containers see it: on the volume. None: anywhere."""
        if not self.remote:
            return None
        folder = f"{self.config['volume']}/tmp"
        os.makedirs(folder, exist_ok=True)
        return folder

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
