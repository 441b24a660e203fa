"""snapshot.py: backup mode for whoever makes a snapshot, and volumes that were made of one."""
import io
import json
import os
import pathlib
import sys
import tempfile
import unittest
from unittest import mock

from test_member import member
from test_recovery import SEGMENT, Bucket, after, name, recovery

import snapshot

LABEL = "START WAL LOCATION: 0/2000028 (file 000000010000000000000002)\nCHECKPOINT LOCATION: 0/2000060\nSTART TIMELINE: 1\n"
GOAL = {"type": "time", "value": "2026-03-01 12:05:00.000000+00:00", "exclusive": False}


class Error(Exception):
    """As a driver of PostgreSQL has one."""


class Server:
    """A server by its answers; what is not asked for here is 1."""

    def __init__(self, **answers):
        self.asked, self.answers = [], {"pg_is_in_recovery": False, "pg_tablespace": 0, "server_version_num": "170000", "wal_segment_size": str(SEGMENT),
                                        "pg_control_checkpoint": 1, "pg_control_recovery": 1, **answers}
        self.connection = mock.Mock()
        self.connection.cursor.return_value.fetchone.return_value = ("0/3000050", LABEL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def run(self, statement):
        self.asked.append(statement)

    def value(self, query, *_):
        self.asked.append(query)
        found = next((answer for word, answer in self.answers.items() if word in query), 1)
        if isinstance(found, Exception):
            raise found
        return found


class SnapshotCase(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.volume = pathlib.Path(folder.name)
        self.cluster = {"name": "orders", "members": ["orders-1-0", "orders-2-0"], "major": "17", "dataDirectory": f"{self.volume}/pg17",
                        "socketDirectory": str(self.volume)}
        self.mark = self.volume / member.SNAPSHOT_MARK
        patch = mock.patch.dict(os.environ, HOSTNAME="orders-1-0")
        patch.start()
        self.addCleanup(patch.stop)


class HoldTest(SnapshotCase):
    def hold(self, server, limit=5.0, seen=None):
        out = io.StringIO()
        with mock.patch.object(member, "Database", lambda _: server), mock.patch.object(member, "driver", lambda: mock.Mock(Error=Error)), \
                mock.patch.object(snapshot.time, "sleep", lambda _: (seen or (lambda: None))()), mock.patch.object(sys, "stdout", out):
            code = snapshot.hold(self.cluster, "s1", limit)
        return code, [json.loads(line) for line in out.getvalue().splitlines()]

    def released(self):
        self.assertEqual(json.loads(self.mark.read_text())["snapshot"], "s1", "the mark lies on the volume while it is copied")
        snapshot.speak(self.cluster, "s1", "release")

    def test_it_prints_what_the_snapshot_has_to_say_of_itself_and_leaves_nothing(self):
        code, (held, told) = self.hold(Server(), seen=self.released)
        self.assertEqual((code, held), (0, {"held": "s1"}))
        facts = told["facts"]
        self.assertEqual([facts[key] for key in ("label", "stopLsn", "startLsn", "startWal", "stopWal", "member", "major")],
                         [LABEL, "0/3000050", "0/2000028", name(2), name(3), "orders-1-0", "17"])
        self.assertEqual(os.listdir(self.volume), [])

    def test_a_standby_tells_the_timeline_that_its_files_have_reached(self):
        server = Server(pg_is_in_recovery=True, pg_control_recovery=3)
        _, (_, told) = self.hold(server, seen=self.released)
        self.assertEqual(told["facts"]["stopWal"], name(3, timeline=3))

    def test_a_standby_that_does_not_stream_is_refused_since_its_data_may_be_old(self):
        code, said = self.hold(Server(pg_is_in_recovery=True, pg_stat_wal_receiver=0))
        self.assertEqual((code, said), (1, []))

    def test_tablespaces_are_refused_since_they_lie_elsewhere(self):
        self.assertEqual(self.hold(Server(pg_tablespace=1)), (1, []))

    def test_without_a_word_backup_mode_ends_by_itself(self):
        with mock.patch.object(snapshot.time, "monotonic", iter(range(100)).__next__):
            code, said = self.hold(Server(), limit=5.0)
        self.assertEqual((code, said[0]), (1, {"held": "s1"}))
        self.assertFalse(any("facts" in line for line in said), "nothing is told that could make the snapshot count")
        self.assertEqual(os.listdir(self.volume), [])

    def test_it_goes_on_for_as_long_as_something_is_heard(self):
        times, looks = iter(range(1000)), []

        def seen():
            looks.append(1)
            snapshot.speak(self.cluster, "s1", "keep" if len(looks) < 20 else "release")

        with mock.patch.object(snapshot.time, "monotonic", times.__next__):
            self.assertEqual(self.hold(Server(), limit=5.0, seen=seen)[0], 0)
        self.assertEqual(os.listdir(self.volume), [])

    def test_a_server_that_has_gone_ends_it_without_facts(self):
        server = Server()
        server.connection.cursor.return_value.execute.side_effect = Error("terminating connection")
        code, said = self.hold(server, seen=self.released)
        self.assertEqual((code, said), (1, [{"held": "s1"}]))

    def test_old_servers_have_the_functions_by_their_old_names(self):
        server = Server(server_version_num="140000")
        self.hold(server, seen=self.released)
        self.assertTrue(any("pg_start_backup(%s, true, false)" in query for query in server.asked))
        self.assertIn("pg_stop_backup(false, false)", str(server.connection.cursor.return_value.execute.call_args))

    def test_a_place_at_the_border_is_in_the_file_that_ends_there(self):
        self.assertEqual(snapshot.wal_name(1, f"0/{3 * SEGMENT:X}", SEGMENT), name(2))
        self.assertEqual(snapshot.wal_name(1, f"0/{3 * SEGMENT + 1:X}", SEGMENT), name(3))


class VolumeCase(SnapshotCase):
    """The first member of a clone, on a volume that was made of the snapshot s1 of `orders`."""

    def setUp(self):
        super().setUp()
        self.cluster = {**self.cluster, "name": "clone", "members": ["clone-1-0", "clone-2-0"],
                        "recovery": {"snapshot": {"name": "s1", "size": "10Gi"}, "goal": GOAL}}
        os.environ["HOSTNAME"] = "clone-1-0"
        self.mark.write_text(json.dumps({"snapshot": "s1", "cluster": "orders", "member": "orders-2-0"}))
        for path, text in {"pg17/PG_VERSION": "17", "pg17/standby.signal": "", "pg17/postmaster.pid": "7", "pg17/pg_wal/" + name(9): "old",
                           "pg17/pg_replslot/orders_1_0/state": "x", "pg17/base/5/pg_internal.init": "x", "pg17/base/pgsql_tmp/1": "x",
                           "pg17/patroni.dynamic.json": "{}", "pg17/backup_label.old": "x", "spool/archive": "x",
                           "pg17/postgresql.auto.conf": "work_mem = '8MB'\nprimary_conninfo = 'host=old'\n"}.items():
            (self.volume / path).parent.mkdir(parents=True, exist_ok=True)
            (self.volume / path).write_text(text)
        (self.volume / "member.lock").touch()
        self.copy = self.volume / "snapshot-s1/pg17"
        self.data = self.volume / "pg17"

    def adopt(self):
        return snapshot.adopt(self.cluster)

    def place(self, goal=GOAL):
        snapshot.check_copy(self.cluster, goal)
        member.begin_recovery(self.cluster, goal)
        snapshot.place(self.cluster, {"label": LABEL}, goal)

    def refused(self, goal=GOAL):
        with self.assertRaises(member.NotYet) as caught:
            snapshot.check_copy(self.cluster, goal)
        return str(caught.exception)

    def replayed(self):
        """As a server leaves its files when it is ended in the middle."""
        (self.data / "backup_label").rename(self.data / "backup_label.old")
        (self.data / "recovery.signal").touch()


class AdoptTest(VolumeCase):
    def test_another_clusters_data_are_set_apart_so_that_nobody_starts_them(self):
        self.assertEqual(self.adopt(), 0)
        self.assertFalse(member.has_data(self.cluster))
        self.assertEqual(sorted(os.listdir(self.volume)), ["member.lock", "snapshot-s1"])
        self.assertEqual((self.copy / "PG_VERSION").read_text(), "17")

    def test_it_is_done_whole_wherever_the_member_dies(self):
        real, done = os.rename, []

        def rename(source, target):
            if len(done) == 1:
                raise KeyboardInterrupt
            done.append(source)
            real(source, target)

        with mock.patch.object(snapshot.os, "rename", rename), self.assertRaises(KeyboardInterrupt):
            self.adopt()
        self.assertTrue(self.mark.exists(), "it is not done yet")
        self.adopt()
        self.assertEqual(sorted(os.listdir(self.volume)), ["member.lock", "snapshot-s1"])

    def test_a_mark_of_ones_own_is_what_a_member_left_that_died_in_backup_mode(self):
        self.mark.write_text(json.dumps({"snapshot": "s0", "cluster": "clone", "member": "clone-1-0"}))
        self.assertEqual(self.adopt(), 0)
        self.assertEqual((self.mark.exists(), self.data.exists()), (False, True))

    def test_a_copy_that_nobody_has_declared_is_not_started(self):
        del self.cluster["recovery"]
        self.assertEqual(self.adopt(), 1)
        self.assertTrue(self.mark.exists() and self.data.exists())


class PlaceTest(VolumeCase):
    def setUp(self):
        super().setUp()
        self.adopt()

    def test_the_copy_becomes_the_data_with_the_label_and_without_what_was_the_old_servers(self):
        self.place()
        self.assertEqual((self.data / "backup_label").read_text(), LABEL)
        for gone in ("standby.signal", "postmaster.pid", "patroni.dynamic.json", "pg_wal/" + name(9), "pg_replslot/orders_1_0", "base/5/pg_internal.init",
                     "base/pgsql_tmp", "backup_label.old"):
            self.assertFalse((self.data / gone).exists(), gone)
        self.assertEqual((self.data / "postgresql.auto.conf").read_text(), "work_mem = '8MB'\n")
        self.assertTrue((self.data / "pg_wal/archive_status").is_dir())

    def test_a_volume_of_its_own_for_the_log_is_emptied_and_linked(self):
        self.cluster["walDirectory"] = str(self.volume / "wal/pg17")
        (self.volume / "wal/pg17").mkdir(parents=True)
        (self.volume / "wal/pg17" / name(4)).touch()
        self.place()
        self.assertEqual(os.readlink(self.data / "pg_wal"), self.cluster["walDirectory"])
        self.assertEqual(os.listdir(self.volume / "wal/pg17"), ["archive_status"])

    def test_what_was_interrupted_goes_on_and_is_not_begun_anew_since_there_is_one_copy(self):
        self.place()
        self.replayed()
        member.discard_unfinished(self.cluster)
        self.assertFalse(member.has_data(self.cluster))
        self.place()
        self.assertFalse((self.data / "backup_label").exists(), "the server knows where it was")
        self.assertEqual(member.unfinished(self.cluster)["attempts"], 2)

    def test_it_goes_on_too_where_patroni_has_moved_the_data_away(self):
        self.place()
        self.replayed()
        self.data.rename(f"{self.data}.failed")
        member.discard_unfinished(self.cluster)
        self.assertTrue((self.copy / "PG_VERSION").exists())

    def test_an_earlier_target_is_refused_because_the_copy_may_be_past_it(self):
        self.place()
        self.replayed()
        member.discard_unfinished(self.cluster)
        for goal in ({**GOAL, "value": "2026-03-01 12:04:59.000000+00:00"}, {"type": "xid", "value": "700", "exclusive": False}):
            self.assertIn("is used up: it was replayed towards 2026-03-01 12:05:00.000000+00:00", self.refused(goal))
        for goal in ({**GOAL, "value": "2026-03-01 13:05:01.000000+01:00"}, {"type": "latest", "value": "", "exclusive": False}):
            snapshot.check_copy(self.cluster, goal)

    def test_data_that_were_promoted_and_not_finished_are_never_replayed_again(self):
        self.place()
        self.replayed()
        (self.data / "recovery.signal").unlink()
        member.discard_unfinished(self.cluster)
        self.assertIn("it was promoted once", self.refused())

    def test_a_volume_that_is_no_copy_says_how_to_get_one(self):
        snapshot.shutil.rmtree(self.copy)
        self.assertIn("delete the claim clone-1-data and the Pod", self.refused())

    def test_the_end_of_the_recovery_frees_what_is_left_of_the_copy(self):
        self.place()
        member.end_recovery(self.cluster)
        self.assertEqual(sorted(os.listdir(self.volume)), ["member.lock", "pg17"])

    def test_a_new_volume_of_the_first_member_is_emptied_where_another_one_leads(self):
        member.create_replica(self.cluster, None)
        self.assertEqual(sorted(os.listdir(self.volume)), ["member.lock"])


class FactsTest(VolumeCase):
    def facts(self, annotation=True, status=None, **changes):
        facts = {"cluster": "orders", "member": "orders-2-0", "system": "7", "major": "17", "architecture": "x86_64", "label": LABEL, "startLsn": "0/2000028",
                 "stopLsn": f"0/{3 * SEGMENT + 80:X}", "startWal": name(2), "stopWal": name(3), "stoppedAt": "2026-03-01T12:03:10.500000Z", **changes}
        found = {"metadata": {"annotations": {snapshot.ANNOTATION: json.dumps(facts)} if annotation else {}},
                 "status": {"readyToUse": True, "restoreSize": "3Gi", **(status or {})}}
        api = mock.Mock()
        api.call.return_value = found
        return snapshot.facts_of(self.cluster, api)

    def no(self, *arguments, **options):
        with self.assertRaises(member.NotYet) as caught:
            self.facts(*arguments, **options)
        return str(caught.exception)

    def setUp(self):
        super().setUp()
        self.adopt()

    def test_a_snapshot_that_counts_is_told_with_its_name(self):
        self.assertEqual(self.facts()["name"], "s1")

    def test_one_without_its_words_is_no_backup(self):
        self.assertIn("is no backup", self.no(annotation=False))

    def test_one_that_is_not_there_says_where_it_has_to_be(self):
        api = mock.Mock()
        api.call.return_value = None
        with self.assertRaises(member.NotYet) as caught:
            snapshot.facts_of(self.cluster, api)
        self.assertIn("is not in this namespace", str(caught.exception))

    def test_one_that_is_larger_than_the_volume_or_not_ready_is_refused(self):
        self.assertIn("needs a volume of 12Gi, and storage.size is 10Gi", self.no(status={"restoreSize": "12Gi"}))
        self.assertIn("is not ready to use yet", self.no(status={"readyToUse": False}))

    def test_another_major_version_is_refused(self):
        self.assertIn("is of PostgreSQL 16, and this cluster is 17", self.no(major="16"))

    def test_other_members_look_at_the_snapshot_and_not_at_a_copy_that_they_do_not_have(self):
        os.environ["HOSTNAME"] = "clone-2-0"
        snapshot.shutil.rmtree(self.copy)
        self.facts()

    def plan(self, bucket, kind="time", value="2026-03-01 12:05:00.000000+00:00", **changes):
        goal = {"type": kind, "value": value, "exclusive": False}
        with mock.patch.object(recovery, "pgbackrest", bucket.pgbackrest), mock.patch.object(recovery.Wal, "size", lambda *_: SEGMENT), \
                mock.patch.object(recovery.Wal, "last_transaction", lambda _, file: bucket.files[file]):
            return recovery.make_plan({**self.cluster, "binDirectory": "/nowhere"}, {"stanza": "db", "repository": {"storage": "s3://b"}, "goal": goal},
                                      self.facts(**changes))

    def planned(self, *arguments, **options):
        with self.assertRaises(member.NotYet) as caught:
            self.plan(*arguments, **options)
        return str(caught.exception)

    def bucket(self, **options):
        bucket = Bucket(**options)
        real = bucket.pgbackrest

        def answer(arguments, environment=None):
            said = real(arguments, environment)
            if arguments[-1] != "info":
                return said
            info = json.loads(said)
            info[0]["db"][0]["system-id"] = 7
            return json.dumps(info)

        bucket.pgbackrest = answer
        return bucket

    def test_it_needs_no_backup_beside_it(self):
        self.assertEqual(self.plan(self.bucket(backups=(), code=2)).backup, "s1")

    def test_a_target_before_its_end_is_refused_with_the_moment(self):
        said = self.planned(self.bucket(), value="2026-03-01 12:03:10.000000+00:00")
        self.assertIn("before the end of the first backup", said)
        self.assertIn("The window of the snapshot s1 with s3://b goes from 2026-03-01T12:03:10.500000Z", said)

    def test_log_that_the_retention_has_removed_is_said_so(self):
        self.assertIn("000000010000000000000002 to 000000010000000000000003 are needed", self.planned(self.bucket(files=range(3, 11))))

    def failed_over(self, place):
        """In the file that the snapshot ends in: on the old timeline nobody ever finishes it."""
        bucket = self.bucket(files=range(1, 3))
        bucket.files.update({name(number, 2): after(60 * number) for number in range(3, 11)})
        bucket.histories[2] = f"1\t0/{place:X}\tno recovery target specified\n"
        return bucket

    def test_the_copy_of_the_next_timeline_counts_where_one_ended_in_its_last_file(self):
        self.assertEqual(self.plan(self.failed_over(3 * SEGMENT + 80)).backup, "s1")

    def test_what_a_failover_has_left_behind_is_said_so_because_no_server_could_begin_with_it(self):
        self.assertIn("holds log up to 0/3000050 that is not on the way to timeline 2 of s3://b: a failover has left it behind",
                      self.planned(self.failed_over(3 * SEGMENT + 79)))

    def test_the_archive_of_another_cluster_is_refused(self):
        self.assertIn("is of the cluster 8, and s3://b holds the archive of 7", self.planned(self.bucket(), system="8"))

    def test_other_processors_are_refused(self):
        self.assertIn("was made on pdp11", self.planned(self.bucket(), architecture="pdp11"))


class LaterTest(unittest.TestCase):
    def test_sizes_are_read_as_kubernetes_writes_them(self):
        self.assertEqual([snapshot.quantity(text) for text in ("1Gi", "1024Mi", "1G", "5", "1.5Gi")], [1 << 30, 1 << 30, 10 ** 9, 5, 1.5 * (1 << 30)])

    def test_places_in_the_log_are_compared_as_numbers(self):
        def at(value):
            return {"type": "lsn", "value": value}
        self.assertTrue(snapshot.is_later(at("0/9000000"), at("0/10000000")))
        self.assertFalse(snapshot.is_later(at("1/0"), at("0/FFFFFFFF")))


if __name__ == "__main__":
    unittest.main()
