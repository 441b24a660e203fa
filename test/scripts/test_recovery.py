"""recovery.py: which backup a recovery begins with, and what is refused before anything is made."""
import datetime
import json
import os
import pathlib
import sys
import tempfile
import unittest
from unittest import mock

from test_member import member  # registers the module under its name

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "src/render/scripts"))
sys.modules["member"] = member
import recovery  # noqa: E402

SEGMENT = 16 * 1024 * 1024
SHA = "0123456789abcdef0123456789abcdef01234567"
START = datetime.datetime(2026, 3, 1, 12, 0, tzinfo=datetime.timezone.utc)


def after(seconds):
    return START + datetime.timedelta(seconds=seconds)


def text(moment):
    return moment.isoformat(sep=" ", timespec="microseconds")


def name(number, timeline=1):
    return f"{timeline:08X}00000000{number:08X}"


class Bucket:
    """A repository: files, transactions in them, backups. Minutes are the numbers of WAL files."""

    def __init__(self, files=range(1, 11), backups=((2, 3),), version="17", code=0):
        self.files, self.version, self.code = {name(number): after(60 * number) for number in files}, version, code
        self.histories, self.damaged = {}, set()
        self.backups = [self.backup(*numbers) for numbers in backups]

    def backup(self, first, last, timeline=1):
        return {"label": f"backup-{last}", "error": False, "database": {"id": 1}, "archive": {"start": name(first, timeline), "stop": name(last, timeline)},
                "info": {"size": 1000}, "lsn": {"stop": f"0/{last * SEGMENT:X}"}, "timestamp": {"stop": int(after(60 * last).timestamp())}}

    def pgbackrest(self, arguments, environment=None):
        if arguments[-1] == "info":
            return json.dumps([{"repo": [{"status": {"code": self.code, "message": "why"}}], "status": {"code": self.code, "message": "why"},
                                "db": [{"id": 1, "version": self.version}], "archive": [{"id": "17-1", "database": {"id": 1}}], "backup": self.backups}])
        if "repo-ls" in arguments:
            histories = "".join(f"{timeline:08X}.history\n" for timeline in self.histories)
            return histories + "".join(f"{file[:16]}/{file}-{SHA}.zst\n" for file in self.files)
        return self.histories[int(arguments[-1][-16:-8], 16)]


class RecoveryCase(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        os.environ["HOSTNAME"] = "clone-1-0"
        self.cluster = {"name": "clone", "major": "17", "dataDirectory": f"{folder.name}/pg17", "binDirectory": "/nowhere"}
        self.bucket = Bucket()

    def plan(self, kind, value="", **options):
        goal = {"type": kind, "value": text(value) if isinstance(value, datetime.datetime) else value, "exclusive": False, **options}
        bucket = self.bucket
        with mock.patch.object(recovery, "pgbackrest", bucket.pgbackrest), mock.patch.object(recovery.Wal, "size", lambda *_: SEGMENT), \
                mock.patch.object(recovery.Wal, "last_transaction", lambda _, file: bucket.files[file]):
            return recovery.make_plan(self.cluster, {"stanza": "db", "repository": {"storage": "s3://b/shop/orders"}, "goal": goal}).backup

    def refused(self, *arguments, **options):
        with self.assertRaises(member.NotYet) as caught:
            self.plan(*arguments, **options)
        return str(caught.exception)


class TargetTest(RecoveryCase):
    def test_a_time_begins_with_the_newest_backup_that_ended_before_it(self):
        self.bucket.backups.append(self.bucket.backup(6, 7))
        self.assertEqual(self.plan("time", after(6 * 60)), "backup-3")
        self.assertEqual(self.plan("time", after(9 * 60)), "backup-7")

    def test_a_backup_says_whole_seconds_so_a_time_within_its_last_second_is_not_behind_it(self):
        self.bucket.backups.append(self.bucket.backup(6, 7))
        self.assertEqual(self.plan("time", after(7 * 60 + 0.9)), "backup-3")
        self.assertEqual(self.plan("time", after(7 * 60 + 1)), "backup-7")

    def test_a_time_before_the_window_is_refused_with_the_window(self):
        said = self.refused("time", after(0))
        self.assertIn("before the end of the first backup", said)
        self.assertIn("goes from 2026-03-01T12:03:01Z to the last transaction in the archive, 2026-03-01T12:10:00Z", said)

    def test_a_time_behind_the_last_transaction_is_refused_because_postgresql_would_fail_at_the_end_of_the_archive(self):
        said = self.refused("time", after(10 * 60))
        self.assertIn("is not before the last transaction", said)
        self.assertEqual(self.plan("time", after(10 * 60 - 0.000001)), "backup-3")
        self.assertEqual(self.plan("time", after(10 * 60), exclusive=True), "backup-3")

    def test_a_time_in_the_future_is_called_so(self):
        self.assertIn("lies in the future", self.refused("time", datetime.datetime(2999, 1, 1, tzinfo=datetime.timezone.utc)))

    def test_the_latest_begins_with_the_newest_backup(self):
        self.bucket.backups.append(self.bucket.backup(6, 7))
        self.assertEqual(self.plan("latest"), "backup-7")

    def test_a_place_in_the_log_has_a_window_too(self):
        self.assertEqual(self.plan("lsn", f"0/{5 * SEGMENT:X}"), "backup-3")
        self.assertIn("0/3000000 to 0/B000000", self.refused("lsn", f"0/{2 * SEGMENT:X}"))
        self.assertIn("is not in the window", self.refused("lsn", f"0/{11 * SEGMENT:X}"))

    def test_a_transaction_begins_with_the_oldest_backup_since_nobody_knows_when_it_was(self):
        self.bucket.backups.append(self.bucket.backup(6, 7))
        self.assertEqual(self.plan("xid", "700"), "backup-3")
        self.assertEqual(self.plan("name", "before", after=text(after(9 * 60))), "backup-7")
        self.assertIn("no backup ended before", self.refused("xid", "700", after=text(after(0))))


class SourceTest(RecoveryCase):
    def test_wal_that_is_missing_ends_the_window_before_the_gap(self):
        del self.bucket.files[name(6)]
        self.assertEqual(self.plan("time", after(5 * 60 - 1)), "backup-3")
        self.assertIn("2026-03-01T12:05:00Z", self.refused("time", after(8 * 60)))

    def test_a_backup_without_its_wal_or_with_damage_does_not_count(self):
        self.bucket.backups.append(self.bucket.backup(6, 7))
        self.bucket.backups[1]["error"] = True
        self.assertEqual(self.plan("time", after(9 * 60)), "backup-3")
        del self.bucket.files[name(3)]
        self.assertIn("no backup of s3://b/shop/orders can be restored", self.refused("latest"))

    def test_the_way_leads_across_timelines_as_the_history_has_it(self):
        self.bucket.files = {name(number): after(60 * number) for number in (2, 3, 4, 5, 6)}
        # Timeline 1 went on to 6 after the switch in 5: that is no part of the newest one.
        self.bucket.files.update({name(number, 2): after(600 + 60 * number) for number in (5, 6, 7)})
        self.bucket.histories[2] = f"1\t0/{5 * SEGMENT + 100:X}\tno recovery target specified\n"
        self.assertEqual(self.plan("time", after(16 * 60)), "backup-3")
        self.assertIn("12:17:00Z", self.refused("time", after(18 * 60)))
        self.assertIn("12:06:00Z", self.refused("time", after(9 * 60), timeline=1))
        self.assertIn("timeline 3 is not in the archive", self.refused("latest", timeline=3))

    def test_a_backup_whose_end_a_failover_has_left_behind_does_not_count_because_no_server_gets_on_from_there(self):
        self.bucket.files = {name(number): after(60 * number) for number in (2, 3, 4, 5, 6)}
        self.bucket.files.update({name(number, 2): after(600 + 60 * number) for number in (6, 7)})
        self.bucket.histories[2] = f"1\t0/{6 * SEGMENT + 100:X}\tno recovery target specified\n"
        self.bucket.backups.append({**self.bucket.backup(5, 6), "lsn": {"stop": f"0/{6 * SEGMENT + 101:X}"}})
        self.assertEqual(self.plan("latest"), "backup-3")
        self.bucket.backups[-1]["lsn"]["stop"] = f"0/{6 * SEGMENT + 100:X}"
        self.assertEqual(self.plan("latest"), "backup-6")

    def test_another_major_version_is_refused(self):
        self.bucket.version = "16"
        self.assertIn("holds PostgreSQL 16, and this cluster is 17", self.refused("latest"))

    def test_a_backup_of_other_processors_is_refused_since_their_files_cannot_be_read(self):
        self.bucket.backups[0]["annotation"] = {"architecture": "pdp11"}
        self.assertIn("was made on pdp11", self.refused("latest"))

    def test_an_empty_path_is_refused_with_what_may_be_wrong(self):
        self.bucket.code = 1
        self.assertIn("nothing is there. Check the name of the cluster", self.refused("latest"))

    def test_a_volume_that_is_too_small_is_refused_before_the_restore_fills_it(self):
        self.bucket.backups[0]["info"]["size"] = 1 << 60
        self.assertIn("declare a larger storage.size", self.refused("latest"))


class DeclaredAnewTest(RecoveryCase):
    """A target that cannot be reached is corrected in Git; the Pod need not be replaced."""

    def look(self, declared):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        pathlib.Path(folder.name, "cluster.json").write_text(json.dumps({**self.cluster, "recovery": declared}))
        own = {f"EVEREST_OWN_{name}": f"own {name}" for name in member.RECOVERY}
        with mock.patch.object(member, "CONFIG_DIR", folder.name), mock.patch.dict(os.environ, {**own, **member.RECOVERY}), \
                mock.patch.object(recovery.os, "execvp") as begun:
            recovery.restart_if_declared_anew({**self.cluster, "recovery": {"goal": {"type": "latest"}}})
            return begun.called, [os.environ[name] for name in member.RECOVERY]

    def test_another_target_is_taken_up_by_beginning_anew_with_the_cluster_s_own_repository(self):
        self.assertEqual(self.look({"goal": {"type": "time"}}), (True, [f"own {name}" for name in member.RECOVERY]))

    def test_the_same_target_is_waited_for(self):
        self.assertEqual(self.look({"goal": {"type": "latest"}}), (False, list(member.RECOVERY.values())))


class UnfinishedTest(RecoveryCase):
    """A restore that was interrupted must never be taken for the cluster's data."""

    def test_it_is_thrown_away_at_the_next_start(self):
        member.begin_recovery(self.cluster, {"type": "latest"})
        os.makedirs(self.cluster["dataDirectory"])
        member.discard_unfinished(self.cluster)
        self.assertFalse(os.path.exists(self.cluster["dataDirectory"]))
        self.assertTrue(member.unfinished(self.cluster), "the tries are counted on")

    def test_data_without_the_note_stay(self):
        os.makedirs(self.cluster["dataDirectory"])
        member.discard_unfinished(self.cluster)
        self.assertTrue(os.path.exists(self.cluster["dataDirectory"]))

    def test_a_copy_of_what_another_member_has_brought_is_data_and_never_thrown_away(self):
        member.begin_recovery(self.cluster, {"type": "latest"})
        self.assertEqual(member.create_replica(self.cluster, None), 1)
        os.makedirs(self.cluster["dataDirectory"])
        member.discard_unfinished(self.cluster)
        self.assertTrue(os.path.exists(self.cluster["dataDirectory"]))

    def test_tries_are_counted_for_each_target(self):
        for goal in ("a", "a", "b"):
            member.begin_recovery(self.cluster, {"type": goal})
        self.assertEqual(member.unfinished(self.cluster)["attempts"], 1)
        member.begin_recovery(self.cluster, {"type": "b"})
        self.assertEqual(member.unfinished(self.cluster)["attempts"], 2)


class ReplacementTest(RecoveryCase):
    """Data are moved and never removed, whenever the member dies."""

    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.cluster["dataDirectory"]).parent
        self.server("old")
        self.declare(put_back=False)

    def declare(self, put_back):
        self.cluster["replacement"] = {"name": "r1", "putBack": put_back}

    def server(self, content):
        (self.folder / "spool").mkdir()
        self.server_data(content)

    def server_data(self, content):
        (self.folder / "pg17").mkdir()
        (self.folder / "pg17/PG_VERSION").write_text(content)

    def content(self, folder="."):
        return (self.folder / folder / "pg17/PG_VERSION").read_text()

    def dying_after(self, moves, work):
        """The member dies in between; its next start does what is left."""
        real, done = os.rename, []

        def rename(source, target):
            if len(done) == moves:
                raise KeyboardInterrupt
            done.append(source)
            real(source, target)

        with mock.patch.object(recovery.os, "rename", rename):
            try:
                work()
                return False
            except KeyboardInterrupt:
                return True

    def test_data_are_set_aside_once_for_a_name_wherever_the_member_dies(self):
        for moves in range(5):
            with self.subTest(moves=moves):
                died = self.dying_after(moves, lambda: recovery.set_aside(self.cluster))
                if died:
                    self.assertTrue(member.replacement_waits(self.cluster), "it is not done yet")
                    recovery.set_aside(self.cluster)
                self.assertEqual(self.content("before-r1"), "old")
                self.assertFalse(member.replacement_waits(self.cluster))
                self.server("restored")
                self.assertFalse(member.replacement_waits(self.cluster), "restored data are never set aside for the same name")
                for name in ("pg17", "spool", "before-r1"):
                    recovery.shutil.rmtree(self.folder / name)
                self.server("old")

    def test_the_way_back_keeps_both_wherever_the_member_dies(self):
        for moves in range(8):
            with self.subTest(moves=moves):
                recovery.set_aside(self.cluster)
                self.server("restored")
                self.declare(put_back=True)
                if self.dying_after(moves, lambda: recovery.put_back(self.cluster)) and member.replacement_waits(self.cluster):
                    recovery.put_back(self.cluster)
                self.assertEqual((self.content(), self.content("rejected-r1")), ("old", "restored"))
                self.assertFalse(member.replacement_waits(self.cluster))
                self.declare(put_back=False)
                self.assertFalse(member.replacement_waits(self.cluster), "a rejected restore is not done again")
                recovery.shutil.rmtree(self.folder / "rejected-r1")
                recovery.shutil.rmtree(self.folder / "before-r1", ignore_errors=True)

    def test_the_note_of_a_restore_that_failed_does_not_make_leftovers_of_the_data_that_came_back(self):
        recovery.set_aside(self.cluster)
        member.begin_recovery(self.cluster, {"type": "latest"})
        self.declare(put_back=True)
        recovery.put_back(self.cluster)
        member.discard_unfinished(self.cluster)
        self.assertEqual(self.content(), "old")

    def test_a_volume_that_came_later_has_nothing_to_set_aside(self):
        recovery.shutil.rmtree(self.folder / "pg17")
        api = mock.Mock()
        api.call.return_value = {"metadata": {"annotations": {"initialize": "1", member.REPLACED: json.dumps(self.cluster["replacement"])}}}
        member.note_beginning(self.cluster, api)
        self.server_data("a copy of the restored cluster")
        self.assertFalse(member.replacement_waits(self.cluster))

    def test_a_new_volume_of_the_old_cluster_takes_part_in_the_restore_since_all_have_to_stop_for_it(self):
        recovery.shutil.rmtree(self.folder / "pg17")
        api = mock.Mock()
        api.call.return_value = {"metadata": {"annotations": {"initialize": "1"}}}
        member.note_beginning(self.cluster, api)
        self.server_data("a copy of the old cluster")
        self.assertTrue(member.replacement_waits(self.cluster))

    def test_an_interrupted_move_is_not_taken_for_a_volume_that_came_later(self):
        self.dying_after(2, lambda: recovery.set_aside(self.cluster))
        self.assertTrue(member.replacement_waits(self.cluster))

    def test_only_a_server_with_data_of_its_own_gives_up_what_was_set_aside(self):
        recovery.set_aside(self.cluster)
        self.assertEqual(recovery.accept(self.cluster, None), 1)
        self.assertEqual(self.content("before-r1"), "old", "there are no other data yet")
        self.server("restored")
        recovery.accept(self.cluster, None)
        self.assertFalse((self.folder / "before-r1").exists())
        self.assertFalse(member.replacement_waits(self.cluster), "the declaration may stay: it is not done a second time")


class PauseTest(unittest.TestCase):
    """Data that wait at the target, to be looked at."""
    ASKED = {"goal": {"type": "time", "value": "2026-03-01"}, "pauseAtTarget": True}
    THERE = {"paused": True, "lsn": "0/5000060", "at": "2026-03-01"}

    def word(self, state=THERE, **declared):
        return recovery.word({"recovery": {**self.ASKED, **declared}}, self.ASKED, state)

    def test_at_the_target_they_can_be_looked_at_and_before_it_they_are_waited_for(self):
        self.assertEqual([self.word(), self.word(state=None), self.word(state={**self.THERE, "paused": False})], ["look", "wait", "wait"])

    def test_taking_the_pause_out_promotes_them_and_only_at_the_target(self):
        self.assertEqual([self.word(pauseAtTarget=False), self.word(state=None, pauseAtTarget=False)], ["promote", "wait"])

    def test_another_target_begins_anew_and_is_never_taken_for_a_promotion(self):
        self.assertEqual(self.word(goal={"type": "time", "value": "2026-03-02"}, pauseAtTarget=False), "leave")

    def test_the_way_back_and_a_declaration_without_recovery_promote_nothing(self):
        self.assertEqual(recovery.word({"recovery": self.ASKED, "replacement": {"putBack": True}}, self.ASKED, self.THERE), "leave")
        self.assertEqual(recovery.word({}, self.ASKED, self.THERE), "leave")

    def test_postgresql_is_told_to_pause_and_otherwise_to_promote(self):
        goal = {"type": "time", "value": "2026-03-01", "exclusive": False}
        self.assertEqual([recovery.recovery_conf(goal, pause)["recovery_target_action"] for pause in (True, False)], ["pause", "promote"])


class Objects:
    """ConfigMaps of one namespace; a change with an old resourceVersion is refused."""

    def __init__(self, **annotations):
        self.maps = {f"clone-{name}": {"name": f"clone-{name}", "resourceVersion": 1, "annotations": dict(values)} for name, values in annotations.items()}

    def call(self, method, path, body=None):
        name = path.removeprefix("configmaps").removeprefix("/")
        if method == "POST":
            self.maps[body["metadata"]["name"]] = body["metadata"]
            return body
        found = self.maps.get(name)
        if found is None or method == "GET":
            return found and {"metadata": json.loads(json.dumps(found))}
        change = body["metadata"]
        if change.get("resourceVersion", found["resourceVersion"]) != found["resourceVersion"]:
            raise member.Conflict(path)
        found["resourceVersion"] += 1
        found["annotations"] = {key: value for key, value in {**found["annotations"], **change["annotations"]}.items() if value is not None}
        return {"metadata": found}


class MarkTest(RecoveryCase):
    """Patroni's mark that somebody brings the first data stays when that container dies, and everybody waits behind it."""

    def setUp(self):
        super().setUp()
        self.on_sleep = lambda: None
        for patch in (mock.patch.object(recovery.time, "sleep", lambda _: self.on_sleep()), mock.patch.object(member, "log")):
            patch.start()
            self.addCleanup(patch.stop)

    def given_up(self, **annotations):
        objects = Objects(config=annotations)
        member.patiently(lambda: recovery.give_up_turn(self.cluster, objects))
        return objects.maps["clone-config"]["annotations"]

    def test_a_member_takes_its_own_mark_back_when_it_starts_again(self):
        self.assertEqual(self.given_up(initialize="", **{member.RECOVERS: "clone-1-0"}), {})

    def test_the_mark_of_another_member_and_of_a_cluster_with_data_stays(self):
        for told in ({"initialize": "", member.RECOVERS: "clone-2-0"}, {"initialize": "7001", member.RECOVERS: "clone-1-0"}, {"initialize": ""}, {}):
            self.assertEqual(self.given_up(**told), told)

    def test_a_member_that_begins_meanwhile_keeps_its_turn(self):
        objects = Objects(config={"initialize": "", member.RECOVERS: "clone-1-0"})

        def another_one_says_so():
            objects.call("PATCH", "configmaps/clone-config", {"metadata": {"annotations": {member.RECOVERS: "clone-2-0"}}})
        self.on_sleep = another_one_says_so
        member.patiently(lambda: recovery.give_up_turn(self.cluster, objects))
        self.assertEqual(objects.maps["clone-config"]["annotations"], {"initialize": "", member.RECOVERS: "clone-2-0"})

    def test_who_restores_says_so_and_does_not_without_the_mark(self):
        marked, gone = Objects(config={"initialize": ""}), Objects(config={})
        self.assertTrue(recovery.note_recovering(self.cluster, marked))
        self.assertEqual(marked.maps["clone-config"]["annotations"][member.RECOVERS], "clone-1-0")
        self.assertFalse(recovery.note_recovering(self.cluster, gone))

    def test_others_wait_for_a_leader_without_patroni_and_go_on_when_the_mark_is_gone(self):
        for end in ({"leader": {"leader": "clone-2-0"}}, {"config": {"initialize": None}}):
            objects, looks = Objects(config={"initialize": ""}, leader={}), []

            def after_three_looks():
                looks.append(1)
                if len(looks) == 3:
                    for name, annotations in end.items():
                        objects.call("PATCH", f"configmaps/clone-{name}", {"metadata": {"annotations": annotations}})
            self.on_sleep = after_three_looks
            recovery.wait_for_leader(self.cluster, objects)
            self.assertEqual(len(looks), 3)


class EndTest(RecoveryCase):
    """What goes on beside a recovery."""

    def test_patroni_is_woken_by_a_change_of_its_lease_or_by_an_empty_one_where_there_is_none_yet(self):
        there, new = Objects(leader={"ttl": "30"}), Objects()
        recovery.wake_patroni(self.cluster, there)
        self.assertEqual(set(there.maps["clone-leader"]["annotations"]), {"ttl", member.RECOVERED})
        recovery.wake_patroni(self.cluster, new)
        self.assertEqual(new.maps["clone-leader"]["labels"], {"everest.io/cluster": "clone", "everest.io/component": "member"})
        self.assertNotIn("leader", new.maps["clone-leader"]["annotations"], "nobody leads by it")

    def test_it_has_not_ended_before_there_are_data_nor_while_the_signal_is_there(self):
        server = mock.MagicMock()
        server.return_value.__enter__.return_value.value.return_value = False
        folder = pathlib.Path(self.cluster["dataDirectory"])
        with mock.patch.object(member, "Database", server):
            self.assertFalse(recovery.has_ended(self.cluster))
            folder.mkdir()
            (folder / "PG_VERSION").write_text("17")
            (folder / "recovery.signal").touch()
            self.assertFalse(recovery.has_ended(self.cluster))
            (folder / "recovery.signal").unlink()
            self.assertTrue(recovery.has_ended(self.cluster))


class PackedTest(unittest.TestCase):
    def test_files_are_unpacked_as_pgbackrest_packs_them(self):
        plain = bytes(range(256)) * 20000
        import gzip
        self.assertEqual(recovery.UNPACK[".gz"](gzip.compress(plain)), plain)
        self.assertEqual(recovery.UNPACK[""](plain), plain)


if __name__ == "__main__":
    unittest.main()
