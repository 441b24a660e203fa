"""What a member of a Galera cluster decides, and that no order of crashes, stale answers and lost messages makes two histories."""
import os
import random
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../src/render/scripts"))
import galera_rules as rules  # noqa: E402

UUID, OTHER = "11111111-e9dd-11f1-8e7d-eb26f6272a7b", "22222222-e9dd-11f1-8e7d-eb26f6272a7b"
MEMBERS = ["orders-1", "orders-2", "orders-3"]


def told(name, seqno=-1, phase="waiting", **more):
    """What a member tells; without a position it has no data."""
    uuid = UUID if seqno >= 0 else None
    return {
        "member": name, "bootId": f"boot-{name}", "phase": phase, "position": {"uuid": uuid, "seqno": seqno},
        "dataEmpty": seqno < 0, "sstIncomplete": False, "lastPrimaryView": None, "lastBootstrap": {"n": 1, "id": "first", "seqno": 0},
        "wsrep": {"clusterStateUuid": uuid, "clusterStatus": "Primary"} if phase in rules.SERVING else None, **more,
    }


def verdicts(states, initialized=0):
    """Of each member that waits, with all others heard."""
    return {
        own["member"]: rules.verdict(own, {state["member"]: state for state in states if state is not own}, MEMBERS, initialized)
        for own in states
    }


def actions(states, initialized=0):
    return [verdict.action for verdict in verdicts(states, initialized).values()]


class Recovery(unittest.TestCase):
    def test_the_highest_position_bootstraps_and_the_others_wait(self):
        states = [told("orders-1", 1667), told("orders-2", 1668), told("orders-3", 1660)]
        self.assertEqual(actions(states), ["wait", "bootstrap", "wait"])

    def test_of_equals_every_member_finds_the_same_one(self):
        states = [told("orders-1", 9), told("orders-2", 9), told("orders-3", 9)]
        self.assertEqual(actions(states), ["bootstrap", "wait", "wait"])

    def test_nobody_goes_on_while_one_member_is_not_heard_since_it_may_have_the_newest_data(self):
        own = told("orders-1", 9)
        verdict = rules.verdict(own, {"orders-2": told("orders-2", 8), "orders-3": None}, MEMBERS, 0)
        self.assertEqual((verdict.action, verdict.ambiguous), ("wait", True))
        self.assertIn("orders-3", verdict.because)

    def test_nobody_goes_on_while_one_member_has_a_server_that_runs(self):
        states = [told("orders-1", 9), told("orders-2", 8), told("orders-3", 10, phase="nonprimary")]
        self.assertEqual(actions(states[:2] + states[2:])[0], "wait")

    def test_minus_one_and_the_zero_uuid_are_never_positions(self):
        for position in ({"uuid": UUID, "seqno": -1}, {"uuid": rules.ZERO_UUID, "seqno": 5}, {"uuid": None, "seqno": 5}):
            unknown = {**told("orders-2", 5), "position": position}
            for verdict in verdicts([told("orders-1", 9), unknown, told("orders-3", 9)]).values():
                self.assertEqual((verdict.action, verdict.ambiguous), ("wait", True))

    def test_different_histories_wait_for_a_person(self):
        other = {**told("orders-3", 5), "position": {"uuid": OTHER, "seqno": 99}}
        self.assertTrue(all(verdict.ambiguous for verdict in verdicts([told("orders-1", 9), told("orders-2", 9), other]).values()))

    def test_half_a_copy_is_no_candidate_whatever_its_position_says(self):
        half = told("orders-3", 2000, sstIncomplete=True)
        self.assertEqual(actions([told("orders-1", 9), told("orders-2", 8), half]), ["bootstrap", "wait", "wait"])

    def test_data_from_before_an_earlier_recovery_are_no_candidate(self):
        later = {"n": 2, "id": "second", "seqno": 1667}
        states = [told("orders-1", 1700, lastBootstrap=later), told("orders-2", 1690, lastBootstrap=later), told("orders-3", 1695)]
        self.assertEqual(actions(states), ["bootstrap", "wait", "wait"])

    def test_a_member_that_is_ahead_of_a_later_bootstrap_may_have_followed_a_promotion_without_noting_it_and_is_not_left_out(self):
        promoted = {"n": 2, "id": "second", "seqno": 1667}
        states = [told("orders-1", 1700, lastBootstrap=promoted), told("orders-2", 1701), told("orders-3", 1660)]
        for verdict in verdicts(states).values():
            self.assertEqual((verdict.action, verdict.ambiguous), ("wait", True))
            self.assertIn("orders-2 is ahead of orders-1", verdict.because)

    def test_members_that_were_bootstrapped_apart_wait_for_a_person(self):
        states = [told("orders-1", 9, lastBootstrap={"n": 2, "id": "a", "seqno": 5}),
                  told("orders-2", 9, lastBootstrap={"n": 2, "id": "b", "seqno": 5}), told("orders-3", 5)]
        self.assertTrue(all(verdict.ambiguous for verdict in verdicts(states).values()))

    def test_lost_data_of_the_last_primary_component_are_a_matter_for_a_person(self):
        view = {"uuid": UUID, "view": 4, "members": MEMBERS}
        states = [told("orders-1", 9, lastPrimaryView=view), told("orders-2", 8, lastPrimaryView=view), told("orders-3")]
        self.assertTrue(all(verdict.ambiguous for verdict in verdicts(states).values()))

    def test_a_new_cluster_is_made_by_the_first_member_and_only_once(self):
        empty = [told(name) for name in MEMBERS]
        self.assertEqual(actions(empty, initialized=None), ["initialize", "wait", "wait"])
        self.assertTrue(all(verdict.ambiguous for verdict in verdicts(empty, initialized=0).values()))


class Joining(unittest.TestCase):
    def verdict(self, own, **primary):
        bootstraps = [{"n": 1, "id": "first", "seqno": 0}, {"n": 2, "id": "second", "seqno": 1667}]
        serving = told("orders-1", 2000, **{"phase": "synced", "lastBootstrap": bootstraps[-1], "bootstraps": bootstraps, **primary})
        return rules.verdict(own, {"orders-1": serving, "orders-3": None}, MEMBERS, 0)

    def test_data_up_to_the_bootstrap_join(self):
        self.assertEqual(self.verdict(told("orders-2", 1667)).action, "join")

    def test_data_above_the_bootstrap_would_diverge_in_silence_and_wait(self):
        verdict = self.verdict(told("orders-2", 1668))
        self.assertEqual((verdict.action, verdict.ambiguous), ("wait", True))
        self.assertIn("1668", verdict.because)

    def test_data_written_under_the_same_bootstrap_join_whatever_their_position(self):
        own = told("orders-2", 1999, lastBootstrap={"n": 2, "id": "second", "seqno": 1667})
        self.assertEqual(self.verdict(own).action, "join")

    def test_data_that_parted_at_an_earlier_bootstrap_wait_although_a_later_one_was_higher(self):
        three = [{"n": 1, "id": "first", "seqno": 0}, {"n": 2, "id": "second", "seqno": 200}, {"n": 3, "id": "third", "seqno": 300}]
        verdict = self.verdict(told("orders-2", 250), bootstraps=three)
        self.assertTrue(verdict.ambiguous)
        self.assertIn("200", verdict.because)

    def test_another_history_waits_since_a_copy_would_delete_it(self):
        own = {**told("orders-2", 5), "position": {"uuid": OTHER, "seqno": 5}}
        self.assertTrue(self.verdict(own).ambiguous)

    def test_an_unknown_position_waits(self):
        own = {**told("orders-2", 5), "position": {"uuid": None, "seqno": -1}}
        self.assertTrue(self.verdict(own).ambiguous)

    def test_a_peer_whose_server_has_just_died_serves_nobody_although_its_phase_still_says_so(self):
        self.assertEqual(self.verdict(told("orders-2", 1667), wsrep=None).action, "wait")

    def test_an_empty_member_joins(self):
        self.assertEqual(self.verdict(told("orders-2")).action, "join")


class GivenUp(unittest.TestCase):
    def given_up(self, *views):
        states = {}
        for number, view in enumerate(views, 2):
            state = told(f"orders-{number}", 5, "synced")
            state["wsrep"]["members"] = [{"name": name, "gcommUuid": name} for name in view]
            states[state["member"]] = state
        return rules.given_up("orders-1", {"orders-9": None, **states})

    def test_a_joiner_that_nobody_counts_on_any_more_starts_over_since_its_server_would_wait_for_ever(self):
        self.assertTrue(self.given_up(["orders-2", "orders-3"], ["orders-2", "orders-3"]))

    def test_one_that_somebody_counts_on_goes_on_since_views_are_told_at_different_moments(self):
        self.assertFalse(self.given_up(["orders-2", "orders-3"], ["orders-1", "orders-2", "orders-3"]))

    def test_where_nobody_serves_nothing_is_known(self):
        self.assertFalse(self.given_up())


class Promises(unittest.TestCase):
    def refusal(self, own, promised=None, table=None):
        table = rules.table_of({own["member"]: own}) if table is None else table
        return rules.promise_refusal(own, "orders-1", table, promised)

    def test_a_waiting_member_promises_once(self):
        own = told("orders-2", 7)
        self.assertIsNone(self.refusal(own))
        self.assertIsNone(self.refusal(own, promised="orders-1"))
        self.assertIn("orders-3", self.refusal(own, promised="orders-3"))

    def test_no_promise_about_data_that_have_moved_on_or_of_an_earlier_process(self):
        own = told("orders-2", 7)
        self.assertIsNotNone(self.refusal(own, table={"orders-2": ["boot-orders-2", UUID, 6]}))
        self.assertIsNotNone(self.refusal(own, table={"orders-2": ["boot-before", UUID, 7]}))

    def test_no_promise_of_a_member_that_bootstraps_or_runs(self):
        for more in ({"claiming": True}, {"granted": True}, {"phase": "joining"}):
            self.assertIsNotNone(self.refusal({**told("orders-2", 7), **more}))


    def test_a_promise_lasts_until_the_other_one_waits_again_or_is_another_process(self):
        for phase, claiming, over in (("waiting", True, False), ("starting", False, False), ("synced", False, False), ("waiting", False, True)):
            self.assertEqual(rules.promise_over(told("orders-1", 7, phase, claiming=claiming), "boot-orders-1"), over, phase)
        self.assertTrue(rules.promise_over(told("orders-1", 7, "starting", claiming=True), "boot-before"))


class Writer(unittest.TestCase):
    ROW = rules.Row("orders-1", "a", 4)

    def test_no_failback_the_writer_stays_while_it_is_in_the_view(self):
        self.assertIsNone(rules.claim_rank(self.ROW, {"orders-1": "a", "orders-2": "b"}, "orders-2", MEMBERS, False))

    def test_a_writer_that_came_back_as_another_process_is_not_the_writer(self):
        view = {"orders-1": "new", "orders-2": "b", "orders-3": "c"}
        self.assertEqual(rules.claim_rank(self.ROW, view, "orders-2", MEMBERS, False), 1)

    def test_members_claim_in_turn_and_those_that_leave_last(self):
        view = {"orders-2": "b", "orders-3": "c"}
        ranks = [rules.claim_rank(self.ROW, view, name, MEMBERS, False) for name in ("orders-2", "orders-3")]
        self.assertEqual(ranks, [0, 1])
        self.assertGreater(rules.claim_rank(self.ROW, view, "orders-2", MEMBERS, True), 1)

    def test_the_last_member_claims_at_once_although_it_leaves(self):
        self.assertEqual(rules.claim_rank(self.ROW, {"orders-2": "b"}, "orders-2", MEMBERS, True), 0)

    def test_writes_go_to_a_synced_member_that_is_not_drained(self):
        peers = {"orders-2": told("orders-2", 9, phase="donor"), "orders-3": told("orders-3", 9, phase="synced")}
        view = {name: "x" for name in MEMBERS}
        self.assertEqual(rules.next_writer("orders-1", peers, view, MEMBERS), "orders-3")
        peers["orders-3"]["drained"] = True
        self.assertIsNone(rules.next_writer("orders-1", peers, view, MEMBERS))


class Donors(unittest.TestCase):
    def test_the_writer_is_spared_and_so_is_whoever_is_not_in_step(self):
        writer = {"member": "orders-1", "gcommUuid": "a", "epoch": 1}
        peers = {"orders-1": told("orders-1", 9, "synced", writer=writer), "orders-2": told("orders-2", 9, "synced", writer=writer),
                 "orders-3": told("orders-3", 9, "donor", writer=writer), "orders-4": None}
        self.assertEqual(rules.donors(peers, [*MEMBERS, "orders-4"]), ["orders-2"])


class Member:
    """One in the simulation: what it tells, what it last heard, and whom it has promised."""

    def __init__(self, name, seqno):
        self.name, self.boots, self.promise, self.heard = name, 0, None, {}
        self.state = told(name, seqno)
        self.restart()

    def restart(self):
        self.boots += 1
        self.promise, self.heard = None, {}
        self.state = {**self.state, "bootId": f"{self.name}-{self.boots}", "phase": "waiting", "wsrep": None}


class World:
    """Members that hear each other late or not at all, crash and restart. `histories` has every bootstrap there was."""

    def __init__(self, chance):
        self.chance = chance
        self.members = {name: Member(name, chance.randrange(1000, 1004)) for name in MEMBERS}
        self.bootstraps = []

    def step(self):
        member = self.members[self.chance.choice(MEMBERS)]
        self.chance.choice([self.hear, self.hear, self.act, self.act, self.act, self.crash])(member)

    def hear(self, member):
        other = self.chance.choice([name for name in MEMBERS if name != member.name])
        member.heard[other] = None if self.chance.random() < 0.1 else dict(self.members[other].state)

    def crash(self, member):
        if self.chance.random() < 0.15:
            member.restart()

    def act(self, member):
        if member.state["phase"] != "waiting" or member.promise:
            return
        peers = {name: member.heard.get(name) for name in MEMBERS if name != member.name}
        verdict = rules.verdict(member.state, peers, MEMBERS, 0)
        if verdict.action == "bootstrap" and self.promised(member, peers):
            self.bootstrap(member)

    def promised(self, member, peers):
        table = rules.table_of({member.name: member.state, **peers})
        for name in peers:
            other = self.members[name]
            lost = self.chance.random() < 0.1
            if lost or rules.promise_refusal(other.state, member.name, table, other.promise):
                return False
            other.promise = member.name
        return True

    def bootstrap(self, member):
        best = max(other.state["position"]["seqno"] for other in self.members.values())
        self.bootstraps.append((member.name, member.state["position"]["seqno"], best))
        member.state = {**member.state, "phase": "synced", "wsrep": {"clusterStateUuid": UUID, "clusterStatus": "Primary"}}


class Simulation(unittest.TestCase):
    def test_never_a_lower_position_and_never_a_second_bootstrap_while_one_serves(self):
        done = 0
        for seed in range(400):
            world = World(random.Random(seed))
            for _ in range(300):
                world.step()
                serving = [member.name for member in world.members.values() if member.state["phase"] == "synced"]
                self.assertLessEqual(len(serving), 1, f"seed {seed}: {serving}")
            for name, seqno, best in world.bootstraps:
                self.assertEqual(seqno, best, f"seed {seed}: {name}")
            done += len(world.bootstraps)
        self.assertGreater(done, 200, "the simulation hardly ever bootstraps, so it proves nothing")


if __name__ == "__main__":
    unittest.main()
