#!/usr/bin/env python3
"""Runs one member of a Galera cluster: the parent of its database server, and its voice.

  galera-member.py start      fill the cluster's Secrets where allowed, recover the position, wait for what is right, serve

It comes in a ConfigMap with galera_rules.py (decisions), galera_server.py (the server, its files and its SQL),
galera_http.py (what others ask) and kube.py (Kubernetes' API and Secrets). It never starts a new Primary Component on
its own: only with the promise of every other member, or as the agent's one-time grant says (docs/guide/galera.md).
"""
from __future__ import annotations

import os
import signal
import sys
import threading
import time
from typing import Any, Dict, List, Optional

import galera_rules as rules
import galera_server as db
from galera_http import Peers, Requests, serve
from galera_passwords import Rotation
from galera_users import Declared, Watch
from galera_volume import Volume
from kube import Api, Conflict, NotYet, log, utc

TICK_S = 0.1
# Between the moment that the row names another writer and the old one's refusal: HAProxy sees the new one up first. In
# the last part of it the old one takes nobody new: two proxies do not see the refusal at the same moment.
HANDOVER_S, LEAVING_S = 0.9, 0.5
# HAProxy's checks until a member that refuses is out, at most (render/haproxy.ts).
FOLLOW_S = 1.0
# How long each rank waits before it claims the writer's row of a member that is gone.
CLAIM_S = 0.4
# All answer and none is in a Primary for so long: the group does not come back by itself.
STANDSTILL_S = 3.0
# A joiner that sees no Primary any more, and has no copy running, starts over; with a copy, later.
LOST_JOIN_S, LOST_COPY_S = 5.0, 30.0
# A server that has left its group for good (evicted, or its appliers have ended) says so and stays as it is.
CUT_OFF_S = 3.0
LOOK_AROUND_S, RECONCILE_S, RELOAD_S = 2.0, 10.0, 5.0
# Between two looks at what is declared, and at a target that cannot be reached yet.
DECLARED_S, TARGET_S = 1.0, 10.0

Json = Dict[str, Any]


class Member:
    """All state of the member. The main thread runs `run`; threads of requests call what is marked as a request."""

    def __init__(self, config: Json, pod: str, pod_uid: str) -> None:
        self.config, self.pod, self.pod_uid = config, pod, pod_uid
        self.name = config["member"]
        self.others = [name for name in config["members"] if name != self.name]
        self.boot_id = os.urandom(8).hex()
        self.changed = threading.Condition()
        self.change = 0
        self.lock = threading.RLock()
        self.volume = Volume(config["volume"])
        # What an earlier process has begun: half of it must not look like lost data.
        self.volume.finish()
        self.notes = db.Notes(config["volume"])
        self.server = db.Server(config, self.name)
        self.peers = Peers(config, self.others)
        self.phase, self.since, self.because, self.ambiguous = "recovering", time.time(), "the script has started", False
        self.position = db.Position(None, -1, "unknown")
        self.found = db.Found(False, False)
        self.status: Optional[Json] = None
        self.row: Optional[rules.Row] = None
        self.promise: Optional[Json] = None
        self.promised_at = 0.0
        self.grant: Optional[Json] = None
        self.promoted: Optional[Json] = None
        self.claiming = self.stopping = self.drained = self.fresh = False
        self.initialized: Optional[int] = None
        self.era = self.volume.era()
        # What this member holds for, while it runs no server; `problem`: why nothing may be moved.
        self.holds: Optional[Json] = None
        # The era of those that serve, which it has been told to follow.
        self.missed: Optional[Json] = None
        self.ask_stop: Optional[str] = None
        self.writer_until = self.gone_since = self.still_since = self.lost_since = self.cut_off_since = self.beat = 0.0
        self.looked = self.reconciled = self.reloaded = self.read_at = self.aimed = 0.0
        self.pending: List[str] = []
        # Of databases and users, since it was first found so; the writer tells it.
        self.declared: Optional[Json] = None
        self.rotation = Rotation(self.server.users, self.is_writer, self.behind)
        self.bootstraps: List[Json] = []
        self.exits, self.last_exit = 0, None
        self.api_key = ""

    # ---- what it tells

    def tell(self, phase: str, because: str, ambiguous: bool = False) -> None:
        if (phase, because, ambiguous) == (self.phase, self.because, self.ambiguous):
            return
        if phase != self.phase:
            self.since = time.time()
        log(f"{phase}: {because}")
        self.phase, self.because, self.ambiguous = phase, because, ambiguous
        self.notify()

    def notify(self) -> None:
        with self.changed:
            self.change += 1
            self.changed.notify_all()

    def state(self) -> Json:
        status, row = self.status, self.row
        return {
            "version": 1, "change": self.change, "now": time.time(),
            "cluster": self.config["cluster"], "engine": self.config["engine"], "member": self.name,
            "pod": self.pod, "podUid": self.pod_uid, "bootId": self.boot_id,
            "phase": self.phase, "since": self.since, "because": self.because, "ambiguous": self.ambiguous,
            "server": {"pid": self.server.pid(), "startedAt": self.server.started_at, "exits": self.exits, "lastExit": self.last_exit},
            "position": self.told_position(), "safeToBootstrap": self.found.safe,
            "sstIncomplete": self.found.incomplete, "dataEmpty": self.found.empty,
            "lastPrimaryView": self.notes.get("view"), "lastBootstrap": self.notes.get("bootstrap"),
            "bootstraps": self.bootstraps,
            "promise": self.promise, "claiming": self.claiming, "granted": self.grant is not None,
            "wsrep": status, "writer": row and {"member": row.member, "gcommUuid": row.gcomm, "epoch": row.epoch},
            "drained": self.drained, "desynced": bool(status and status["desyncCount"]),
            "pendingRestart": self.pending, "asides": self.server.asides(),
            "era": self.era, "holds": self.holds,
            "declared": self.declared if self.is_writer() else None,
        }

    def told_position(self) -> Json:
        status = self.status
        if status and status["clusterStateUuid"]:
            return {"uuid": status["clusterStateUuid"], "seqno": status["lastCommitted"], "source": "running"}
        return {"uuid": self.position.uuid, "seqno": self.position.seqno, "source": self.position.source}

    def primary(self) -> bool:
        status = self.status
        return bool(self.server.alive() and status and status["clusterStatus"] == "Primary" and status["ready"]
                    and time.monotonic() - self.server.heard < 3.0)

    def is_ready(self) -> bool:
        return self.primary() and self.status["localState"] in (2, 4)

    def is_writer(self) -> bool:
        if not self.is_ready() or self.phase not in rules.SERVING:
            return False
        named = self.row is not None and self.row.gcomm == self.status["gcommUuid"]
        return named or time.monotonic() < self.writer_until

    def hands_over(self) -> bool:
        """Sessions go on, and new ones go to the other writer, whom every proxy has seen by now."""
        named = self.row is not None and self.status is not None and self.row.gcomm == self.status["gcommUuid"]
        return not named and time.monotonic() > self.writer_until - LEAVING_S

    def is_reader(self) -> bool:
        alone = self.primary() and self.status["clusterSize"] == 1
        return self.primary() and (self.status["localState"] == 4 or alone) and not self.drained

    def is_live(self) -> bool:
        return time.monotonic() - self.beat < 60.0

    # ---- the life of the member

    def run(self) -> int:
        signal.signal(signal.SIGTERM, lambda *_: setattr(self, "stopping", True))
        signal.signal(signal.SIGINT, lambda *_: setattr(self, "stopping", True))
        self.beat = time.monotonic()
        serve(self, Requests(self))
        failures = 0
        while not self.settle() and not self.stopping:
            self.pause(0.5)
        while not self.stopping:
            started = time.monotonic()
            try:
                self.cycle()
            except (OSError, db.SqlError, db.Failed) as problem:
                log(f"{type(problem).__name__}: {problem}")
                self.server.stop(self.config["stopSeconds"], self.tick)
            failures = 0 if time.monotonic() - started > 30.0 else failures + 1
            self.pause(min(0.1 * 2 ** failures, 5.0))
        self.tell("stopping", "the Pod is to stop")
        self.server.stop(self.config["stopSeconds"], self.tick)
        return 0

    def tick(self) -> None:
        self.beat = time.monotonic()

    def pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.stopping:
            self.beat = time.monotonic()
            time.sleep(min(TICK_S, max(0.0, end - time.monotonic())))

    def settle(self) -> bool:
        """Secrets and the files made from them."""
        try:
            settled = db.settle(self.config)
        except Conflict:
            return False
        except NotYet as problem:
            self.tell("recovering", str(problem))
            return False
        self.api_key, self.initialized = settled.api_key, settled.initialized
        self.peers.start(settled.api_key)
        self.server.prepare(settled, self.tick)
        Watch(self.look_at_declared).start()
        return True

    def cycle(self) -> None:
        self.status, self.row, self.ask_stop, self.bootstraps = None, None, None, []
        self.claiming, self.grant, self.promoted, self.missed = False, None, None, None
        self.tell("recovering", "looking for the position of the data")
        self.look_at_data()
        start = self.wait()
        if start is None:
            return
        if start.action == "initialize":
            self.tell("starting", start.because)
            self.notes.put("initializing", {"at": time.time()})
            self.server.initialize(self.tick)
        elif start.action == "join":
            self.prepare_join()
        self.begin(start)
        self.supervise(start)

    def look_at_data(self) -> None:
        self.found = self.server.look(self.notes)
        self.position = db.Position(None, -1, "unknown")
        if not self.found.empty and not self.found.incomplete:
            self.position = self.server.recover(self.tick)
        self.notify()

    def forget_data(self) -> None:
        """After they were set aside: a joiner without data."""
        self.found, self.position = db.Found(True, True), db.Position(None, -1, "unknown")
        self.notify()

    def wait(self) -> Optional[rules.Verdict]:
        """Until there is something right to do; None when the Pod is to stop."""
        ready_since = 0.0
        self.peers.hurry(True)
        while not self.stopping:
            self.beat = time.monotonic()
            self.keep_promise()
            if self.grant:
                return rules.Verdict("initialize" if self.found.empty else "bootstrap", f"as granted by {self.grant['id']}")
            if self.missed:
                self.go_through(rules.wanted_of(self.missed), self.missed)
            if self.hold():
                ready_since = 0.0
                self.pause(TICK_S)
                continue
            # As a waiting one: whoever is asked for a promise sees the same.
            own = {**self.state(), "phase": "waiting"}
            decision = rules.verdict(own, self.peers.states(), self.config["members"], self.initialized)
            if decision.action in ("bootstrap", "initialize") and self.promise:
                decision = rules.Verdict("wait", f"has promised {self.promise['to']} to stand back")
            if decision.action == "join":
                return decision
            self.tell("waiting", decision.because, decision.ambiguous)
            if decision.action == "wait":
                ready_since = 0.0
            else:
                ready_since = ready_since or time.monotonic()
                if time.monotonic() - ready_since >= self.config["selfRecoverySeconds"] and self.claim():
                    return decision
            self.pause(TICK_S)
        return None

    # ---- a restore in place, and the way back

    def hold(self) -> bool:
        """Whether one that is declared keeps this member from going on. When all hold it is done on this volume."""
        if self.due("read_at", DECLARED_S):
            self.read_declaration()
        wanted, peers = self.config.get("replacement"), self.peers.states()
        if not self.may_hold(wanted, peers):
            self.holds = None
            return False
        self.look_at_target()
        decision = rules.hold_verdict({**self.state(), "phase": "holding"}, peers, self.config["members"], wanted)
        if decision.action == "move":
            self.replace(wanted)
        else:
            self.tell("holding", decision.because, decision.ambiguous)
        return True

    def read_declaration(self) -> None:
        """It may change while nobody serves: another target, or none."""
        now = db.read_config()
        unknown = [name for name in now["members"] if name not in self.config["members"]]
        if unknown:
            # Nobody may be left out of what all members decide, and only the next process asks them too.
            log(f"{', '.join(unknown)} belong to the cluster now; the script starts again with them")
            sys.exit(1)
        for name in ("replacement", "recovery"):
            if now.get(name) != self.config.get(name):
                log(f"another {name} is declared")
                self.holds = None
                self.config[name] = now.get(name)

    def may_hold(self, wanted: Optional[Json], peers: Dict[str, Optional[Json]]) -> bool:
        """Never with a promise or a grant, which requests give at any moment: whoever holds is taken for one that begins
        nothing, and the others move their data on that."""
        with self.lock:
            if self.promise or self.grant or not rules.is_due(self.state(), peers, wanted):
                return False
            if not self.holds:
                problem = "the target is being looked at" if self.looks(wanted) else None
                self.holds = {**wanted, "returns": self.volume.returns(wanted["name"]), "problem": problem}
                self.aimed = 0.0
                self.tell("holding", f"{rules.step_of(wanted)} is declared", True)
        return True

    def looks(self, wanted: Json) -> bool:
        """The first member looks at the target; the others take its word."""
        return not wanted["putBack"] and self.name == self.config["members"][0]

    def look_at_target(self) -> None:
        if self.looks(self.holds) and self.holds["problem"] and self.due("aimed", TARGET_S):
            self.holds = {**self.holds, "problem": self.server.target_problem(self.goes_on)}
            self.notify()

    def goes_on(self) -> bool:
        self.tick()
        return not self.stopping

    def replace(self, wanted: Json) -> None:
        """Everybody is asked once more: what was heard may be some seconds old."""
        answers = {name: self.peers.look(name) for name in self.others}
        peers = {name: state if status == 200 else None for name, (status, state) in answers.items()}
        own = self.state()
        if own["phase"] != "holding" or rules.hold_verdict(own, peers, self.config["members"], wanted).action != "move":
            return
        self.go_through(wanted, rules.next_era([own, *(state for state in peers.values() if state)], wanted))

    def go_through(self, wanted: Json, era: Json) -> None:
        with self.lock:
            try:
                self.volume.begin(wanted, era)
                self.volume.finish()
            except OSError as problem:
                # Half of it must not look like lost data. The next process finishes it before it tells anything.
                log(f"the data could not be moved: {problem}")
                sys.exit(1)
            self.notes, self.era, self.holds, self.missed = db.Notes(self.config["volume"]), self.volume.era(), None, None
        self.tell("recovering", f"this volume has been through {self.era['by']}")
        self.look_at_data()

    def claim(self) -> bool:
        """Asks all others to stand back; only with the promise of every one of them this member may bootstrap."""
        with self.lock:
            if self.promise or self.grant:
                return False
            self.claiming = True
        states = {name: self.state() if name == self.name else self.peers.states()[name] for name in self.config["members"]}
        if any(state is None for state in states.values()):
            refusals: List[str] = ["not every member answers"]
        else:
            body = {"to": self.name, "toBootId": self.boot_id, "table": rules.table_of(states)}
            refusals = [text for text in (self.peers.ask(name, "/promise", body) for name in self.others) if text]
        if refusals:
            log(f"no promise: {'; '.join(refusals)}")
            self.claiming = False
            return False
        log("every other member stands back")
        return True

    def keep_promise(self) -> None:
        """A promise ends when the other one is another process, or says that it does not bootstrap."""
        if not self.promise:
            return
        state = self.peers.state_since(self.promise["to"], self.promised_at)
        if state and rules.promise_over(state, self.promise["toBootId"]):
            log(f"{self.promise['to']} does not bootstrap; the promise has ended")
            self.promise = None

    def prepare_join(self) -> None:
        """On the volume before the server starts: from here on these data are a part of the Primary's history."""
        primaries = [state for state in self.peers.states().values() if rules.serves(state)]
        if primaries:
            # Behind the verdict: all of them are of one era, and it is this member's if it has data.
            self.era = rules.era_of(primaries[0])
            self.volume.adopt(self.era)
        records = [state["lastBootstrap"] for state in primaries if state["lastBootstrap"]]
        if records:
            self.notes.put("bootstrap", max(records, key=lambda record: record["n"]))
        self.notes.put("joining", {"at": time.time(), "position": self.told_position()})

    def begin(self, start: rules.Verdict) -> None:
        self.server.remove_stale(self.found.incomplete)
        if start.action == "join":
            self.tell("joining", start.because)
            self.server.start(self.peers.addresses(), self.position, rules.donors(self.peers.states(), self.config["members"]))
        else:
            if self.grant:
                self.notes.put("granted", [*(self.notes.get("granted") or []), self.grant["id"]][-100:])
            self.tell("starting", start.because)
            self.server.start_new_cluster(self.position)
        self.lost_since = self.still_since = self.gone_since = self.cut_off_since = 0.0

    def supervise(self, start: rules.Verdict) -> None:
        """Looks after the server until it is gone, or is to stop."""
        self.fresh = start.action != "join"
        try:
            while self.server.alive():
                self.beat = time.monotonic()
                self.look_after()
                reason = self.ask_stop or ("the Pod is to stop" if self.stopping else None)
                if reason:
                    self.leave(reason)
                    return
                time.sleep(TICK_S)
        finally:
            self.server.forget_connections()
            self.status, self.row, self.claiming, self.grant = None, None, False, None
            self.exits, self.last_exit = self.exits + 1, self.server.exit_code()
            self.notify()
        log(f"the server is gone ({self.last_exit})")

    def look_after(self) -> None:
        """What the server refuses now is tried again at the next look; it is never a reason to stop it."""
        try:
            self.poll()
            if self.fresh and self.is_ready():
                self.first_steps()
                self.fresh = False
            if not self.fresh:
                self.follow()
        except db.SqlError as problem:
            log(f"the server did not do it, trying again: {problem}")

    def poll(self) -> None:
        status = self.server.status()
        if status is None:
            if self.status is not None and time.monotonic() - self.server.heard > 3.0:
                self.status = None
                self.notify()
            return
        if status["clusterStatus"] == "Primary":
            self.server.calm({item["gcommUuid"] for item in status["members"]})
        before, self.status = self.status, status
        row = self.server.writer_row() if status["clusterStatus"] == "Primary" and status["ready"] else None
        self.see_row(row or self.row)
        if not before or any(before[key] != status[key] for key in ("clusterStatus", "localState", "ready", "members", "gcommUuid")):
            self.notify()

    def see_row(self, row: Optional[rules.Row]) -> None:
        if row == self.row:
            return
        gcomm = self.status["gcommUuid"]
        if self.row and self.row.gcomm == gcomm and row and row.gcomm != gcomm:
            self.writer_until = time.monotonic() + HANDOVER_S
        self.row = row
        if row:
            log(f"the writer is {row.member} (epoch {row.epoch})")
        self.notify()

    def first_steps(self) -> None:
        """In a cluster that was just made or bootstrapped: nobody joins before these are done."""
        grant, position = self.grant or {}, self.position
        record = {
            "id": grant.get("id") or f"{self.name}-{self.boot_id}-{int(time.time())}", "member": self.name,
            "uuid": self.status["clusterStateUuid"], "seqno": max(position.seqno, 0),
        }
        self.server.create_own_tables()
        self.tell_declared(self.server.reconcile())
        self.reconciled = time.monotonic()
        self.notes.put("bootstrap", self.server.record_bootstrap(record))
        self.notes.drop("initializing")

    # ---- while the server runs

    def follow(self) -> None:
        self.check_cut_off()
        if self.is_ready():
            self.serve_primary()
        elif self.status and self.status["clusterStatus"] != "Primary" and self.phase in (*rules.SERVING, "nonprimary"):
            self.tell("nonprimary", "the group has lost its quorum", True)
            self.check_standstill()
        elif self.phase == "joining":
            self.check_join()

    def serve_primary(self) -> None:
        self.still_since = self.lost_since = 0.0
        donor = self.status["localState"] == 2
        if self.phase not in rules.SERVING and donor:
            return
        if self.phase not in rules.SERVING:
            self.found = db.Found(False, False)
            self.promise = None
            self.notes.drop("joining")
            self.peers.hurry(False)
        if self.promoted:
            self.notes.put("bootstrap", self.server.record_bootstrap(self.promoted))
            self.promoted = None
        self.remember_view()
        self.tell("donor" if donor else "synced", "gives its data to a joiner, or is desynced" if donor else "in step with the group")
        # Only now: between "claims" and "serves" nobody may take this member for one that does neither.
        self.claiming = False
        self.claim_writer()
        if self.is_writer() and self.due("reconciled", RECONCILE_S):
            self.keep_declared()
        if self.due("reloaded", RELOAD_S):
            self.pending = self.server.reload()

    def keep_declared(self) -> None:
        try:
            if self.initialized is None or self.initialized < self.era["number"]:
                db.mark_initialized(self.config, self.status["clusterStateUuid"], self.era["number"])
                self.initialized = self.era["number"]
            self.tell_declared(self.server.reconcile())
        except (db.SqlError, db.Failed) as problem:
            log(f"databases and users were not looked after: {problem}")

    def look_at_declared(self, declared: Declared, api: Api) -> None:
        """In a thread of its own, since it waits for the Kubernetes API."""
        self.server.take(declared)
        if self.is_writer():
            self.rotation.look(declared, api)

    def behind(self, seqno: int, since: float) -> List[str]:
        """Members that clients may log in to, and that have not told that they have applied it."""
        states = {name: self.peers.state_since(name, since) for name in self.view() if name in self.others}
        return [name for name, state in states.items() if state is None or (
            state["phase"] in rules.SERVING and (state["wsrep"] or {}).get("lastCommitted", -1) < seqno)]

    def tell_declared(self, problems: List[Json]) -> None:
        problems = [*problems, *self.rotation.problems]
        known = {problem["what"] for problem in problems}
        in_step = [login for login in self.rotation.logins if not known & {f"user {login['role']}", f"password of {login['role']}"}]
        found = {"problems": problems, "logins": in_step}
        if self.declared and all(self.declared[key] == value for key, value in found.items()):
            return
        for problem in found["problems"]:
            log(f"not as declared: {problem['what']}: {problem['why']}")
        self.declared = {"checkedAt": utc(), **found}
        self.notify()

    def due(self, what: str, seconds: float) -> bool:
        now = time.monotonic()
        if now - getattr(self, what) < seconds:
            return False
        setattr(self, what, now)
        return True

    def remember_view(self) -> None:
        status = self.status
        view = {"uuid": status["clusterStateUuid"], "view": status["confId"], "members": sorted(item["name"] for item in status["members"])}
        if self.notes.get("view") != view:
            self.notes.put("view", view)
        if not self.bootstraps or self.due("looked", LOOK_AROUND_S):
            self.read_bootstraps()

    def read_bootstraps(self) -> None:
        try:
            self.bootstraps = self.server.bootstraps()
        except db.SqlError:
            return
        if self.bootstraps and self.bootstraps[-1] != self.notes.get("bootstrap"):
            self.notes.put("bootstrap", self.bootstraps[-1])

    def view(self) -> Dict[str, str]:
        return {item["name"]: item["gcommUuid"] for item in (self.status or {}).get("members", [])}

    def claim_writer(self) -> None:
        rank = rules.claim_rank(self.row, self.view(), self.name, self.config["members"], self.drained or self.stopping)
        if rank is None:
            self.gone_since = 0.0
            return
        self.gone_since = self.gone_since or time.monotonic()
        if time.monotonic() - self.gone_since >= CLAIM_S * rank:
            self.write_row(self.name, self.row.epoch if self.row else 0)

    def write_row(self, name: str, epoch: int) -> bool:
        done = self.server.set_writer(name, self.view()[name], epoch)
        self.see_row(self.server.writer_row() or self.row)
        return done

    def check_cut_off(self) -> None:
        if not self.status or self.status["clusterStatus"] != "Disconnected" or time.time() - self.server.started_at < LOST_JOIN_S:
            self.cut_off_since = 0.0
            return
        self.cut_off_since = self.cut_off_since or time.monotonic()
        if time.monotonic() - self.cut_off_since > CUT_OFF_S and not self.server.copying():
            self.ask_stop = "the server has left its group and does not come back by itself"

    def check_standstill(self) -> None:
        self.peers.hurry(True)
        if not rules.all_stand_still(self.state(), self.peers.states()):
            self.still_since = 0.0
            return
        self.still_since = self.still_since or time.monotonic()
        if time.monotonic() - self.still_since > STANDSTILL_S:
            self.ask_stop = "no member is in a Primary Component, and all have said so"

    def check_join(self) -> None:
        states = self.peers.states()
        serving = any(rules.serves(state) for state in states.values())
        # A server answers only after it has entered the group, and does not end when it has left that while it joined.
        given_up = self.status is not None and rules.given_up(self.name, states)
        if (serving and not given_up) or self.primary():
            self.lost_since = 0.0
            return
        self.lost_since = self.lost_since or time.monotonic()
        if time.monotonic() - self.lost_since > (LOST_COPY_S if self.server.copying() else LOST_JOIN_S):
            self.ask_stop = "the group has given this joiner up" if given_up else "the Primary Component that it was joining is gone"

    # ---- leaving

    def leave(self, reason: str) -> None:
        planned = self.is_ready()
        if planned:
            self.drained = True
            self.hand_over()
            self.follow_out()
        self.tell("stopping", reason)
        self.server.stop(self.config["stopSeconds"] if planned else 3.0, self.tick)
        if not self.stopping:
            self.drained = False

    def hand_over(self) -> None:
        if not self.is_writer():
            return
        heir = rules.next_writer(self.name, self.peers.states(), self.view(), self.config["members"])
        if heir is None:
            log("no other member can take the writes")
            return
        try:
            self.write_row(heir, self.row.epoch)
        except db.SqlError as problem:
            log(f"the writes were not handed over: {problem}")

    def follow_out(self) -> None:
        """Until HAProxy has taken this member out, both as writer and as reader."""
        end = time.monotonic() + HANDOVER_S + FOLLOW_S if time.monotonic() < self.writer_until else time.monotonic() + FOLLOW_S
        if len(self.view()) <= 1:
            return
        while time.monotonic() < end and self.server.alive():
            self.beat = time.monotonic()
            self.poll()
            time.sleep(TICK_S)


def main() -> int:
    if sys.argv[1:] != ["start"]:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        member = Member(db.read_config(), os.environ["POD_NAME"], os.environ.get("POD_UID", ""))
    except OSError as problem:
        log(f"what was begun on this volume cannot be finished: {problem}")
        return 1
    return member.run()


if __name__ == "__main__":
    sys.exit(main())
