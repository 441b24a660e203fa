"""The archive of a Galera cluster in a bucket: names, and how rclone reaches them. Used by backup, collector and recovery.

  backups/LABEL/base.mbs.zst   mbstream of mariadb-backup, compressed by zstd; base.xbs.zst is xbstream of xtrabackup
  backups/LABEL/backup.json    written last: a backup without it does not count
  binlogs/MEMBER/FILE/PART     a part of a binary log; its name says what is in it
  binlogs/state.json           how far the collector is
  gaps/TIME.json               what no member had any more when the collector came for it

rclone encrypts all of it before it leaves the Pod (its crypt: XSalsa20 and Poly1305), where the storage has a pass.
"""
from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Dict, IO, List, NamedTuple, Optional

from binlog_events import Position, parse_position, render_position
from kube import Api, NotYet, SecretSpec, Values, log, random_password, secret_values, settle_secret, value_in

Json = Dict[str, Any]
# S3 takes 10,000 parts at the most.
PARTS, PART_MIB = 9000, 16
# A storage that does not answer is given up; rclone tries each request again by itself.
LIMITS = ["--contimeout", "15s", "--timeout", "60s", "--low-level-retries", "5", "--retries", "2"]


class ArchiveError(Exception):
    """The storage did not do it; the text is rclone's."""


class Part(NamedTuple):
    """A part of a binary log. Before and after: the positions of its first and behind its last transaction."""
    member: str
    file: str
    start: int
    end: int
    before: Position
    after: Position
    begun: int
    committed: int
    path: str


def part_name(part: Part) -> str:
    places = f"{part.start:012d}-{part.end:012d}"
    times = f"{part.begun:010d}-{part.committed:010d}"
    return f"{places}_{times}_{render_position(part.before)}_{render_position(part.after)}.zst"


PART = re.compile(r"^binlogs/([^/]+)/([^/]+)/(\d+)-(\d+)_(\d+)-(\d+)_([0-9a-f:,-]*)_([0-9a-f:,-]*)\.zst$")


def parse_part(path: str) -> Optional[Part]:
    match = PART.match(path)
    if not match:
        return None
    member, file, start, end, begun, committed, before, after = match.groups()
    return Part(member, file, int(start), int(end), parse_position(before), parse_position(after), int(begun), int(committed), path)


CONFIG_DIR = os.environ.get("EVEREST_CONFIG_DIR", "/etc/everest")
OWNER = "owner.json"


def read_config() -> Json:
    with open(f"{CONFIG_DIR}/galera.json", encoding="utf-8") as file:
        config = json.load(file)
    config["member"] = re.sub(r"-0$", "", os.environ.get("POD_NAME", ""))
    return config


def open_archive(repository: Json, folder: str, makes_pass: bool = False) -> "Archive":
    """With what Secrets and ConfigMaps hold now. Only the collector makes a pass, and only where the archive is empty."""
    api = Api.in_cluster()
    values = {item["option"]: value_in(api, item["resource"], item["name"], item["key"]) for item in repository["files"]}
    values.update(secret_values(api, repository))
    wanted = repository.get("pass")
    if wanted:
        values["cipher-pass"] = settle_pass(api, repository, values, folder) if makes_pass and wanted["generate"] \
            else value_in(api, "secrets", wanted["secret"], wanted["key"])
    return Archive(repository, values, folder)


def settle_pass(api: Api, repository: Json, values: Values, folder: str) -> str:
    wanted = repository["pass"]

    def complete(have: Values) -> Values:
        if have.get(wanted["key"]):
            return {}
        bare = {**repository, "options": {**repository["options"], "cipher-type": "none"}}
        if Archive(bare, values, folder).list(""):
            raise NotYet(f"Secret {wanted['secret']} has no pass under {wanted['key']}, and {repository['storage']} is not empty: with another "
                         "pass nothing in it could be read. Put the pass back from your copy, or name another prefix; waiting.")
        log(f"{repository['storage']} is empty; making its pass. Keep a copy of Secret {wanted['secret']} elsewhere.")
        return {wanted["key"]: random_password()}
    return settle_secret(api, SecretSpec(wanted["secret"], True, [wanted["key"]], complete))[wanted["key"]]


def check_owner(archive: "Archive", uuid: str) -> None:
    """The archive belongs to whoever has written to it first: another history in it would spoil both."""
    owner = archive.read_json(OWNER)
    if owner is None:
        if archive.list("backups") or archive.list("binlogs"):
            raise ArchiveError("the archive has content and no owner; it belongs to another cluster or was damaged")
        archive.write_json(OWNER, {"uuid": uuid})
    elif owner["uuid"] != uuid:
        raise ArchiveError(f"the archive belongs to another cluster, whose state is {owner['uuid']}; this one's is {uuid}")


def repository_of(config: Json, uuid: Optional[str], folder: str) -> Json:
    """Where this group archives: until a restore in place is done it goes on in the archive that is restored from, which
    is its own; the restored data have another state, and get the one that is declared."""
    declared = config["archive"]["repository"]
    wanted = config.get("replacement")
    if not wanted or wanted["putBack"]:
        return declared
    source = {**declared, **config["recovery"]["repository"]}
    owner = open_archive(source, folder).read_json(OWNER)
    return source if owner and owner["uuid"] == uuid else declared


class Archive:
    def __init__(self, repository: Json, secrets: Dict[str, str], folder: str) -> None:
        """`secrets`: values by option, such as `s3-key`; `folder`: for files that rclone wants as files."""
        self.environment = {**os.environ, **rclone_environment(repository["options"], secrets, folder)}
        if secrets.get("cipher-pass"):
            hidden = self.run(["obscure", "-"], stdin=secrets["cipher-pass"].encode()).decode().strip()
            self.environment["RCLONE_CONFIG_R_PASSWORD"] = hidden

    def run(self, arguments: List[str], stdin: Optional[bytes] = None) -> bytes:
        done = subprocess.run(["rclone", *LIMITS, *arguments], input=stdin, env=self.environment, capture_output=True, check=False)
        if done.returncode:
            raise ArchiveError(explain(done.stderr.decode(errors="replace")))
        return done.stdout

    def command(self, *arguments: str, size: int = 0) -> List[str]:
        chunk = max(PART_MIB, -(-size // (PARTS * 2 ** 20)))
        return ["rclone", *LIMITS, "--s3-chunk-size", f"{chunk}Mi", "--s3-upload-concurrency", "2", *arguments]

    def list(self, folder: str) -> List[str]:
        """Paths of all files below a folder; none where it does not exist."""
        try:
            return [f"{folder}/{line}".lstrip("/") for line in self.run(["lsf", "-R", "--files-only", f"r:{folder}"]).decode().splitlines()]
        except ArchiveError as problem:
            if "directory not found" in str(problem):
                return []
            raise

    def sizes(self) -> Dict[str, int]:
        """Every file with its size before encryption; each look at the storage is a process, so this is one for many."""
        lines = self.run(["lsf", "-R", "--files-only", "--format", "sp", "--separator", " ", "r:"]).decode().splitlines()
        return {path: int(size) for size, path in (line.split(" ", 1) for line in lines)}

    def read(self, path: str) -> Optional[bytes]:
        try:
            return self.run(["cat", f"r:{path}"])
        except ArchiveError as problem:
            if "not found" in str(problem):
                return None
            raise

    def read_json(self, path: str) -> Optional[Json]:
        content = self.read(path)
        return json.loads(content) if content else None

    def write_json(self, path: str, value: Json) -> None:
        self.run(["rcat", f"r:{path}"], stdin=json.dumps(value, indent=1).encode())

    def remove(self, path: str) -> None:
        self.run(["purge" if path.endswith("/") else "deletefile", f"r:{path.rstrip('/')}"])

    def open_read(self, path: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(self.command("cat", f"r:{path}"), env=self.environment, stdout=subprocess.PIPE)

    def open_write(self, path: str, source: Optional[IO[bytes]], size: int) -> "subprocess.Popen[bytes]":
        errors = tempfile.TemporaryFile()
        process = subprocess.Popen(self.command("rcat", f"r:{path}", size=size), env=self.environment, stdin=source or subprocess.PIPE, stderr=errors)
        process.errors = errors  # type: ignore[attr-defined]
        return process

    # ---- what lies there

    def backups(self) -> List[Json]:
        """Whole ones, oldest first."""
        labels = sorted(path.split("/")[1] for path in self.list("backups") if path.endswith("/backup.json"))
        # A process each, and most of its time is the way to the storage.
        with ThreadPoolExecutor(max_workers=8) as pool:
            found = list(pool.map(lambda label: self.read_json(f"backups/{label}/backup.json"), labels))
        return [backup for backup in found if backup]

    def parts(self) -> List[Part]:
        return [part for part in map(parse_part, self.list("binlogs")) if part]


def explain(errors: str) -> str:
    lines = [re.sub(r"^\S+ \S+ (ERROR|CRITICAL|NOTICE|Failed)\s*:?\s*", "", line) for line in errors.splitlines() if line.strip()]
    return (lines[-1] if lines else "rclone has failed without a word")[:500]


def rclone_environment(options: Dict[str, str], secrets: Dict[str, str], folder: str) -> Dict[str, str]:
    """Options of a repository, as pgBackRest names them, in rclone's words."""
    # A Secret may say where the storage is.
    options = {**options, **{name: value for name, value in secrets.items() if name.startswith("s3-")}}
    port = options.get("storage-port", "443")
    remote = {
        "TYPE": "s3", "PROVIDER": "Other", "NO_CHECK_BUCKET": "true", "REGION": options["s3-region"],
        "ENDPOINT": f"https://{options['s3-endpoint']}:{port}",
        "FORCE_PATH_STYLE": "true" if options["s3-uri-style"] == "path" else "false",
    }
    if options["s3-key-type"] == "shared":
        remote.update({"ACCESS_KEY_ID": secrets["s3-key"], "SECRET_ACCESS_KEY": secrets["s3-key-secret"]})
    else:
        remote["ENV_AUTH"] = "true"
    below = f"s3:{options['s3-bucket']}{options['path']}"
    if options["cipher-type"] == "none":
        outer = {"TYPE": "alias", "REMOTE": below}
    else:
        outer = {"TYPE": "crypt", "REMOTE": below, "FILENAME_ENCRYPTION": "off", "DIRECTORY_NAME_ENCRYPTION": "false"}
    environment = {f"RCLONE_CONFIG_S3_{name}": value for name, value in remote.items()}
    environment.update({f"RCLONE_CONFIG_R_{name}": value for name, value in outer.items()})
    environment["RCLONE_CONFIG"] = "/dev/null"
    if "storage-ca-file" in secrets:
        path = f"{folder}/storage-ca.crt"
        with open(path, "w", encoding="utf-8") as file:
            file.write(secrets["storage-ca-file"])
        environment["RCLONE_CA_CERT"] = path
    if options.get("storage-verify-tls") == "n":
        environment["RCLONE_NO_CHECK_CERTIFICATE"] = "true"
    return environment
