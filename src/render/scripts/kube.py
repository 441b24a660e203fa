"""What the scripts of members need of Kubernetes: its API by the Pod's own token, Secrets that are filled once, and patience.

Git holds the Secrets empty, so `get` and `patch` on exact names are all the rights that this needs. Nothing here logs a secret.
"""
from __future__ import annotations

import base64
import http.client
import json
import os
import re
import secrets
import ssl
import string
import sys
import time
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, TypeVar

ACCOUNT_DIR = "/var/run/secrets/kubernetes.io/serviceaccount"
FIRST_DELAY_S, LONGEST_DELAY_S, API_TIMEOUT_S = 0.1, 5.0, 5.0

Json = Dict[str, Any]
Values = Dict[str, str]
T = TypeVar("T")


class NotYet(Exception):
    """Something outside has to change first; the text says what, in one sentence, and is safe to log."""


class Unanswered(NotYet):
    """Nothing is known."""


class Conflict(Exception):
    """Somebody else changed the object since it was read."""


def log(text: str) -> None:
    print(f"everest: {text}", file=sys.stderr, flush=True)


def read(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read().strip()


def delays(longest: float = LONGEST_DELAY_S) -> Iterator[float]:
    delay = FIRST_DELAY_S
    while True:
        yield delay
        delay = min(delay * 1.5, longest)


def patiently(attempt: Callable[[], T], longest_delay: float = LONGEST_DELAY_S) -> T:
    """Repeats the attempt until nothing is in its way, and says what is, once per reason."""
    said = ""
    for delay in delays(longest_delay):
        try:
            return attempt()
        except Conflict:
            pass
        except NotYet as problem:
            if str(problem) != said:
                said = str(problem)
                log(said)
        time.sleep(delay)
    raise AssertionError("delays() never ends")


def once(attempt: Callable[[], object]) -> bool:
    """Where waiting is worse than going without: whether it was done; if not, says why."""
    try:
        attempt()
        return True
    except Conflict:
        return False
    except NotYet as problem:
        log(str(problem).replace("; waiting.", "."))
        return False


class Api:
    """The rights of a member's Role, over one connection that is opened again when it breaks."""

    def __init__(self, connection: http.client.HTTPConnection, namespace: str, token_file: str) -> None:
        self.connection, self.namespace, self.token_file = connection, namespace, token_file

    @staticmethod
    def in_cluster() -> Api:
        # Below the postmaster (archive_command) these variables are gone: Patroni takes them away.
        host, port = os.environ.get("KUBERNETES_SERVICE_HOST", "kubernetes.default.svc"), int(os.environ.get("KUBERNETES_SERVICE_PORT", "443"))
        context = ssl.create_default_context(cafile=f"{ACCOUNT_DIR}/ca.crt")
        connection = http.client.HTTPSConnection(host, port, timeout=API_TIMEOUT_S, context=context)
        return Api(connection, read(f"{ACCOUNT_DIR}/namespace"), f"{ACCOUNT_DIR}/token")

    def call(self, method: str, path: str, body: Optional[Json] = None, group: str = "api/v1") -> Optional[Json]:
        """`path` is within the namespace; nothing there gives None."""
        # The token is read each time because the kubelet renews it.
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        headers = {"Authorization": f"Bearer {read(self.token_file)}", "Content-Type": kind}
        text = None if body is None else json.dumps(body)
        try:
            self.connection.request(method, f"/{group}/namespaces/{self.namespace}/{path}", text, headers)
            response = self.connection.getresponse()
            return answer_of(response.status, response.read(), f"{method} {path}")
        except (OSError, http.client.HTTPException, ValueError) as problem:
            self.connection.close()
            raise Unanswered(f"the Kubernetes API does not answer ({type(problem).__name__}); waiting.") from problem


def answer_of(status: int, payload: bytes, request: str) -> Optional[Json]:
    if status == 404:
        return None
    if status == 409:
        raise Conflict(request)
    if status >= 300:
        raise NotYet(f"the Kubernetes API answered {status} to {request}; waiting.")
    return json.loads(payload)


class SecretSpec(NamedTuple):
    """`complete` gives values for the missing keys; without a value for each of `needed` nothing starts."""
    name: str
    generate: bool
    needed: List[str]
    complete: Callable[[Values], Values]


def random_password() -> str:
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(32))


def decoded(secret: Json) -> Values:
    return {key: base64.b64decode(value).decode() for key, value in (secret.get("data") or {}).items()}


def settle_secret(api: Api, spec: SecretSpec) -> Values:
    """One attempt: the Secret's values, complete. resourceVersion lets only the first of several members write."""
    secret = api.call("GET", f"secrets/{spec.name}")
    if secret is None:
        raise NotYet(f"Secret {spec.name} does not exist; apply it, waiting.")
    have = decoded(secret)
    missing = spec.complete(have) if spec.generate else {}
    if missing:
        data = {key: base64.b64encode(value.encode()).decode() for key, value in missing.items()}
        version = secret["metadata"]["resourceVersion"]
        api.call("PATCH", f"secrets/{spec.name}", {"metadata": {"resourceVersion": version}, "data": data})
        log(f"filled {', '.join(sorted(missing))} of Secret {spec.name}")
    have.update(missing)
    for key in spec.needed:
        if not have.get(key):
            raise NotYet(f"Secret {spec.name} has no value for key {key} and is not generated; add it, waiting.")
    return have


def until_settled(api: Api, spec: SecretSpec) -> Values:
    """Never starts with a guess: waits until the Secret is there and whole."""
    return patiently(lambda: settle_secret(api, spec))


def utc(seconds: Optional[float] = None) -> str:
    """Of now, where nothing is given; as in a Pod's status, so that texts compare."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def value_in(api: Api, resource: str, name: str, key: str, optional: bool = False) -> str:
    found = api.call("GET", f"{resource}/{name}")
    kind = "Secret" if resource == "secrets" else "ConfigMap"
    value = ((found or {}).get("data") or {}).get(key, "")
    value = (base64.b64decode(value).decode() if resource == "secrets" else value).strip()
    if not value and not (optional and found):
        raise NotYet(f"{kind} {name} {'has no value for key ' + key if found else 'does not exist'}, and the archive needs it; add it, waiting.")
    return value


def secret_values(api: Api, repository: Json) -> Values:
    """Options of a repository whose values are in Secrets."""
    found = {item["option"]: value_in(api, "secrets", item["secret"], item["key"], item.get("optional", False)) for item in repository["secrets"]}
    values = {option: value for option, value in found.items() if value}
    return described(repository["secrets"][0]["secret"], values) if "s3-bucket" in values else values


def described(secret: str, values: Values) -> Values:
    """A storage whose place stands in a Secret, in the words of a BackupStorage document: pgBackRest's options."""
    region = values.get("s3-region", "us-east-1")
    given = re.sub(r"/+$", "", values.get("s3-endpoint", ""))
    host, _colon, port = re.sub(r"^https://", "", given).partition(":")
    if "/" in host or port not in ("", "443"):
        raise NotYet(f"endpointURL of Secret {secret} is {given}, and it has to be HTTPS on port 443, to which the NetworkPolicy lets members go; "
                     "describe another storage in a BackupStorage document; waiting.")
    style = values.get("s3-uri-style", "true" if given else "false").lower()
    if style not in ("true", "false"):
        raise NotYet(f"forcePathStyle of Secret {secret} is {style}, and it has to be true or false; waiting.")
    return {**values, "s3-region": region, "s3-endpoint": host or f"s3.{region}.amazonaws.com", "s3-uri-style": "path" if style == "true" else "host"}
