"""Rotation of passwords in a Galera cluster: two users take turns, and the Secret says whose turn it is.

What is next is decided as the agent decides it for PostgreSQL (agent/src/decide/password.ts); the cases in
test/support/rotation-cases.json hold for both. A step changes the server first and the Secret then, so that what stands in
the Secret always logs in.
"""
from __future__ import annotations

import base64
import time
from calendar import timegm
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Set, Tuple

from galera_sql import SqlError
from galera_users import Declared, Users, account, login_in_use, more_than_declared, uris
from kube import Api, Conflict, NotYet, Unanswered, Values, decoded, log, random_password, utc

# A person asks for a rotation, with any value; when the password was last replaced (src/contract/declared-sql.ts).
REQUEST, ROTATED_AT = "everest.io/rotate", "everest.io/rotated-at"
# How long the others may take to a new password: clients log in to them as well.
APPLY_LIMIT_S = 10.0
# Stamp, rotate, and two users to retire; more would be a circle.
MOST_STEPS = 4

Json = Dict[str, Any]
Step = Tuple[str, Optional[str]]


class RoleSecret(NamedTuple):
    values: Values
    annotations: Dict[str, str]
    version: str


def read_secret(api: Api, name: str) -> RoleSecret:
    secret = api.call("GET", f"secrets/{name}")
    if secret is None:
        raise NotYet(f"Secret {name} does not exist; apply it, waiting.")
    return RoleSecret(decoded(secret), secret["metadata"].get("annotations") or {}, secret["metadata"]["resourceVersion"])


def rotated_at(secret: RoleSecret) -> Optional[float]:
    """None: nobody knows."""
    try:
        return float(timegm(time.strptime(secret.annotations.get(ROTATED_AT, "")[:19], "%Y-%m-%dT%H:%M:%S")))
    except ValueError:
        return None


def next_rotation(role: Json, secret: RoleSecret) -> Optional[float]:
    last, every = rotated_at(secret), role["rotation"].get("everySeconds")
    return None if last is None or every is None else last + every


def next_step(role: Json, secret: RoleSecret, usable: Set[str], now: float) -> Step:
    """One step; after it is done, the next is asked for with what is then the case. `usable`: users that may log in."""
    in_use, last, due = login_in_use(role, secret.values), rotated_at(secret), next_rotation(role, secret)
    if REQUEST in secret.annotations or (due is not None and now >= due):
        return "rotate", next(login for login in role["logins"] if login != in_use)
    if last is None:
        return "stamp", None
    # The one before keeps its password for a while; whatever is older goes.
    older = [login for login in [*role["logins"], role["role"]] if login != in_use and login in usable]
    over = now >= last + role["rotation"].get("oldValidForSeconds", float("inf"))
    ended = older if over else older[1:]
    return ("retire", ended[0]) if in_use != role["role"] and ended else ("none", None)


class Rotation:
    def __init__(self, users: Users, may_act: Callable[[], bool], behind: Callable[[int, float], List[str]]) -> None:
        """`behind`: members that clients may log in to, and that have not told a position so high since that time."""
        self.users, self.may_act, self.behind = users, may_act, behind
        self.problems: List[Json] = []
        self.logins: List[Json] = []

    def look(self, declared: Declared, api: Api) -> None:
        problems, logins = [], []
        for role in declared.roles:
            try:
                logins.append(self.keep(role, declared, api))
            except (Conflict, Unanswered):
                # Somebody has changed the Secret meanwhile, or nobody knows; the next look begins anew.
                return
            except (NotYet, SqlError) as problem:
                problems.append({"what": f"password of {role['role']}", "why": str(problem)})
        self.problems, self.logins = problems, logins

    def keep(self, role: Json, declared: Declared, api: Api) -> Json:
        told: Json = {"role": role["role"], "login": declared.login_of(role), "secret": role["secret"]}
        for _ in range(MOST_STEPS if "rotation" in role else 0):
            secret = read_secret(api, role["secret"])
            told.update(login=login_in_use(role, secret.values), rotatedAt=utc_if(rotated_at(secret)), nextRotation=utc_if(next_rotation(role, secret)))
            users = [role["role"], *role["logins"]]
            if not self.may_act() or any(more_than_declared(self.users.grants_of(user) or {}) for user in users):
                break
            usable = {user for user in users if self.users.usable(user)}
            kind, login = next_step(role, secret, usable, time.time())
            if kind == "none":
                break
            log(f"password of {role['role']}: {kind} {login or ''}".rstrip())
            self.do(kind, login, role, secret, declared, api)
        return told

    def do(self, kind: str, login: Optional[str], role: Json, secret: RoleSecret, declared: Declared, api: Api) -> None:
        if kind == "retire":
            self.users.sql.change(f"ALTER USER {account(login)} ACCOUNT LOCK")
            return
        values: Values = {}
        if kind == "rotate":
            values = self.rotate(login, role, secret, declared)
        data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
        annotations = {ROTATED_AT: utc(), **({REQUEST: None} if values else {})}
        api.call("PATCH", f"secrets/{role['secret']}",
                 {"metadata": {"resourceVersion": secret.version, "annotations": annotations}, "data": data})

    def rotate(self, login: str, role: Json, secret: RoleSecret, declared: Declared) -> Values:
        """The other user with a new password, known to every member; what the Secret is to hold then."""
        has = self.users.grants_of(login)
        if has is None:
            raise NotYet(f"the user {login} is not there, so the password is not rotated")
        self.users.ensure_grants(login, role, declared.databases, has)
        password = random_password()
        self.users.set_password(login, password)
        self.until_applied()
        if not self.may_act():
            raise NotYet("the password is not switched: another member takes the writes now")
        return {"user": login, "password": password, **uris({**role["connection"], **secret.values, "user": login, "password": password})}

    def until_applied(self) -> None:
        started = time.monotonic()
        seqno = int(self.users.sql.rows("SHOW GLOBAL STATUS LIKE 'wsrep\\_last\\_committed'")[0][1])
        while True:
            behind = self.behind(seqno, started)
            if not behind:
                return
            if time.monotonic() - started > APPLY_LIMIT_S:
                raise NotYet(f"the password is not switched: {', '.join(behind)} would refuse it")
            time.sleep(0.1)


def utc_if(seconds: Optional[float]) -> Optional[str]:
    return None if seconds is None else utc(seconds)
