"""A restore in place of a Galera cluster: no order of declarations, crashes and stale answers loses data or serves two histories."""
import json
import os
import random
import shutil
import sys
import tempfile
import unittest
from typing import NamedTuple
from unittest import mock

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../src/render/scripts"))
import galera_rules as rules  # noqa: E402
from galera_volume import Volume  # noqa: E402

UUID = "11111111-e9dd-11f1-8e7d-eb26f6272a7b"
MEMBERS = ["orders-1", "orders-2", "orders-3"]
RESTORE, BACK = {"name": "restore-1", "putBack": False}, {"name": "restore-1", "putBack": True}
AGAIN = {"name": "restore-2", "putBack": False}
RUNS = int(os.environ.get("EVEREST_SIM_RUNS", "200"))
ERA_1 = {"number": 1, "by": "restore-1", "done": ["restore-1"]}
ERA_2 = {"number": 2, "by": "restore-1 put back", "done": ["restore-1", "restore-1 put back"], "returned": 0}


def told(name, seqno=-1, phase="waiting", **more):
    """What a member tells; without a position it has no data."""
    uuid = UUID if seqno >= 0 else None
    return {
        "member": name, "bootId": f"boot-{name}", "phase": phase, "position": {"uuid": uuid, "seqno": seqno}, "server": {"pid": None},
        "dataEmpty": seqno < 0, "sstIncomplete": False, "lastPrimaryView": None, "lastBootstrap": None, "era": rules.FIRST_ERA, "holds": None,
        "wsrep": {"clusterStateUuid": uuid, "clusterStatus": "Primary"} if phase in rules.SERVING else None, **more,
    }


def holding(name, wanted=RESTORE, seqno=9, problem=None, returns=None, **more):
    return told(name, seqno, "holding", holds={**wanted, "problem": problem, "returns": returns}, **more)


def hold(own, *others, wanted=RESTORE):
    peers = {name: None for name in MEMBERS if name != own["member"]}
    return rules.hold_verdict(own, {**peers, **{state["member"]: state for state in others}}, MEMBERS, wanted)


class Holding(unittest.TestCase):
    def test_data_move_only_when_every_member_holds_since_one_that_serves_would_go_on_with_the_old_ones(self):
        one, two, three = (holding(name) for name in MEMBERS)
        self.assertEqual(hold(one, two, three).action, "move")
        for other in (told("orders-3", 9), told("orders-3", 9, "synced"), holding("orders-3", BACK), holding("orders-3", server={"pid": 7})):
            verdict = hold(one, two, other)
            self.assertEqual(verdict.action, "hold")
            self.assertIn("orders-3", verdict.because)

    def test_a_member_that_is_not_heard_may_serve(self):
        self.assertEqual(hold(holding("orders-1"), holding("orders-2")).action, "hold")

    def test_those_that_have_been_through_it_count_so_that_a_member_that_died_meanwhile_follows(self):
        self.assertEqual(hold(holding("orders-2"), told("orders-1", era=ERA_1), told("orders-3", 5, "synced", era=ERA_1)).action, "move")

    def test_nothing_moves_while_the_target_cannot_be_reached(self):
        verdict = hold(holding("orders-2"), holding("orders-1", problem="the archive goes from A to B"), holding("orders-3"))
        self.assertEqual((verdict.action, verdict.ambiguous), ("hold", True))
        self.assertIn("the archive goes from A to B", verdict.because)

    def test_there_is_a_way_back_only_where_data_from_before_are_kept(self):
        three = [holding(name, BACK, era=ERA_1) for name in MEMBERS]
        self.assertEqual(hold(*three, wanted=BACK).action, "hold")
        three[2] = holding("orders-3", BACK, returns=0, era=ERA_1)
        self.assertEqual(hold(*three, wanted=BACK).action, "move")

    def test_all_members_come_into_the_same_era_in_whatever_order_they_move(self):
        states = [holding(name) for name in MEMBERS]
        first = rules.next_era(states, RESTORE)
        self.assertEqual(first, ERA_1)
        self.assertEqual(rules.next_era([{**states[0], "era": first}, *states[1:]], RESTORE), first)
        back = [holding(name, BACK, returns=0, era=ERA_1) for name in MEMBERS]
        self.assertEqual(rules.next_era(back, BACK), ERA_2)
        self.assertEqual(rules.next_era([told("orders-1", 9, era=ERA_2), *back[1:]], BACK), ERA_2)

    def test_the_latest_data_of_all_come_back_so_that_those_of_a_member_that_missed_an_earlier_restore_stay_aside(self):
        wanted, era = {"name": "restore-2", "putBack": True}, {"number": 2, "by": "restore-2", "done": ["restore-1", "restore-2"]}
        held = [holding(name, wanted, returns=returns, era=era) for name, returns in zip(MEMBERS, (0, 1, None))]
        self.assertEqual(rules.next_era(held, wanted)["returned"], 1)

    def test_a_promise_to_one_that_holds_has_ended_since_the_two_would_wait_for_each_other(self):
        one = {**holding("orders-1"), "claiming": False}
        self.assertTrue(rules.promise_over(one, "boot-orders-1"))
        self.assertFalse(rules.promise_over({**one, "claiming": True}, "boot-orders-1"))


class Missed(unittest.TestCase):
    def test_what_began_an_era_is_known_by_its_name_so_that_a_member_that_missed_it_can_follow(self):
        self.assertEqual([rules.wanted_of(era) for era in (ERA_1, ERA_2)], [RESTORE, BACK])


class Due(unittest.TestCase):
    def due(self, own, wanted, *others):
        return rules.is_due(own, {state["member"]: state for state in others}, wanted)

    def test_a_name_is_done_once_for_ever(self):
        self.assertTrue(self.due(told("orders-1", 9), RESTORE))
        for era in (ERA_1, ERA_2):
            self.assertFalse(self.due(told("orders-1", 9, era=era), RESTORE))
        self.assertFalse(self.due(told("orders-1", 9, era=ERA_2), BACK))

    def test_the_way_back_of_something_that_was_never_done_holds_nobody_up(self):
        self.assertFalse(self.due(told("orders-1", 9), BACK, told("orders-2", 9)))

    def test_a_member_that_did_not_move_holds_for_the_way_back_of_those_that_did(self):
        self.assertTrue(self.due(told("orders-1", 9), BACK, told("orders-2", era=ERA_1)))

    def test_only_the_last_restore_is_taken_back_since_behind_it_there_are_other_data(self):
        later = {"number": 2, "by": "restore-2", "done": ["restore-1", "restore-2"]}
        self.assertFalse(self.due(told("orders-1", 9, era=later), BACK))

    def test_a_member_without_data_joins_those_that_serve(self):
        self.assertFalse(self.due(told("orders-1"), RESTORE, told("orders-2", 9, "synced", era=ERA_1)))
        self.assertTrue(self.due(told("orders-1"), RESTORE, told("orders-2", 9)))


class Eras(unittest.TestCase):
    def verdict(self, own, *others, initialized=0):
        return rules.verdict(own, {state["member"]: state for state in others}, MEMBERS, initialized)

    def test_old_data_never_begin_beside_a_member_that_has_set_its_own_aside(self):
        moved = told("orders-1", era=ERA_1)
        for name, other in (("orders-2", "orders-3"), ("orders-3", "orders-2")):
            verdict = self.verdict(told(name, 9), moved, told(other, 8))
            self.assertEqual((verdict.action, verdict.ambiguous), ("wait", True))
        self.assertEqual(self.verdict(moved, told("orders-2", 9), told("orders-3", 8)).action, "wait")

    def test_old_data_do_not_join_those_that_serve_the_restored_ones(self):
        verdict = self.verdict(told("orders-2", 9), told("orders-1", 5, "synced", era=ERA_1), told("orders-3", 5, "synced", era=ERA_1))
        self.assertEqual((verdict.action, verdict.ambiguous), ("wait", True))

    def test_an_empty_member_joins_those_of_a_later_era_and_not_those_of_an_earlier_one(self):
        late, early = (told("orders-1", 5, "synced", era=era) for era in (ERA_1, rules.FIRST_ERA))
        self.assertEqual(self.verdict(told("orders-2"), late, told("orders-3")).action, "join")
        self.assertEqual(self.verdict(told("orders-2", era=ERA_1), early, told("orders-3")).action, "wait")

    def test_empty_volumes_are_restored_where_they_were_set_aside_and_a_loss_where_they_were_not(self):
        moved = [told(name, era=ERA_1) for name in MEMBERS]
        self.assertEqual([self.verdict(own, *(other for other in moved if other is not own)).action for own in moved], ["initialize", "wait", "wait"])
        self.assertEqual(self.verdict(*moved, initialized=1).action, "wait")
        self.assertEqual(self.verdict(*moved[:2], told("orders-3")).action, "wait")

    def test_old_data_do_not_begin_where_the_volumes_with_the_later_ones_are_lost(self):
        verdict = self.verdict(told("orders-1", 9), told("orders-2"), told("orders-3"), initialized=1)
        self.assertEqual((verdict.action, verdict.ambiguous), ("wait", True))

    def test_a_promise_is_of_one_era(self):
        own = told("orders-2", 7, era=ERA_1)
        self.assertIsNone(rules.promise_refusal(own, "orders-1", rules.table_of({"orders-2": own}), None))
        self.assertIsNotNone(rules.promise_refusal(own, "orders-1", rules.table_of({"orders-2": told("orders-2", 7)}), None))


class Died(Exception):
    pass


class OnDisk(unittest.TestCase):
    """On a real folder, with the process ending before each single change."""

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def write(self, path, text):
        os.makedirs(os.path.dirname(f"{self.folder}/{path}"), exist_ok=True)
        with open(f"{self.folder}/{path}", "w", encoding="utf-8") as file:
            file.write(text)

    def files(self):
        found = {}
        for folder, _, names in os.walk(self.folder):
            for name in names:
                with open(f"{folder}/{name}", encoding="utf-8") as file:
                    found[os.path.relpath(f"{folder}/{name}", self.folder)] = file.read()
        return found

    def interrupted(self, action, after):
        """Lets that many changes happen, and then dies; true when it came to its end."""
        left = [after]

        def counted(real):
            def change(*arguments, **more):
                if left[0] == 0:
                    raise Died()
                left[0] -= 1
                return real(*arguments, **more)
            return change
        with mock.patch.multiple(os, **{name: counted(getattr(os, name)) for name in ("rename", "unlink", "rmdir", "makedirs")}):
            try:
                action()
                return True
            except Died:
                return False

    def old_cluster(self):
        shutil.rmtree(self.folder)
        os.makedirs(self.folder)
        self.write("data/ibdata1", "old")
        self.write("everest/bootstrap.json", "old notes")

    def step(self, wanted, era):
        volume = Volume(self.folder)
        volume.finish()
        if volume.waits(wanted):
            volume.begin(wanted, era)
            volume.finish()

    def there_and_back(self, deaths):
        """Dies after each of these numbers of changes, once each, and then goes on to the end."""
        for wanted, era, data in ((RESTORE, ERA_1, "new"), (BACK, ERA_2, None)):
            for after in deaths:
                self.interrupted(lambda: self.step(wanted, era), after)
            self.step(wanted, era)
            if data:
                self.assertEqual(self.files()["before-restore-1/data/ibdata1"], "old")
                self.assertFalse(os.path.exists(f"{self.folder}/data"))
                self.write("data/ibdata1", data)
                self.write("everest/bootstrap.json", f"{data} notes")

    def test_the_old_data_come_back_and_the_new_ones_are_kept_wherever_the_process_died(self):
        for first in range(14):
            for second in range(0, 14, 3):
                self.old_cluster()
                self.there_and_back([first, second])
                found = self.files()
                self.assertEqual(json.loads(found.pop("era.json")), ERA_2)
                self.assertEqual(json.loads(found.pop("rejected-restore-1/era.json")), {"number": 1})
                self.assertEqual(found, {
                    "data/ibdata1": "old", "everest/bootstrap.json": "old notes",
                    "rejected-restore-1/data/ibdata1": "new", "rejected-restore-1/everest/bootstrap.json": "new notes",
                })

    def test_a_member_that_joined_after_the_restore_is_empty_after_the_way_back(self):
        self.write("data/ibdata1", "new")
        volume = Volume(self.folder)
        volume.adopt(ERA_1)
        self.step(BACK, ERA_2)
        self.assertEqual(sorted(os.listdir(self.folder)), ["era.json", "rejected-restore-1"])

    def test_data_of_a_member_that_had_missed_an_earlier_restore_are_kept_and_do_not_come_back(self):
        again, back = {"name": "restore-2", "putBack": False}, {"name": "restore-2", "putBack": True}
        self.write("data/ibdata1", "old")
        self.step(again, {"number": 2, "by": "restore-2", "done": ["restore-1", "restore-2"]})
        self.assertEqual(Volume(self.folder).returns("restore-2"), 0)
        self.write("data/ibdata1", "new")
        self.step(back, {"number": 3, "by": "restore-2 put back", "done": ["restore-1", "restore-2", "restore-2 put back"], "returned": 1})
        found = self.files()
        self.assertNotIn("data/ibdata1", found)
        self.assertEqual((found["before-restore-2/data/ibdata1"], found["rejected-restore-2/data/ibdata1"]), ("old", "new"))

    def test_data_in_place_that_are_not_the_latest_are_set_aside_on_the_way_back(self):
        self.write("data/ibdata1", "old")
        self.step({"name": "restore-2", "putBack": True}, {"number": 3, "by": "restore-2 put back", "done": ["restore-2"], "returned": 1})
        self.assertEqual(self.files()["rejected-restore-2/data/ibdata1"], "old")
        self.assertFalse(os.path.exists(f"{self.folder}/data"))

    def test_half_a_restore_that_never_served_is_nothing_that_could_come_back(self):
        self.write("data/ibdata1", "half")
        self.write("everest/initializing.json", "{}")
        self.assertIsNone(Volume(self.folder).returns("restore-1"))

    def test_where_it_is_not_known_of_which_era_they_are_nothing_comes_back(self):
        self.write("before-restore-1/data/ibdata1", "old")
        Volume(self.folder).adopt(ERA_1)
        self.assertIsNone(Volume(self.folder).returns("restore-1"))

    def test_a_member_that_was_never_moved_keeps_its_data_on_the_way_back(self):
        self.write("data/ibdata1", "old")
        self.step(BACK, ERA_2)
        self.assertEqual(self.files()["data/ibdata1"], "old")
        self.assertFalse(Volume(self.folder).waits(BACK))


# ---- lives

class Data(NamedTuple):
    history: str
    rows: int
    #: Who served when they were last changed.
    view: frozenset = frozenset()


class Life:
    """One member. On its volume: `data` or None, `era`, by folder what is `kept` with its era, and what it had begun when
    it died."""

    def __init__(self, name):
        self.name, self.boots = name, 0
        self.data, self.era, self.kept, self.step = Data("old", 0), rules.FIRST_ERA, {}, None
        self.config, self.initialized = None, 0
        self.restart()

    def restart(self):
        self.boots += 1
        self.phase, self.promise, self.holds, self.heard, self.claim = "waiting", None, None, {}, None
        self.finish()

    def finish(self):
        """As Volume.finish, whose every half is tested above."""
        if self.step is None:
            return
        wanted, era = self.step
        name, own = wanted["name"], self.returns(wanted["name"])
        through, counts = name in self.era["done"], own is not None and own == era.get("returned")
        aside = f"before-{name}" if not wanted["putBack"] else f"rejected-{name}"
        if not (wanted["putBack"] and counts and not through):
            self.kept[aside], self.data = (self.data, self.era["number"]), None
        if wanted["putBack"] and counts and through:
            self.data = self.kept.pop(f"before-{name}")[0]
        self.era, self.step = era, None

    def returns(self, name):
        """As Volume.returns."""
        data, era = (self.data, self.era["number"]) if name not in self.era["done"] else self.kept.get(f"before-{name}", (None, 0))
        return era if data else None

    def state(self):
        history, rows, view = self.data or Data(None, -1)
        serving = self.phase == "synced"
        return {
            "member": self.name, "bootId": f"{self.name}-{self.boots}", "phase": self.phase, "position": {"uuid": history, "seqno": rows},
            "server": {"pid": 1 if serving else None}, "dataEmpty": self.data is None, "sstIncomplete": False,
            "lastPrimaryView": {"members": sorted(view)}, "lastBootstrap": None, "era": self.era, "holds": self.holds, "bootstraps": [],
            "wsrep": {"clusterStateUuid": history, "clusterStatus": "Primary"} if serving else None,
        }


class World:
    """Members that hear each other late or not at all, declarations that come to each at another moment and are taken out
    again, and deaths at any moment. Galera is as good as it can be: who serves has all rows."""

    def __init__(self, chance):
        self.chance, self.declared, self.wrongs, self.restores, self.decisions = chance, [None, RESTORE], [], 0, 0
        self.members = {name: Life(name) for name in MEMBERS}
        self.marked = 0
        for member in self.members.values():
            member.data = Data("old", chance.randrange(10, 13), frozenset(MEMBERS))
        self.acked = {"old": max(member.data.rows for member in self.members.values())}

    def live(self, steps, person=False):
        """`person`: somebody decides now and then who begins, though a member is away: that one misses what is done then."""
        for _ in range(steps):
            member = self.members[self.chance.choice(MEMBERS)]
            acts = [self.hear, self.hear, self.act, self.act, self.act, self.read, self.write, self.die, self.forget_promise]
            acts += [self.decide] if person else []
            self.chance.choice(acts)(member)
            self.check()

    def serving(self):
        return [member for member in self.members.values() if member.phase == "synced"]

    def check(self):
        histories = {(member.data.history, member.era["number"]) for member in self.serving()}
        if len(histories) > 1:
            self.wrongs.append(f"two histories serve: {histories}")
        higher = max(member.era["number"] for member in self.members.values())
        if any(member.era["number"] < higher for member in self.serving()):
            self.wrongs.append("old data serve although a member has been through more")

    def read(self, member):
        member.config = self.chance.choice(self.declared)

    def hear(self, member):
        other = self.chance.choice([name for name in MEMBERS if name != member.name])
        member.heard[other] = None if self.chance.random() < 0.1 else self.members[other].state()

    def write(self, member):
        if member.phase == "synced":
            self.serve(member.data.history, member.data.rows + 1)
            self.marked = max(self.marked, member.era["number"])

    def serve(self, history, rows):
        """Those that serve are a view, and have the same rows."""
        serving = self.serving()
        for member in serving:
            member.data = Data(history, rows, frozenset(each.name for each in serving))
        self.acked[history] = max(rows, self.acked.get(history, 0))

    def die(self, member):
        if self.chance.random() < 0.25:
            served = member.phase == "synced"
            member.restart()
            member.initialized = self.marked
            if served and self.serving():
                self.serve(*self.serving()[0].data[:2])

    def decide(self, member):
        """Of one that has been through the most, and has all rows: what the agent shows a person, and the member takes."""
        top = max(other.era["number"] for other in self.members.values())
        through = [other for other in self.members.values() if other.era["number"] == top]
        busy = any(other.phase != "waiting" or other.promise for other in through)
        if busy or self.serving() or member not in through or self.chance.random() < 0.7:
            return
        has_less = member.data.rows < self.acked[member.data.history] if member.data else any(other.data for other in through)
        if has_less or not member.data and self.marked >= top:
            return
        self.decisions += 1
        self.begin(member, "bootstrap" if member.data else "initialize")

    def forget_promise(self, member):
        if member.promise and rules.promise_over({**self.members[member.promise[0]].state(), "claiming": False}, member.promise[1]):
            member.promise = None

    def peers(self, member):
        return {name: member.heard.get(name) for name in MEMBERS if name != member.name}

    def act(self, member):
        if member.phase == "synced":
            return
        peers = self.peers(member)
        if not member.promise and rules.is_due(member.state(), peers, member.config):
            self.hold(member, peers)
            return
        member.holds, member.phase = None, "waiting"
        decision = rules.verdict(member.state(), peers, MEMBERS, member.initialized)
        if decision.action == "join":
            self.join(member)
        elif decision.action in ("bootstrap", "initialize") and not member.promise and self.promised(member, peers):
            self.begin(member, decision.action)

    def hold(self, member, peers):
        problem = "not yet" if self.chance.random() < 0.2 else None
        member.phase, member.holds = "holding", {**member.config, "problem": problem, "returns": member.returns(member.config["name"])}
        if rules.hold_verdict(member.state(), peers, MEMBERS, member.config).action != "move":
            return
        # Others may act between the last look and the first rename.
        now = {name: self.members[name].state() for name in peers}
        if rules.hold_verdict(member.state(), now, MEMBERS, member.config).action != "move":
            return
        wanted = member.config
        member.step = (wanted, rules.next_era([member.state(), *now.values()], wanted))
        if self.chance.random() < 0.3:
            member.restart()
        else:
            member.finish()
            member.phase, member.holds = "waiting", None

    def join(self, member):
        donors = self.serving()
        if donors:
            donor = self.chance.choice(donors)
            if member.data and (member.data.history != donor.data.history or member.era["number"] != donor.era["number"]):
                self.wrongs.append(f"a copy deletes the data of {member.name}")
            member.data, member.era, member.phase, member.promise = donor.data, donor.era, "synced", None
            self.serve(*donor.data[:2])

    def promised(self, member, peers):
        table = rules.table_of({member.name: member.state(), **peers})
        for name in peers:
            other = self.members[name]
            if self.chance.random() < 0.1 or rules.promise_refusal(other.state(), member.name, table, other.promise and other.promise[0]):
                return False
            other.promise = (member.name, member.state()["bootId"])
        return True

    def begin(self, member, action):
        if self.serving():
            self.wrongs.append(f"{member.name} begins while others serve")
        if action == "initialize":
            self.restores += 1
            member.data = Data(f"restored-{self.restores}", 5)
        elif member.data.rows < self.acked.get(member.data.history, 0):
            self.wrongs.append(f"{member.name} begins at {member.data.rows}, and {self.acked[member.data.history]} were acknowledged")
        member.phase = "synced"
        self.serve(*member.data[:2])

    def settle(self, declared):
        """From here on everybody has the same declaration and hears the others; all Pods are deleted at once."""
        self.declared = [declared]
        for member in self.members.values():
            member.restart()
            member.initialized = self.marked
        for _ in range(600):
            for member in self.members.values():
                self.read(member)
                for name in MEMBERS:
                    if name != member.name:
                        member.heard[name] = self.members[name].state()
                self.forget_promise(member)
                self.act(member)
                self.check()
            if len(self.serving()) == len(MEMBERS):
                return True
        return False


class Lives(unittest.TestCase):
    def test_a_restore_and_its_way_back_through_any_crashes_lose_nothing_and_end_whole(self):
        restored = 0
        for seed in range(RUNS):
            world = World(random.Random(seed))
            world.live(400)
            self.assertEqual(world.wrongs, [], f"seed {seed}")
            self.assertTrue(world.settle(RESTORE), f"seed {seed}: {self.tell(world)}")
            self.assertTrue(all(member.data.history.startswith("restored") for member in world.serving()), f"seed {seed}: {self.tell(world)}")
            restored += 1
            world.declared = [RESTORE, BACK, None]
            world.live(400)
            self.assertEqual(world.wrongs, [], f"seed {seed}")
            self.assertTrue(world.settle(BACK), f"seed {seed}: {self.tell(world)}")
            self.assertEqual({member.data[:2] for member in world.serving()}, {("old", world.acked["old"])}, f"seed {seed}: {self.tell(world)}")
            self.assertEqual(world.wrongs, [], f"seed {seed}")
        self.assertGreater(restored, RUNS / 4)

    def test_a_member_that_missed_a_restore_neither_begins_nor_counts_nor_joins_with_its_old_data(self):
        """Two restores, one behind the other, and the way back behind the second, while a person does not wait for everybody."""
        ends, missed, decisions = {"back": 0, "waits": 0}, 0, 0
        for seed in range(RUNS):
            world = World(random.Random(seed))
            world.live(400, person=True)
            missed += len({member.era["number"] for member in world.members.values()}) > 1
            world.declared = [AGAIN, AGAIN, None]
            world.live(400, person=True)
            missed += len({member.era["number"] for member in world.members.values()}) > 1
            self.assertEqual(world.wrongs, [], f"seed {seed}")
            if not world.settle(AGAIN):
                self.fail(f"seed {seed}: {self.tell(world)}")
            before = max((kept for member in world.members.values() for folder, kept in member.kept.items() if folder == "before-restore-2" and kept[0]),
                         key=lambda kept: kept[1], default=None)
            world.declared = [{**AGAIN, "putBack": True}, None]
            world.live(300, person=True)
            settled = world.settle({**AGAIN, "putBack": True})
            self.assertEqual(world.wrongs, [], f"seed {seed}")
            ends["back" if settled else "waits"] += 1
            decisions += world.decisions
            if settled and before:
                history = before[0].history
                self.assertEqual({member.data[:2] for member in world.serving()}, {(history, world.acked[history])}, f"seed {seed}: {self.tell(world)}")
        self.assertTrue(missed > RUNS / 20 and decisions > RUNS / 20 and ends["back"] > RUNS / 4, f"{missed} missed, {decisions} decided, {ends}")

    @staticmethod
    def tell(world):
        return "; ".join(f"{member.name} {member.phase} {member.data} era {member.era} kept {member.kept}" for member in world.members.values())


if __name__ == "__main__":
    unittest.main()
