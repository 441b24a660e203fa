#!/usr/bin/env python3
"""Runs one member of a PostgresCluster. It comes in a ConfigMap, so any image with Patroni, psycopg and Python 3.9 will do.

  member.py start                          fill the cluster's Secrets where allowed, wait for its turn, become Patroni
  member.py post-bootstrap CONNURL         Patroni's bootstrap.post_bootstrap: roles and databases of cluster.json
  member.py callback ACTION ROLE SCOPE     Patroni's callbacks: on a primary, passwords follow the Secrets
  member.py hand-over                      the kubelet's preStop hook: a primary goes elsewhere before it stops
  member.py prepare-archive                secrets for pgBackRest, and the stanza where this member is the primary
  member.py first-backup                   a full backup where there is none: of a recovered cluster, of one whose backups are lost
  member.py create-replica                 Patroni's create_replica_methods: a copy from the newest backup, or none
  member.py create-standby                 the same for the leader of a standby cluster, from the cluster that it follows

Git holds the Secrets empty, so `get` and `patch` on exact names are all the rights that this needs beyond Patroni's.
Nothing here logs a secret, and no clear-text password reaches the server: only SCRAM verifiers do.
"""
from __future__ import annotations

import base64
import fcntl
import hashlib
import hmac
import http.client
import json
import os
import platform
import re
import secrets
import shutil
import stringprep
import subprocess
import sys
import time
import unicodedata
from typing import Any, Callable, Dict, List, NamedTuple, Optional
from urllib.parse import quote

from kube import (
    Api, Conflict, Json, NotYet, SecretSpec, Values, delays, log, once, patiently, random_password, read,
    secret_values, settle_secret, until_settled, utc, value_in,
)

CONFIG_DIR = os.environ.get("EVEREST_CONFIG_DIR", "/etc/everest")
DEFAULT_ROLES = {"superuser": "postgres", "replication": "everest_replication", "rewind": "everest_rewind"}
# How long a member that could start waits for others to be heard of, and once more for one with newer data to lead.
TURN_S, TURN_DELAY_S = 30.0, 0.3
# A hand-over before the Pod stops: in all, of it for the agent, and between two looks. The grace period has room for it.
HAND_OVER_S, HAND_OVER_AGENT_S, HAND_OVER_LOOK_S = 20.0, 6.0, 0.1
# How long pgBackRest may take for a short answer, and how long one of its connections may be silent: it tries again for
# ten times as long before it says what is wrong (measured: 19 s where nobody listens).
ANSWER_S, SILENCE_S = 25.0, 2
# Between two looks at a replay that has come to its end.
REPLAY_PAUSE_S = 2.0
# In memory, and read by every pgBackRest of the container, also by one that a person starts.
BACKUP_DIR = os.environ.get("PGBACKREST_CONFIG_INCLUDE_PATH", "/run/postgresql/backup")
HISTORY, WAITING, HOLDS, CONTAINER = "everest.io/history", "everest.io/waiting", "everest.io/holds", "postgres"
# On Patroni's ConfigMaps: for which replacement they were cleared, who brings the first data, and when it had them.
REPLACED, RECOVERS, RECOVERED = "everest.io/replaced", "everest.io/recovers", "everest.io/recovered"
# On Patroni's dynamic configuration: the repositories that this cluster has begun, and when one of them was found empty.
REPOSITORIES = "everest.io/repositories"
# Where pgBackRest finds the repository that a recovery reads (recovery.py); the include path has to be a folder of its own.
RECOVERY = {"PGBACKREST_CONFIG": "/run/postgresql/recovery/source", "PGBACKREST_CONFIG_INCLUDE_PATH": "/run/postgresql/recovery"}
# Beside the data: WAL that is fetched ahead, and the note that a recovery is not finished.
RECOVERY_SPOOL, UNFINISHED = "recovery-spool", "recovery-unfinished"
# On a volume while a snapshot of it is made, and so on each copy (snapshot.py).
SNAPSHOT_MARK = "snapshot-mark"
# The lock on the data, for what this process becomes.
LOCKED = "EVEREST_DATA_LOCK"
# Key of a note on each backup.
ARCHITECTURE = "architecture"
# Between two tries of the first backup.
FIRST_BACKUP_PAUSE_S = 20.0
# PostgreSQL's own default (scram_iterations); a stored verifier is compared with its own count.
SCRAM_ITERATIONS = 4096

# ---- Secrets

def credentials_spec(cluster: Json) -> SecretSpec:
    credentials = cluster["credentials"]
    keys = list(credentials["keys"].values())
    return SecretSpec(credentials["secret"], credentials["generate"], keys, lambda have: missing_credentials(credentials, have))


def missing_credentials(credentials: Json, have: Values) -> Values:
    pooler, agent = credentials.get("pooler"), credentials.get("agent")
    keys = [*credentials["keys"].values(), *(role["key"] for role in (pooler, agent) if role)]
    full = {**{key: random_password() for key in keys}, **{key: value for key, value in have.items() if value}}
    if pooler:
        full[pooler["userlistKey"]] = userlist(credentials, full)
    return {key: value for key, value in full.items() if have.get(key) != value}


def userlist(credentials: Json, values: Values) -> str:
    """PgBouncer's auth_file, so that its Pods need no script of their own; the passwords hold no quotes.

    The pooler logs in to the server as its own role, so it needs that password. The agent only logs in to the pooler's
    console, for which a verifier is enough. The text is kept while it is right: each change is a new Secret for all poolers.
    """
    pooler, agent = credentials["pooler"], credentials.get("agent")
    text = values.get(pooler["userlistKey"], "")
    lines = dict(re.findall(r'^"([^"]+)" "([^"]+)"$', text, re.MULTILINE))
    lines[pooler["role"]] = values[pooler["key"]]
    if agent and not matches(lines.get(agent["role"], ""), values[agent["key"]]):
        lines[agent["role"]] = verifier(values[agent["key"]], secrets.token_bytes(16), SCRAM_ITERATIONS)
    return "".join(f'"{role}" "{secret}"\n' for role, secret in lines.items())


def owner_spec(owner: Json) -> SecretSpec:
    return SecretSpec(owner["secret"], owner["generate"], ["password"], lambda have: missing_owner_values(owner, have))


def missing_owner_values(owner: Json, have: Values) -> Values:
    """A Secret that an application can be given as it is: single values, and both kinds of URI made from them."""
    full = {"user": owner["role"], "password": random_password(), **owner["connection"]}
    full.update({key: value for key, value in have.items() if value})
    user, password, dbname = (quote(full[key], safe="") for key in ("user", "password", "dbname"))
    address = f"{full['host']}:{full['port']}/{dbname}"
    full.setdefault("uri", f"postgresql://{user}:{password}@{address}")
    full.setdefault("jdbc-uri", f"jdbc:postgresql://{address}?user={user}&password={password}")
    return {key: value for key, value in full.items() if not have.get(key)}


def wanted_passwords(cluster: Json, api: Api) -> Values:
    roles = roles_of(cluster)
    values = until_settled(api, credentials_spec(cluster))
    # `restapi` is a password of Patroni's own, with no role in the database.
    wanted = {roles[kind]: values[key] for kind, key in cluster["credentials"]["keys"].items() if kind in roles}
    for helper in (cluster["credentials"].get("pooler"), cluster["credentials"].get("agent")):
        if helper and values.get(helper["key"]):
            wanted[helper["role"]] = values[helper["key"]]
    for owner in cluster.get("owners", []):
        values = until_settled(api, owner_spec(owner))
        wanted[login_of(owner, values)] = values["password"]
    return wanted


def login_of(owner: Json, values: Values) -> str:
    """Whose password the Secret holds: the owner's, or where the agent rotates it, that of the login whose turn it is."""
    return values["user"] if values.get("user") in owner.get("logins", []) else owner["role"]


def roles_of(cluster: Json) -> Values:
    return {**DEFAULT_ROLES, **cluster["credentials"].get("roles", {})}


# ---- cold start: nobody leads, so whoever starts first would make its own data the cluster's

class History(NamedTuple):
    """How new a member's data are: a primary has all that its standbys have, and a later timeline beats both."""
    timeline: int  # 0: no data at all
    primary: bool

    @staticmethod
    def on_disk(directory: str) -> History:
        if not os.path.exists(f"{directory}/PG_VERSION"):
            return History(0, False)
        names = [name for name in os.listdir(f"{directory}/pg_wal") if re.match(r"[0-9A-F]{24}$|[0-9A-F]{8}\.history$", name)]
        return History(max((int(name[:8], 16) for name in names), default=1), not os.path.exists(f"{directory}/standby.signal"))


def take_turn(cluster: Json, api: Api) -> None:
    """Waits while there is no leader and another member may have newer data; each member tells by its Pod's annotation."""
    mine, started = History.on_disk(cluster["dataDirectory"]), time.monotonic()
    if leader_of(cluster, api):
        return
    told = {"metadata": {"annotations": {HISTORY: json.dumps([mine.timeline, mine.primary, utc()])}}}
    patiently(lambda: api.call("PATCH", f"pods/{os.environ['HOSTNAME']}", told))
    patiently(lambda: check_turn(cluster, api, mine, time.monotonic() - started), TURN_DELAY_S)


def check_turn(cluster: Json, api: Api, mine: History, waited: float) -> None:
    if leader_of(cluster, api):
        return
    heard = histories_of(cluster, api)
    absent = [name for name in cluster["members"] if name not in heard]
    newer = [name for name, history in sorted(heard.items()) if history > mine]
    # Time never makes an empty member start a new cluster beside one that has data. Only it need not wait for
    # everybody now: check_alone does so, after initdb, which takes as long as the other Pods take to start.
    if newer and (waited < 2 * TURN_S or mine.timeline == 0):
        raise NotYet(f"no leader yet, and {', '.join(newer)} may have newer data; waiting for it to lead.")
    if absent and waited < TURN_S and mine.timeline > 0:
        raise NotYet(f"no leader yet; waiting to hear how new the data of {', '.join(absent)} are.")
    if newer or (absent and mine.timeline > 0):
        log(f"starting without {', '.join(newer + absent)} after {waited:.0f} s: nobody leads.")


def check_alone(cluster: Json, api: Api, waited: float) -> None:
    """Ends a bootstrap beside a member that has data: Patroni drops the new cluster, and this member waits to be a standby."""
    heard = histories_of(cluster, api)
    own = os.environ["HOSTNAME"]
    with_data = [name for name, history in sorted(heard.items()) if history.timeline > 0 and name != own]
    if with_data:
        raise SystemExit(f"everest: {', '.join(with_data)} has data; not starting a new cluster beside it.")
    absent = [name for name in cluster["members"] if name not in heard]
    if absent and waited < TURN_S:
        raise NotYet(f"new cluster; waiting to hear whether {', '.join(absent)} has data.")


def leader_of(cluster: Json, api: Api) -> Optional[str]:
    found = patiently(lambda: api.call("GET", f"configmaps/{cluster['name']}-leader"))
    return ((found or {}).get("metadata", {}).get("annotations") or {}).get("leader")


def member_labels(cluster: Json) -> Dict[str, str]:
    """Of Pods, and of what Patroni makes."""
    return {"everest.io/cluster": cluster["name"], "everest.io/component": "member"}


def pods_of(cluster: Json, api: Api) -> List[Json]:
    selector = quote(",".join(f"{key}={value}" for key, value in member_labels(cluster).items()))
    return (api.call("GET", f"pods?labelSelector={selector}") or {}).get("items", [])


def histories_of(cluster: Json, api: Api) -> Dict[str, History]:
    told = {pod["metadata"]["name"]: told_by(pod) for pod in pods_of(cluster, api)}
    return {name: history for name, history in told.items() if history}


def told_by(pod: Json) -> Optional[History]:
    """None for what an earlier container of the same Pod told: its data may have become newer since."""
    text = pod["metadata"].get("annotations", {}).get(HISTORY)
    if not text:
        return None
    timeline, primary, at = json.loads(text)
    return History(timeline, primary) if is_of_this_life(pod, at) else None


def is_of_this_life(pod: Json, at: str) -> bool:
    """Of the container that runs now, and not of an earlier one in the same Pod."""
    states = [state for status in pod.get("status", {}).get("containerStatuses", []) if status["name"] == CONTAINER
              for state in (*status.get("state", {}).values(), *status.get("lastState", {}).values())]
    return not any(state.get(key, "") > at for state in states for key in ("startedAt", "finishedAt"))


# ---- SCRAM-SHA-256 (RFC 5802, RFC 7677)

def verifier(password: str, salt: bytes, iterations: int) -> str:
    """The text that PostgreSQL keeps in pg_authid.rolpassword."""
    salted = hashlib.pbkdf2_hmac("sha256", prepare(password).encode(), salt, iterations)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    texts = [base64.b64encode(part).decode() for part in (salt, stored, server)]
    return f"SCRAM-SHA-256${iterations}:{texts[0]}${texts[1]}:{texts[2]}"


def prepare(password: str) -> str:
    """SASLprep (RFC 4013) as PostgreSQL does it: a text that the profile refuses is taken unchanged."""
    if password.isascii():
        return password
    kept = (" " if stringprep.in_table_c12(c) else c for c in password if not stringprep.in_table_b1(c))
    normal = unicodedata.normalize("NFKC", "".join(kept))
    refused = any(stringprep.in_table_c21_c22(c) or stringprep.in_table_a1(c) for c in normal)
    return password if refused or not normal else normal


def matches(stored: str, password: str) -> bool:
    found = re.match(r"SCRAM-SHA-256\$(\d+):([A-Za-z0-9+/=]+)\$", stored)
    return bool(found) and verifier(password, base64.b64decode(found[2]), int(found[1])) == stored


# ---- database

def driver() -> Any:
    try:
        import psycopg
        return psycopg
    except ImportError:
        import psycopg2  # what the Patroni packages of Debian and of the vendors bring
        return psycopg2


class Database:
    """A local superuser connection; peer authentication, so no password is involved."""

    def __init__(self, cluster: Json, name: str = "postgres") -> None:
        self.connection = driver().connect(host=cluster["socketDirectory"], port=int(cluster.get("port", 5432)),
                                           user=roles_of(cluster)["superuser"], dbname=name, connect_timeout=5,
                                           # Also where the agent has stopped the writes of clients.
                                           options="-c default_transaction_read_only=off")
        self.connection.autocommit = True

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def run(self, statement: str) -> None:
        self.connection.cursor().execute(statement)

    def value(self, query: str, *parameters: str) -> Any:
        cursor = self.connection.cursor()
        cursor.execute(query, parameters or None)  # with an empty tuple a `%` in the text would be a placeholder
        row = cursor.fetchone()
        return row[0] if row else None


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def set_password(database: Database, role: str, password: str) -> None:
    fresh = verifier(password, secrets.token_bytes(16), SCRAM_ITERATIONS)
    database.run(f"ALTER ROLE {quoted(role)} PASSWORD '{fresh}'")


def create_owner(database: Database, owner: Json, wanted: Values) -> None:
    role = owner["role"]
    if database.value("SELECT 1 FROM pg_roles WHERE rolname = %s", role) is None:
        database.run(f"CREATE ROLE {quoted(role)} LOGIN")
    # A Secret that has outlived its cluster may name one of the logins that take turns.
    for login in (name for name in owner.get("logins", []) if name in wanted):
        if database.value("SELECT 1 FROM pg_roles WHERE rolname = %s", login) is None:
            database.run(f"CREATE ROLE {quoted(login)} LOGIN IN ROLE {quoted(role)}")
        database.run(f"ALTER ROLE {quoted(login)} SET role = {quoted(role)}")


def create_database(server: Database, name: str, owner: str) -> None:
    if server.value("SELECT 1 FROM pg_database WHERE datname = %s", name) is None:
        server.run(f"CREATE DATABASE {quoted(name)} OWNER {quoted(owner)}")
    server.run(f"REVOKE CONNECT, TEMPORARY ON DATABASE {quoted(name)} FROM PUBLIC")
    server.run(f"GRANT CONNECT, TEMPORARY ON DATABASE {quoted(name)} TO {quoted(owner)}")


def create_slots(server: Database, members: List[str]) -> None:
    """Patroni makes them only one loop_wait after bootstrap; till then a replica is Ready but does not stream."""
    for member in members:
        slot = member.lower().replace("-", "_").replace(".", "_")
        if server.value("SELECT 1 FROM pg_replication_slots WHERE slot_name = %s", slot) is None:
            server.value("SELECT pg_create_physical_replication_slot(%s)", slot)


def align_passwords(database: Database, wanted: Values) -> List[str]:
    """Changes only what differs; a role that is not there was dropped by somebody, and stays so."""
    changed = []
    for role, password in wanted.items():
        stored = database.value("SELECT coalesce(rolpassword, '') FROM pg_authid WHERE rolname = %s", role)
        if stored is not None and not matches(stored, password):
            set_password(database, role, password)
            changed.append(role)
    return changed


def ensure_pooler(server: Database, cluster: Json, wanted: Values) -> None:
    """A role that may look up password hashes of login roles, and nothing else; poolers can then come at any time."""
    role = cluster["credentials"].get("pooler", {}).get("role")
    if role not in wanted or server.value("SELECT 1 FROM pg_roles WHERE rolname = %s", role):
        return
    server.run(f"CREATE ROLE {quoted(role)} LOGIN")
    server.run("CREATE SCHEMA IF NOT EXISTS everest")
    server.run("CREATE OR REPLACE FUNCTION everest.pooler_lookup(wanted text, OUT name text, OUT verifier text) RETURNS SETOF record"
               " LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$"
               " SELECT rolname, rolpassword FROM pg_authid WHERE rolname = wanted AND rolcanlogin AND NOT rolsuper"
               " AND NOT rolreplication AND (rolvaliduntil IS NULL OR rolvaliduntil > now()) $$")
    server.run("REVOKE ALL ON FUNCTION everest.pooler_lookup(text) FROM PUBLIC")
    server.run(f"GRANT USAGE ON SCHEMA everest TO {quoted(role)}")
    server.run(f"GRANT EXECUTE ON FUNCTION everest.pooler_lookup(text) TO {quoted(role)}")


def ensure_agent(server: Database, cluster: Json, wanted: Values) -> None:
    """A superuser for the agent; pg_hba keeps it out while the cluster names none."""
    role = cluster["credentials"].get("agent", {}).get("role")
    if role in wanted and server.value("SELECT 1 FROM pg_roles WHERE rolname = %s", role) is None:
        server.run(f"CREATE ROLE {quoted(role)} SUPERUSER LOGIN")


def until_aligned(cluster: Json, wanted: Values) -> List[str]:
    """A promoted server is in recovery a moment longer. Patroni ends this process when the role changes again."""
    for delay in delays():
        try:
            with Database(cluster) as database:
                if not database.value("SELECT pg_is_in_recovery()"):
                    ensure_pooler(database, cluster, wanted)
                    ensure_agent(database, cluster, wanted)
                    return align_passwords(database, wanted)
        except driver().OperationalError:
            pass
        time.sleep(delay)
    raise AssertionError("delays() never ends")


# ---- pgBackRest

class Repository(NamedTuple):
    """What `pgbackrest info` tells of one repository."""
    key: int
    storage: str
    status: int  # 0 there are backups, 1 nothing is there, 2 no backup yet, 3 a part is missing, 99 it cannot be read
    problem: str
    system: str  # identifier of the cluster that writes to it, or ""

    def readable(self) -> Repository:
        if self.status not in (0, 1, 2):
            raise NotYet(f"{self.storage} cannot be read: {self.problem}; waiting.")
        return self


def pgbackrest(arguments: List[str], environment: Optional[Values] = None) -> str:
    return pgbackrest_bytes(arguments, environment).decode(errors="replace")


def pgbackrest_bytes(arguments: List[str], environment: Optional[Values] = None) -> bytes:
    """The standard output of a command that answers soon."""
    command = ["pgbackrest", f"--io-timeout={SILENCE_S}", *arguments]
    try:
        done = subprocess.run(command, env={**os.environ, **(environment or {})}, capture_output=True, timeout=ANSWER_S, check=False)
    except subprocess.TimeoutExpired as problem:
        raise NotYet(f"pgbackrest {arguments[-1]} has not answered in {ANSWER_S:.0f} s: the storage is slow or away; waiting.") from problem
    if done.returncode != 0:
        raise NotYet(f"pgbackrest {arguments[-1]} ended with {done.returncode}: {first_line(done.stderr or done.stdout)}; waiting.")
    return done.stdout


def first_line(text: bytes) -> str:
    """Of an answer that may hold anything, such as a file that was decrypted with a wrong pass."""
    line = next((line for line in text.decode(errors="replace").splitlines() if line.strip()), "no reason given")
    return "".join(c for c in re.sub(r"^.*?ERROR: ", "", line) if c.isprintable())[:300]


def repositories(cluster: Json) -> List[Repository]:
    backup = cluster["backup"]
    stanzas = json.loads(pgbackrest([f"--stanza={backup['stanza']}", "--output=json", "info"]))
    states = {item["key"]: item["status"] for stanza in stanzas for item in stanza["repo"]}
    systems = {item["repo-key"]: str(item["system-id"]) for stanza in stanzas for item in stanza["db"]}  # the last one counts
    return [Repository(item["key"], item["storage"], states[item["key"]]["code"],
                       first_line(states[item["key"]]["message"].encode()), systems.get(item["key"], ""))
            for item in backup["repositories"]]


def write_private(name: str, text: str) -> None:
    """Whole or not at all, since others read it meanwhile."""
    os.makedirs(BACKUP_DIR, mode=0o700, exist_ok=True)
    path = f"{BACKUP_DIR}/{name}"
    staged = f"{path}.{os.getpid()}"
    with open(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(staged, path)


def repository_values(api: Api, repository: Json) -> Values:
    """Options by name; what has to be a file is written as one."""
    prefix = f"repo{repository['key']}-"
    for item in repository["files"]:
        write_private(prefix + item["option"], value_in(api, item["resource"], item["name"], item["key"]) + "\n")
    values = secret_values(api, repository)
    if "storage-ca-file" in values:
        write_private(prefix + "storage-ca-file", values["storage-ca-file"] + "\n")
        values["storage-ca-file"] = f"{BACKUP_DIR}/{prefix}storage-ca-file"
    return {prefix + option: value for option, value in values.items()}


def settle_pass(api: Api, repository: Json) -> Values:
    """The pass of an encrypted repository. A new one is only made for a repository that is seen to be empty."""
    wanted = repository.get("pass")
    if not wanted:
        return {}
    option = f"repo{repository['key']}-cipher-pass"
    if not wanted["generate"]:
        return {option: value_in(api, "secrets", wanted["secret"], wanted["key"])}
    spec = SecretSpec(wanted["secret"], True, [wanted["key"]], lambda have: new_pass(repository, have))
    return {option: settle_secret(api, spec)[wanted["key"]]}


def new_pass(repository: Json, have: Values) -> Values:
    wanted, key = repository["pass"], repository["key"]
    if have.get(wanted["key"]):
        return {}
    if pgbackrest([f"--repo={key}", "repo-ls"], {f"PGBACKREST_REPO{key}_CIPHER_TYPE": "none"}).strip():
        raise NotYet(f"Secret {wanted['secret']} has no pass under {wanted['key']}, and {repository['storage']} is not empty: with another "
                     "pass nothing in it could be read. Put the pass back from your copy, or name another prefix; waiting.")
    log(f"{repository['storage']} is empty; making its pass. Keep a copy of Secret {wanted['secret']} elsewhere.")
    return {wanted["key"]: random_password()}


def configure_backup(cluster: Json, api: Api) -> None:
    """Writes what pgbackrest.conf must not hold. Access comes first: by it the repository is seen to be empty or not."""
    access: Values = {}
    for repository in cluster["backup"]["repositories"]:
        access.update(repository_values(api, repository))
    generates = any((item.get("pass") or {}).get("generate") for item in cluster["backup"]["repositories"])
    if generates and not os.path.exists(f"{BACKUP_DIR}/secrets.conf"):
        write_settings(access)
    for repository in cluster["backup"]["repositories"]:
        access.update(settle_pass(api, repository))
    write_settings(access)


def write_settings(values: Values) -> None:
    """And on each backup, for which processors it is: a recovery elsewhere would only find out when PostgreSQL starts."""
    secrets_of = "".join(f"{option}={value}\n" for option, value in values.items())
    write_private("secrets.conf", f"[global]\n{secrets_of}[global:backup]\nannotation={ARCHITECTURE}={platform.machine()}\n")


def noted_repositories(cluster: Json, api: Api) -> Json:
    found = api.call("GET", f"configmaps/{cluster['name']}-config")
    return json.loads(((found or {}).get("metadata", {}).get("annotations") or {}).get(REPOSITORIES) or "{}")


def note_repositories(cluster: Json, api: Api, notes: Json) -> None:
    if notes != noted_repositories(cluster, api):
        api.call("PATCH", f"configmaps/{cluster['name']}-config", {"metadata": {"annotations": {REPOSITORIES: json.dumps(notes)}}})


def note_lost(cluster: Json, api: Api, missing: List[Repository]) -> bool:
    """Noted before the archive begins anew where it was, so that this is never done in silence: the agent carries it."""
    notes, lost = noted_repositories(cluster, api), False
    for state in missing:
        note = notes.get(str(state.key), {})
        if note.get("storage") != state.storage:
            continue  # it is new, as declared
        lost = True
        if note.get("lostAt", "") <= note["begunAt"]:  # else this is another try
            note["lostAt"] = utc()
            log(f"the repository in {state.storage} is empty, and this cluster had begun it: what was there is lost; beginning anew")
    note_repositories(cluster, api, notes)
    return lost


def note_begun(cluster: Json, api: Api, states: List[Repository]) -> None:
    notes = noted_repositories(cluster, api)
    for state in states:
        known = notes.get(str(state.key), {})
        if known.get("storage") != state.storage:
            notes[str(state.key)] = {"storage": state.storage, "begunAt": utc()}
        elif state.status == 1:
            notes[str(state.key)] = {**known, "begunAt": utc()}
    note_repositories(cluster, api, notes)


def send_histories_again(cluster: Json) -> None:
    """Of the timelines before this one: without them nobody can tell what the new archive leads to."""
    status = f"{cluster['dataDirectory']}/pg_wal/archive_status"
    for name in os.listdir(status) if os.path.isdir(status) else []:
        if re.match(r"[0-9A-F]{8}\.history\.done$", name):
            os.rename(f"{status}/{name}", f"{status}/{name[:-len('done')]}ready")


def lost_before(cluster: Json, api: Api) -> bool:
    return any("lostAt" in note for note in noted_repositories(cluster, api).values())


def ensure_stanza(cluster: Json, api: Api) -> bool:
    """On a primary. The path belongs to whoever has made the stanza; another one's is never taken over unasked.

    True where a repository has begun anew because all that was in it is gone.
    """
    with Database(cluster) as server:
        if server.value("SELECT pg_is_in_recovery()"):
            return False
        own = str(server.value("SELECT system_identifier FROM pg_control_system()"))
    backup, states = cluster["backup"], [repository.readable() for repository in repositories(cluster)]
    for state in states:
        if state.system not in ("", own, backup.get("superseding")):
            raise NotYet(f"{state.storage} belongs to the cluster {state.system}, and this one is {own}: nothing is archived. "
                         "Name another prefix for one of them; waiting.")
    stanza = f"--stanza={backup['stanza']}"
    missing = [state for state in states if state.status == 1]
    lost = note_lost(cluster, api, missing)
    if missing:
        pgbackrest([stanza, "stanza-create"])
        log(f"the repository in {', '.join(state.storage for state in missing)} is new: there is no backup in it")
    elif any(state.system != own for state in states):
        pgbackrest([stanza, "stanza-upgrade"])
    if lost:
        send_histories_again(cluster)
    note_begun(cluster, api, states)
    return lost


def prepare_archive(cluster: Json, api: Api) -> None:
    configure_backup(cluster, api)
    try:
        if ensure_stanza(cluster, api):
            begin_first_backup()
    except driver().OperationalError as problem:
        raise NotYet("the server does not take connections yet; waiting.") from problem


def begin_first_backup() -> None:
    """In a session of its own: Patroni ends its callbacks when the role changes again, and archive_command is given 40 s."""
    subprocess.Popen([sys.executable, __file__, "first-backup"], start_new_session=True)


def check_beginning(cluster: Json, api: Api) -> None:
    """A cluster without data must not begin anew where its backups are: that is a disaster, and not a first start."""
    if has_data(cluster) or is_initialized(cluster, api):
        return
    configure_backup(cluster, api)
    for state in repositories(cluster):
        # WAL that was sent there between the declaration of a restore in place and its begin is no backup.
        if state.readable().status == 2 and cluster.get("replacement"):
            continue
        if state.status != 1 and state.system != cluster["backup"].get("superseding"):
            raise NotYet(f"no member of {cluster['name']} has data, but {state.storage} holds the archive of the cluster {state.system}; not "
                         "beginning anew over it. Bring the volumes back or recover from it; to give it up, declare "
                         f"Bootstrap.fresh('{state.system}'); waiting.")


def usable_backups(cluster: Json, api: Api) -> List[Repository]:
    """Of this very cluster: the data of another one would be worthless here."""
    configure_backup(cluster, api)
    own = system_of(cluster, api)
    return [state for state in repositories(cluster) if state.status == 0 and state.system == own]


def is_initialized(cluster: Json, api: Api) -> bool:
    return bool(leader_of(cluster, api) or system_of(cluster, api))


def system_of(cluster: Json, api: Api) -> str:
    """System identifier of the living cluster, as Patroni keeps it."""
    found = api.call("GET", f"configmaps/{cluster['name']}-config")
    return ((found or {}).get("metadata", {}).get("annotations") or {}).get("initialize", "")


# ---- recovery

def has_data(cluster: Json) -> bool:
    return os.path.exists(f"{cluster['dataDirectory']}/PG_VERSION")


def beside(cluster: Json, name: str) -> str:
    return os.path.join(os.path.dirname(cluster["dataDirectory"]), name)


def unfinished(cluster: Json) -> Optional[Json]:
    """What a recovery is about that has not come to its end on this volume."""
    path = beside(cluster, UNFINISHED)
    return json.loads(read(path)) if os.path.exists(path) else None


def begin_recovery(cluster: Json, goal: Json) -> None:
    """Noted before the first file is restored: what is there until the end is no data of this cluster."""
    tried = unfinished(cluster)
    attempts = tried["attempts"] + 1 if tried and tried["goal"] == goal else 1
    with open(beside(cluster, UNFINISHED), "w", encoding="utf-8") as file:
        json.dump({"goal": goal, "attempts": attempts}, file)
        file.flush()
        os.fsync(file.fileno())


def end_recovery(cluster: Json) -> None:
    shutil.rmtree(beside(cluster, RECOVERY_SPOOL), ignore_errors=True)
    os.remove(beside(cluster, UNFINISHED))
    drop_copy(cluster)


def discard_unfinished(cluster: Json) -> None:
    """A restore that was interrupted: Patroni would take it for data, and promote it short of its target."""
    if not unfinished(cluster):
        return
    for leftover in (cluster["dataDirectory"], f"{cluster['dataDirectory']}.failed"):
        if os.path.exists(leftover) and not keep_copy(cluster, leftover):
            log(f"a recovery did not come to its end; removing what it had restored in {leftover}")
            shutil.rmtree(leftover)


def snapshot_folder(cluster: Json) -> str:
    """Where the data of a snapshot wait that the first member's volume was made of; "" where none is declared."""
    snapshot = (cluster.get("recovery") or {}).get("snapshot")
    return beside(cluster, f"snapshot-{snapshot['name']}") if snapshot else ""


def keep_copy(cluster: Json, data: str) -> bool:
    """What was restored from a snapshot is there once: the next try goes on with it."""
    folder = snapshot_folder(cluster)
    place = f"{folder}/{os.path.basename(cluster['dataDirectory'])}"
    if not folder or not os.path.isdir(folder) or os.path.exists(place):
        return False
    os.rename(data, place)
    log("a recovery did not come to its end; the copy of the snapshot is kept for the next try")
    return True


def drop_copy(cluster: Json) -> None:
    """What is left of it, once the cluster has data of its own."""
    if snapshot_folder(cluster):
        shutil.rmtree(snapshot_folder(cluster), ignore_errors=True)


def adopt_volume(cluster: Json) -> None:
    """Another cluster's data are no data of this member, and must never be started."""
    if os.path.exists(beside(cluster, SNAPSHOT_MARK)):
        done = subprocess.run([sys.executable, f"{CONFIG_DIR}/snapshot.py", "adopt"], stderr=subprocess.PIPE, check=False)
        if done.returncode != 0:
            raise NotYet(first_line(done.stderr).replace("everest: ", ""))
        log(first_line(done.stderr).replace("everest: ", ""))


def kept_folder(cluster: Json, kind: str = "before") -> str:
    return beside(cluster, f"{kind}-{cluster['replacement']['name']}")


def replacement_waits(cluster: Json) -> bool:
    """A restore in place, or its taking back, is declared, and this volume has not been through it."""
    wanted = cluster.get("replacement")
    if not wanted:
        return False
    if wanted["putBack"]:
        return os.path.exists(kept_folder(cluster))
    done = any(os.path.exists(kept_folder(cluster, kind)) for kind in ("before", "rejected", "accepted"))
    return not done and (has_data(cluster) or os.path.exists(kept_folder(cluster, "before-moving")))


def is_forgotten(cluster: Json, api: Api) -> bool:
    """The old cluster is no more, for this replacement: all members had stopped."""
    found = api.call("GET", f"configmaps/{cluster['name']}-config") or {"metadata": {}}
    return json.loads((found["metadata"].get("annotations") or {}).get(REPLACED) or "null") == cluster["replacement"]


def note_beginning(cluster: Json, api: Api) -> None:
    """A volume that is new in the restored cluster has nothing to set aside: its copy must not be taken for old data."""
    wanted = cluster.get("replacement")
    if wanted and not wanted["putBack"] and not has_data(cluster) and (is_forgotten(cluster, api) or not system_of(cluster, api)):
        os.makedirs(kept_folder(cluster), mode=0o700, exist_ok=True)


def recover(cluster: Json) -> None:
    own = {f"EVEREST_OWN_{name}": os.environ[name] for name in RECOVERY}
    os.environ.update({**own, **RECOVERY})
    os.makedirs(RECOVERY["PGBACKREST_CONFIG_INCLUDE_PATH"], mode=0o700, exist_ok=True)
    os.execvp("python3", ["python3", f"{CONFIG_DIR}/recovery.py", "start"])


def take_passwords(server: Database, wanted: Values) -> List[str]:
    """Of the source's roles that this cluster does not declare: a copy must not open with another cluster's passwords."""
    cursor = server.connection.cursor()
    cursor.execute("SELECT rolname FROM pg_authid WHERE rolcanlogin AND rolpassword IS NOT NULL")
    names = sorted(name for (name,) in cursor.fetchall() if name not in wanted)
    for name in names:
        server.run(f"ALTER ROLE {quoted(name)} PASSWORD NULL")
    return names


def first_backup(cluster: Json, api: Api) -> int:
    """Until there is one, or another member leads. Jobs and this keep out of each other's way by pgBackRest's own lock."""
    def missing() -> List[Repository]:
        return [state for state in repositories(cluster) if state.readable().status == 2]

    while leads():
        seen: List[Repository] = []
        if once(lambda: seen.extend(missing())):
            if not seen:
                return 0
            command = ["pgbackrest", f"--stanza={cluster['backup']['stanza']}", f"--repo={seen[0].key}", "--type=full", "backup"]
            log(f"making the first full backup in {seen[0].storage}")
            if subprocess.run(command, check=False).returncode == 0:
                log("the first full backup is made")
                continue
        time.sleep(FIRST_BACKUP_PAUSE_S)
    return 1


# ---- a cluster that follows another one

def source_of(cluster: Json) -> Json:
    return (cluster.get("standby") or {}).get("repository") or {}


def prepare_source() -> bool:
    """In an environment of its own, so that its files lie apart from those of the cluster's own repositories."""
    command = [sys.executable, f"{CONFIG_DIR}/recovery.py", "prepare-source"]
    return subprocess.run(command, env={**os.environ, **RECOVERY}, check=False).returncode == 0


def create_standby(cluster: Json, api: Api) -> int:
    """The newest backup of the cluster that is followed; Patroni tries again, or streams a copy where it has a host."""
    repository, standby = source_of(cluster), cluster.get("standby") or {}
    if not repository or not prepare_source():
        return 1
    os.makedirs(cluster["dataDirectory"], mode=0o700, exist_ok=True)
    wal = cluster.get("walDirectory")
    links = [f"--link-map=pg_wal={wal}"] if wal else []
    log(f"copying the newest backup of {repository['storage']}")
    command = ["pgbackrest", f"--stanza={standby['stanza']}", "--delta", "--type=none", *links, "restore"]
    os.execvpe("pgbackrest", command, {**os.environ, **RECOVERY})
    raise AssertionError("exec never returns")


class LastWords(NamedTuple):
    """The file in which a demoted primary had stopped, and up to where it is written; none at the border of two files."""
    file: Optional[str]
    lsn: str


def was_primary(cluster: Json) -> str:
    """Where a primary notes its timeline: what it wrote last has to reach the archive when it is demoted."""
    return os.path.join(os.path.dirname(cluster["dataDirectory"]), "primary-timeline")


def note_primary(cluster: Json) -> None:
    try:
        with Database(cluster) as server:
            timeline = server.value("SELECT substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)")
        with open(was_primary(cluster), "w", encoding="utf-8") as file:
            file.write(timeline)
    except driver().Error as problem:
        raise NotYet("the server does not take connections yet; waiting.") from problem


def last_words(cluster: Json) -> Optional[LastWords]:
    """None where this member did not write the timeline itself."""
    if not os.path.exists(was_primary(cluster)):
        return None
    with Database(cluster) as server:
        lsn = server.value("SELECT pg_last_wal_replay_lsn()::text")
        time.sleep(REPLAY_PAUSE_S)
        if not lsn or server.value("SELECT pg_last_wal_replay_lsn()::text") != lsn:
            raise NotYet("what this member had written as a primary is still being replayed; waiting.")
        if int(server.value("SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'")) > 0:
            raise NotYet("files that this member had written as a primary are still being archived; waiting.")
        timeline = int(server.value("SELECT timeline_id FROM pg_control_checkpoint()"))
        size = int(server.value("SELECT setting FROM pg_settings WHERE name = 'wal_segment_size'"))
    high, low = (int(part, 16) for part in lsn.split("/"))
    path = f"{cluster['dataDirectory']}/pg_wal/{timeline:08X}{high:08X}{low // size:08X}"
    return LastWords(path if low % size else None, lsn) if read(was_primary(cluster)) == f"{timeline:08X}" else None


def hand_in_last_words(cluster: Json) -> None:
    """Patroni demotes by an immediate shutdown, in the middle of a file that nobody would ever fill and archive.

    The cluster that takes over reads the archive, and has to have every commit before it is promoted.
    """
    try:
        words = last_words(cluster)
    except driver().OperationalError as problem:
        raise NotYet("the server does not take connections yet; waiting.") from problem
    if words and words.file:
        pgbackrest([f"--stanza={cluster['backup']['stanza']}", "--no-archive-async", "archive-push", words.file])
    if words:
        os.remove(was_primary(cluster))
        log(f"all that was committed here is in the archive, up to {words.lsn}")


# ---- before the Pod stops

def patroni(method: str, path: str, body: Optional[Json] = None, limit_s: float = 2.0) -> Optional[Json]:
    """This member's own Patroni; None when it does not answer in time, or not in JSON."""
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ.get("EVEREST_PATRONI_PORT", "8008")), timeout=limit_s)
    try:
        connection.request(method, path, body and json.dumps(body), {"Content-Type": "application/json"})
        text = connection.getresponse().read().decode()
        return json.loads(text) if text.startswith("{") else {"answer": text}
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()


def leads() -> bool:
    """As a primary that Patroni looks after; while it is paused, a person does."""
    answer = patroni("GET", "/patroni") or {}
    return answer.get("role") in ("primary", "master") and answer.get("state") == "running" and not answer.get("pause")


def has_heir() -> bool:
    members = (patroni("GET", "/cluster") or {}).get("members", [])
    return any(item.get("state") == "streaming" and not item.get("tags", {}).get("nofailover") for item in members)


def is_leaving(api: Api) -> bool:
    """Only a Pod that is deleted in peace: with less time, or none, stopping at once is the faster way to a new primary.

    A Pod whose container is restarted in place stays, and a forced deletion leaves no object, or that of its successor.
    """
    try:
        metadata = (api.call("GET", f"pods/{os.environ['HOSTNAME']}") or {}).get("metadata", {})
    except (NotYet, Conflict):
        return False  # without the API Patroni cannot change the leader either
    return "deletionTimestamp" in metadata and metadata.get("deletionGracePeriodSeconds", 0) >= 2 * HAND_OVER_S


def waits_until(done: Callable[[], bool], limit_s: float) -> bool:
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        if done():
            return True
        time.sleep(HAND_OVER_LOOK_S)
    return False


# ---- subcommands

def hand_over(cluster: Json, api: Api) -> None:
    # Before a restore in place all members stop, and nobody is to take over.
    if replacement_waits(cluster) or not (leads() and is_leaving(api) and has_heir()):
        return
    # The agent lets clients of poolers wait meanwhile.
    if cluster.get("agent") and waits_until(lambda: not leads(), HAND_OVER_AGENT_S):
        return
    told = patroni("POST", "/switchover", {"leader": os.environ["HOSTNAME"]}, HAND_OVER_S - HAND_OVER_AGENT_S)
    log(f"handing over before the stop: {(told or {}).get('answer', 'no answer')}")


def own_data(cluster: Json) -> int:
    """Waits until no other container has the data of this member; the lock ends with Patroni, whose process this becomes.

    A Pod that is deleted by force has a successor on the same node, with the same volume, while its own containers still
    run. PostgreSQL's protection against two servers on one folder cannot see into another container.
    """
    if LOCKED in os.environ:
        return int(os.environ[LOCKED])  # this process has it already, from before a restore in place
    folder = os.path.dirname(cluster["dataDirectory"])
    lock = os.open(os.path.join(folder, "member.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    os.set_inheritable(lock, True)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        log("another container still runs on this data; waiting for its end")
        fcntl.flock(lock, fcntl.LOCK_EX)
    os.environ[LOCKED] = str(lock)
    return lock


def forget_predecessor(api: Api) -> None:
    """The last words of a Pod that was deleted by force go to the object of its successor, which has its name.

    Patroni would ask at that address for 6 s whether somebody else has this name (`ensure_unique_name`).
    """
    path = f"pods/{os.environ['HOSTNAME']}"
    pod = api.call("GET", path) or {}
    told, address = pod.get("metadata", {}).get("annotations", {}).get("status", ""), pod.get("status", {}).get("podIP")
    if told and address and f"//{address}:" not in told:
        api.call("PATCH", path, {"metadata": {"uid": pod["metadata"].get("uid"), "annotations": {"status": None}}})


def start(cluster: Json, api: Api) -> None:
    own_data(cluster)
    once(lambda: forget_predecessor(api))
    for owner in cluster.get("owners", []):
        until_settled(api, owner_spec(owner))
    values = until_settled(api, credentials_spec(cluster))
    for kind, key in cluster["credentials"]["keys"].items():
        os.environ[f"PATRONI_{kind.upper()}_PASSWORD"] = values[key]
        if kind not in roles_of(cluster):  # restapi: Patroni and patronictl want both or neither
            os.environ[f"PATRONI_{kind.upper()}_USERNAME"] = "everest"
    os.makedirs(BACKUP_DIR, mode=0o700, exist_ok=True)
    patiently(lambda: adopt_volume(cluster))
    discard_unfinished(cluster)
    if replacement_waits(cluster):
        os.execvp("python3", ["python3", f"{CONFIG_DIR}/recovery.py", "replace"])
    patiently(lambda: note_beginning(cluster, api))
    if cluster.get("backup"):
        once(lambda: configure_backup(cluster, api))  # a member with data never waits for its archive
    if source_of(cluster):
        prepare_source()
    take_turn(cluster, api)
    if cluster.get("backup") and "standby" not in cluster:
        patiently(lambda: check_beginning(cluster, api))
    if cluster.get("recovery") and not has_data(cluster):
        recover(cluster)
    # A folder: files of later names add to earlier ones, so that groups of members can differ.
    os.execvp("patroni", ["patroni", f"{CONFIG_DIR}/patroni"])


def post_bootstrap(cluster: Json, api: Api) -> None:
    started = time.monotonic()
    patiently(lambda: check_alone(cluster, api, time.monotonic() - started), TURN_DELAY_S)
    wanted = wanted_passwords(cluster, api)
    recovered = unfinished(cluster) is not None
    with Database(cluster, "template1") as template:
        # PostgreSQL 14 and older let everybody create objects there; new databases copy this one.
        template.run("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    with Database(cluster) as server:
        server.run("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        for owner in cluster.get("owners", []):
            create_owner(server, owner, wanted)
        for item in cluster.get("databases", []):
            create_database(server, item["name"], item["owner"])
        ensure_pooler(server, cluster, wanted)
        ensure_agent(server, cluster, wanted)
        align_passwords(server, wanted)
        if recovered and not cluster["recovery"]["keepPasswords"]:
            taken = take_passwords(server, wanted)
            log(f"roles that are not declared have no password any more: {', '.join(taken) or 'there are none'}")
        create_slots(server, [name for name in cluster["members"] if name != os.environ["HOSTNAME"]])
    for item in cluster.get("databases", []):
        with Database(cluster, item["name"]) as database:
            database.run("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
            database.run(f"ALTER SCHEMA public OWNER TO {quoted(item['owner'])}")
    if recovered:
        end_recovery(cluster)


def callback(cluster: Json, api: Api) -> None:
    if sys.argv[3] not in ("primary", "master"):
        # Patroni knows at once; the files of the ConfigMap come a minute later.
        if cluster.get("backup") and (patroni("GET", "/config") or {}).get("standby_cluster"):
            patiently(lambda: hand_in_last_words(cluster))
        return
    changed = until_aligned(cluster, wanted_passwords(cluster, api))
    if changed:
        log(f"passwords of {', '.join(changed)} now follow their Secrets")
    once(lambda: note_primary(cluster))
    if replacement_waits(cluster):
        return  # what is declared is the repository of the data that will come
    if cluster.get("backup"):
        patiently(lambda: prepare_archive(cluster, api))
    # Another member may have begun it, and not have come to its end.
    if cluster.get("backup") and (cluster.get("recovery") or patiently(lambda: lost_before(cluster, api))):
        begin_first_backup()


def archive_once(cluster: Json, api: Api) -> int:
    return 0 if cluster.get("backup") and not replacement_waits(cluster) and once(lambda: prepare_archive(cluster, api)) else 1


def create_replica(cluster: Json, api: Api) -> int:
    """Any other end than success lets Patroni copy the primary: the archive is a relief, never a condition."""
    if unfinished(cluster):
        end_recovery(cluster)  # another member has brought the first data, and what comes now is a copy of them
    drop_copy(cluster)
    usable: List[Repository] = []
    if cluster.get("backup") and "standby" not in cluster and not replacement_waits(cluster):
        once(lambda: usable.extend(usable_backups(cluster, api)))
    if not usable:
        return 1
    os.makedirs(cluster["dataDirectory"], mode=0o700, exist_ok=True)
    log(f"copying the newest backup of {usable[0].storage}")
    os.execvp("pgbackrest", ["pgbackrest", f"--stanza={cluster['backup']['stanza']}", f"--repo={usable[0].key}", "--delta", "--type=none", "restore"])
    raise AssertionError("exec never returns")


def main(arguments: List[str]) -> int:
    command = arguments[0] if arguments else ""
    commands: Dict[str, Callable[[Json, Api], Optional[int]]] = {
        "start": start, "post-bootstrap": post_bootstrap, "callback": callback, "hand-over": hand_over,
        "prepare-archive": archive_once, "create-replica": create_replica, "first-backup": first_backup,
        "create-standby": create_standby,
    }
    if command not in commands:
        print(__doc__, file=sys.stderr)
        return 2
    cluster, api = json.loads(read(f"{CONFIG_DIR}/cluster.json")), Api.in_cluster()
    return commands[command](cluster, api) or 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
