"""What a Galera member is asked over HTTP, and what it asks the others. Used by galera-member.py alone."""
from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable, Dict, List, Optional, Tuple

import galera_rules as rules
from galera_sql import SqlError
from kube import log

PORT = 9200
PEER_TIMEOUT_S, HURRIED_S, CALM_S = 1.0, 0.2, 2.0
# A state that is older says nothing about now.
FRESH_S = 3.0
SKEW_S, WATCH_IDLE_S = 60.0, 5.0
LONGEST_BODY = 65536

Json = Dict[str, Any]
Answer = Tuple[int, Json]


def signature(key: str, at: str, path: str, body: str) -> str:
    return hmac.new(key.encode(), f"{at}\nPOST\n{path}\n{body}".encode(), hashlib.sha256).hexdigest()


# ---- the others

class Peers:
    """Asks every other member again and again; one that is silent holds up nobody else."""

    def __init__(self, config: Json, names: List[str]) -> None:
        self.domain, self.names = config["peersDomain"], names
        self.told: Dict[str, Tuple[float, Json]] = {}
        self.key = ""
        self.delay = HURRIED_S
        self.wake = threading.Event()

    def start(self, key: str) -> None:
        self.key = key
        for name in self.names:
            threading.Thread(target=self.follow, args=(name,), daemon=True).start()

    def hurry(self, on: bool) -> None:
        self.delay = HURRIED_S if on else CALM_S
        if on:
            self.wake.set()

    def host(self, name: str) -> str:
        return f"{name}-0.{self.domain}"

    def follow(self, name: str) -> None:
        while True:
            asked = time.monotonic()
            status, answer = self.look(name)
            if status == 200 and answer.get("version") == 1 and answer.get("member") == name:
                self.told[name] = (asked, answer)
            if self.delay == HURRIED_S:
                self.wake.clear()
            self.wake.wait(self.delay)

    def request(self, name: str, method: str, path: str, body: Optional[Json]) -> Answer:
        text = "" if body is None else json.dumps(body)
        at = str(int(time.time()))
        headers = {"Authorization": f"Everest {at} {signature(self.key, at, path, text)}"} if body is not None else {}
        connection = http.client.HTTPConnection(self.host(name), PORT, timeout=PEER_TIMEOUT_S)
        try:
            connection.request(method, path, text or None, headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read() or b"{}")
        finally:
            connection.close()

    def look(self, name: str) -> Answer:
        """Now; 0 when it does not answer."""
        try:
            return self.request(name, "GET", "/state", None)
        except (OSError, ValueError, http.client.HTTPException):
            return 0, {}

    def states(self) -> Dict[str, Optional[Json]]:
        return {name: self.state_since(name, time.monotonic() - FRESH_S) for name in self.names}

    def state_since(self, name: str, since: float) -> Optional[Json]:
        """What it told in answer to a question that was asked later than that."""
        asked, state = self.told.get(name, (0.0, None))
        return state if state and asked > since else None

    def ask(self, name: str, path: str, body: Json) -> Optional[str]:
        """None when it agreed, else why not."""
        try:
            status, answer = self.request(name, "POST", path, body)
        except (OSError, ValueError, http.client.HTTPException) as problem:
            return f"{name} does not answer ({type(problem).__name__})"
        return None if status == 200 else str(answer.get("error", status))

    def addresses(self) -> List[str]:
        """Of those that have a name now: the server would fail at one that has none."""
        found = []
        for name in self.names:
            try:
                found.append(socket.getaddrinfo(self.host(name), 4567, proto=socket.IPPROTO_TCP)[0][4][0])
            except OSError:
                continue
        return found


# ---- requests

class Refusal(Exception):
    """409: a precondition is not met, and nothing was done."""


def require(condition: Any, problem: str) -> None:
    if not condition:
        raise Refusal(problem)


class Requests:
    """Each changes something, or refuses with a sentence. They run in threads of their own."""

    def __init__(self, member: Any) -> None:
        self.member = member
        self.paths: Dict[str, Callable[[Json], None]] = {
            "/bootstrap": self.bootstrap, "/set-aside": self.set_aside, "/evict": self.evict, "/pc-bootstrap": self.promote,
            "/writer": self.writer, "/drain": self.drain, "/desync": self.desync, "/restart": self.restart, "/stop": self.stop,
            "/promise": self.promise,
        }

    def answer(self, path: str, body: Json) -> Answer:
        action = self.paths.get(path)
        if action is None:
            return 404, {"error": f"there is no {path}"}
        log(f"asked: {path} {json.dumps(body)}")
        try:
            own = self.member.boot_id
            require(body.get("bootId", own) == own, "the script was started again since")
            action(body)
            return 200, {}
        except Refusal as problem:
            log(f"refused: {problem}")
            return 409, {"error": str(problem)}
        except SqlError as problem:
            return 409, {"error": f"the server refused: {problem}"}
        except (KeyError, TypeError, ValueError) as problem:
            return 400, {"error": f"malformed: {type(problem).__name__} {problem}"}

    def at_position(self, body: Json) -> bool:
        position = self.member.told_position()
        return (body["uuid"], body["seqno"]) == (position["uuid"], position["seqno"])

    def waiting(self) -> None:
        require(self.member.phase == "waiting", f"{self.member.name} is {self.member.phase}")

    def bootstrap(self, body: Json) -> None:
        member = self.member
        # A request may arrive late, from one who knew less than there is to know now.
        for name in member.others:
            status, state = member.peers.look(name)
            require(status != 200 or not (state.get("server") or {}).get("pid"), f"a server runs at {name}")
            require(status != 200 or state.get("phase") != "holding", f"{name} holds for a restore in place")
            require(status != 200 or rules.era_number(state) <= rules.era_number(member.state()), f"{name} has been through {rules.era_of(state)['by']}")
        with member.lock:
            self.waiting()
            require(not member.promise and not member.claiming and not member.grant, "a bootstrap is under way")
            require(body["id"] not in (member.notes.get("granted") or []), f"{body['id']} was used before")
            require(self.at_position(body), f"{member.name} is at {member.told_position()}")
            state = member.state()
            require(member.found.empty if body["uuid"] is None else rules.known(state) and rules.has_data(state),
                    "its data are not whole, or there are none")
            member.grant = {"id": str(body["id"])}

    def set_aside(self, body: Json) -> None:
        member = self.member
        with member.lock:
            self.waiting()
            require(not member.claiming and not member.grant, "a bootstrap is under way")
            require(not member.found.empty, "there are no data")
            require(self.at_position(body), f"{member.name} is at {member.told_position()}")
            serving = [state for state in member.peers.states().values() if rules.serves(state)]
            require(all(rules.era_number(state) >= member.era["number"] for state in serving), "those that serve have data from before its own")
            latest = max((rules.era_of(state) for state in serving), key=lambda era: era["number"], default=member.era)
            if latest["number"] > member.era["number"]:
                # What it has missed it goes through now, so that the way back finds these data where those of the others are.
                member.missed = latest
            else:
                # First the note: a member whose data are aside has not lost them.
                member.notes.put("joining", {"at": time.time(), "setAside": body["id"]})
                member.server.set_aside()
                member.forget_data()

    def evict(self, body: Json) -> None:
        member = self.member
        status = member.status
        require(status, f"{member.name} has no server that answers")
        require(body["gcommUuid"] in [item["gcommUuid"] for item in status["members"]], "no member of the group has that uuid")
        require(body["gcommUuid"] != status["gcommUuid"], "a member does not evict itself")
        member.server.evict(body["gcommUuid"])

    def promote(self, body: Json) -> None:
        member = self.member
        require(member.phase == "nonprimary" and member.status, f"{member.name} is {member.phase}")
        require(self.at_position(body), f"{member.name} is at {member.told_position()}")
        require(body["id"] not in (member.notes.get("granted") or []), f"{body['id']} was used before")
        member.notes.put("granted", [*(member.notes.get("granted") or []), body["id"]][-100:])
        number = rules.bootstrap_number(member.state()) + 1
        member.promoted = {"n": number, "id": body["id"], "uuid": body["uuid"], "seqno": body["seqno"], "member": member.name}
        # Before it is one: whoever dies in between must not look as if it were of the time before.
        before = member.notes.get("bootstrap")
        member.notes.put("bootstrap", member.promoted)
        try:
            member.server.promote()
        except SqlError:
            member.promoted = None
            member.notes.put("bootstrap", before)
            raise

    def writer(self, body: Json) -> None:
        member = self.member
        require(member.phase in rules.SERVING, f"{member.name} is {member.phase}")
        view = member.view()
        require(body["member"] in view, f"{body['member']} is not in the view")
        require(member.server.set_writer(body["member"], view[body["member"]], int(body["epoch"])), "the epoch has changed")

    def drain(self, body: Json) -> None:
        member = self.member
        require(member.phase in rules.SERVING, f"{member.name} is {member.phase}")
        member.drained = bool(body["on"])
        if member.drained:
            member.hand_over()
        member.notify()

    def desync(self, body: Json) -> None:
        require(self.member.phase in rules.SERVING, f"{self.member.name} is {self.member.phase}")
        self.member.server.desync(bool(body["on"]))

    def restart(self, body: Json) -> None:
        require(self.member.phase == "synced", f"{self.member.name} is {self.member.phase}")
        self.member.ask_stop = "a restart was asked for"

    def stop(self, body: Json) -> None:
        require(self.member.server.alive(), f"{self.member.name} has no server that runs")
        self.member.ask_stop = "a stop was asked for"

    def promise(self, body: Json) -> None:
        member = self.member
        with member.lock:
            promised = member.promise["to"] if member.promise else None
            problem = rules.promise_refusal(member.state(), body["to"], body["table"], promised)
            require(problem is None, problem or "")
            member.promise = {"to": body["to"], "toBootId": body["toBootId"]}
            member.promised_at = time.monotonic()
        member.notify()


# ---- the server

def serve(member: Any, requests: Requests) -> None:
    checks: Dict[str, Callable[[], bool]] = {
        "/live": member.is_live, "/startup": member.is_live, "/ready": member.is_ready,
        "/writer": member.is_writer, "/reader": member.is_reader,
    }

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 60

        def do_GET(self) -> None:
            if self.path == "/state":
                self.reply(200, member.state())
            elif self.path == "/watch":
                self.watch()
            elif self.path in checks:
                self.reply(self.verdict(), {"phase": member.phase})
            else:
                self.reply(404, {})

        def verdict(self) -> int:
            if not checks[self.path]():
                return 503
            # HAProxy: no new connections (disable-on-404).
            return 404 if self.path == "/writer" and member.hands_over() else 200

        def do_OPTIONS(self) -> None:
            self.do_GET()

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            if length > LONGEST_BODY:
                self.reply(413, {})
                return
            text = self.rfile.read(length).decode("utf-8", "replace")
            if not self.authentic(text):
                self.reply(401, {"error": "no valid signature"})
                return
            try:
                body = json.loads(text)
            except ValueError:
                body = None
            if not isinstance(body, dict):
                self.reply(400, {"error": "the body is no JSON object"})
                return
            self.reply(*requests.answer(self.path, body))

        def authentic(self, text: str) -> bool:
            parts = (self.headers.get("Authorization") or "").split(" ")
            if len(parts) != 3 or parts[0] != "Everest" or not parts[1].isdigit() or not member.api_key:
                return False
            fresh = abs(time.time() - int(parts[1])) <= SKEW_S
            return fresh and hmac.compare_digest(parts[2], signature(member.api_key, parts[1], self.path, text))

        def reply(self, status: int, body: Json) -> None:
            payload = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def watch(self) -> None:
            """One line for each change, an empty one for silence; it ends with the script."""
            self.send_response(200)
            self.send_header("Content-Type", "application/x-ndjson")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            seen = -1
            while True:
                with member.changed:
                    if member.change == seen:
                        member.changed.wait(WATCH_IDLE_S)
                changed = member.change != seen
                seen = member.change
                line = (json.dumps(member.state()) if changed else "").encode() + b"\n"
                self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:
                pass

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128
        address_family = socket.AF_INET6

        def server_bind(self) -> None:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            super().server_bind()

    threading.Thread(target=Server(("::", PORT), Handler).serve_forever, daemon=True).start()
