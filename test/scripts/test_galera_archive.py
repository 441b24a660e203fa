"""The archive of a Galera cluster: what is read from binary logs, and what a recovery takes from the archive."""
import os
import struct
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "src", "render", "scripts"))

import binlog_collector as collector  # noqa: E402
import binlog_events as binlog  # noqa: E402
import galera_archive as archive  # noqa: E402
import galera_backup as backup  # noqa: E402
import galera_recovery as recovery  # noqa: E402


def event(kind, body=b"", timestamp=1000, server=1):
    return binlog.HEADER.pack(timestamp, kind, server, binlog.HEADER.size + len(body), 0, 0) + body


def gtid(seq, domain=1, standalone=False, timestamp=1000):
    return event(binlog.GTID, struct.pack("<QIB", seq, domain, 1 if standalone else 0) + bytes(6), timestamp)


def query(text, timestamp=1000):
    return event(binlog.QUERY, struct.pack("<IIBHH", 1, 0, 4, 0, 0) + b"shop\0" + text, timestamp)


def rows(seq, timestamp=1000):
    return gtid(seq, timestamp=timestamp) + event(19) + event(30, bytes(50)) + event(binlog.XID, bytes(8), timestamp)


def ddl(seq, timestamp=1000):
    return gtid(seq, standalone=True, timestamp=timestamp) + query(b"DROP TABLE w", timestamp)


def listing(*gtids):
    return event(binlog.GTID_LIST, struct.pack("<I", len(gtids)) + b"".join(struct.pack("<IIQ", d, s, q) for d, s, q in gtids))


def log_file(*events, begins=()):
    return binlog.MAGIC + event(binlog.FORMAT, bytes(60), 900) + listing(*begins) + b"".join(events)


def written(content):
    file = tempfile.NamedTemporaryFile(delete=False)
    file.write(content)
    file.close()
    return file.name


def position(text):
    return binlog.parse_position(text)


def part(start, end, before, after, file="binlog.000001-900", member="orders-1", committed=2000):
    found = archive.Part(member, file, start, end, position(before), position(after), 1000, committed, "")
    return archive.parse_part(f"binlogs/{member}/{file}/{archive.part_name(found)}")


class Events(unittest.TestCase):
    def test_finds_each_transaction_and_its_places(self):
        first, second = rows(5, 1001), ddl(6, 1002)
        content = log_file(first, second, begins=[(1, 1, 4)])
        found = binlog.scan(written(content))
        self.assertEqual([str(each.gtid) for each in found.transactions], ["1-1-5", "1-1-6"])
        self.assertEqual([each.committed for each in found.transactions], [1001, 1002])
        self.assertEqual((found.transactions[0].end, found.end), (found.transactions[1].start, len(content)))
        self.assertEqual((binlog.render_position(found.begins), found.created, found.ended), ("1-1-4", 900, False))

    def test_leaves_what_is_still_being_written(self):
        whole = log_file(rows(5))
        for cut in (1, 20, 60, 90):
            content = whole + rows(6)[:-cut]
            found = binlog.scan(written(content))
            self.assertEqual(([str(each.gtid) for each in found.transactions], found.end), (["1-1-5"], len(whole)))

    def test_goes_on_where_it_ended(self):
        whole = log_file(rows(5))
        found = binlog.scan(written(whole + rows(6)), len(whole))
        self.assertEqual([str(each.gtid) for each in found.transactions], ["1-1-6"])

    def test_tables_without_transactions_end_with_commit_as_a_statement(self):
        content = log_file(gtid(5) + query(b"BEGIN") + event(30) + query(b"COMMIT"), rows(6))
        self.assertEqual([str(each.gtid) for each in binlog.scan(written(content)).transactions], ["1-1-5", "1-1-6"])

    def test_knows_the_end_of_a_file(self):
        self.assertTrue(binlog.scan(written(log_file(rows(5), event(binlog.ROTATE)))).ended)


class Names(unittest.TestCase):
    def test_a_name_says_what_is_in_the_part(self):
        found = part(4, 900, "", "1-1-7,101-1-3")
        self.assertEqual(found._replace(path=""), archive.Part("orders-1", "binlog.000001-900", 4, 900, {}, position("1-1-7,101-1-3"), 1000, 2000, ""))

    def test_other_files_are_no_parts(self):
        self.assertIsNone(archive.parse_part("binlogs/state.json"))


class Sources(unittest.TestCase):
    files = [("binlog.000003", position("1-1-10")), ("binlog.000004", position("1-1-20,102-1-4"))]

    def test_goes_on_with_the_file_that_holds_what_comes_next(self):
        self.assertEqual(collector.choose_file(self.files, position("1-1-19"), 1), collector.Choice("binlog.000003", None))
        self.assertEqual(collector.choose_file(self.files, position("1-1-20"), 1), collector.Choice("binlog.000004", None))

    def test_knows_a_gap_because_what_no_member_has_is_lost_for_the_archive(self):
        self.assertEqual(collector.choose_file(self.files, position("1-1-7"), 1),
                         collector.Choice("binlog.000003", {"after": "1-1-7", "before": "1-1-10"}))

    def test_what_only_one_member_has_is_no_gap(self):
        self.assertIsNone(collector.choose_file([("a", position("1-1-5,101-1-9"))], position("1-1-5"), 1).gap)

    def test_an_archive_without_anything_begins_with_the_oldest_file(self):
        self.assertEqual(collector.choose_file(self.files, {}, 1), collector.Choice("binlog.000003", None))

    def test_a_member_that_lacks_what_is_archived_is_behind(self):
        self.assertTrue(collector.is_behind(position("1-1-5"), position("1-1-6"), 1))
        self.assertFalse(collector.is_behind(position("1-1-6"), position("1-1-6,101-1-2"), 1))

    def test_a_part_is_sent_when_its_file_has_ended_and_not_before_its_time(self):
        folder = tempfile.mkdtemp()
        follower = collector.Follower(folder, collector.Source("orders-1", "binlog.000001"), {})
        with open(f"{folder}/binlog.000001", "wb") as file:
            file.write(log_file(rows(5)))
            file.flush()
            follower.look()
            self.assertFalse(follower.due(60.0))
            self.assertTrue(follower.due(0.0))
            file.write(event(binlog.ROTATE))
            file.flush()
            follower.look()
        self.assertTrue(follower.due(60.0))
        found = follower.part()
        self.assertEqual((found.start, found.end, binlog.render_position(found.after)), (0, os.path.getsize(f"{folder}/binlog.000001"), "1-1-5"))
        follower.was_sent()
        open(f"{folder}/binlog.000002", "wb").close()
        self.assertTrue(follower.go_on())
        self.assertEqual(os.listdir(folder), ["binlog.000002"])


def made(label, ended, gtids):
    return {"label": label, "endedAt": ended, "gtid": gtids}


BACKUPS = [made("a", "2026-01-01T00:00:00Z", "1-1-10"), made("b", "2026-01-02T00:00:00Z", "1-1-20"), made("c", "2026-01-03T00:00:00Z", "1-1-30")]


class Plans(unittest.TestCase):
    def test_takes_the_newest_backup_that_does_not_go_past_the_target(self):
        chosen = lambda kind, value="", skip=(): recovery.choose_backup(BACKUPS, recovery.Target(kind, value, skip))["label"]
        self.assertEqual(chosen("latest"), "c")
        self.assertEqual(chosen("time", "2026-01-02T23:59:59Z"), "b")
        self.assertEqual(chosen("before", "1-1-21"), "b")
        self.assertEqual(chosen("gtid", "1-1-20"), "a")
        self.assertEqual(chosen("latest", "", ("1-1-25",)), "b")

    def test_says_which_backups_there_are_when_none_is_old_enough(self):
        with self.assertRaisesRegex(recovery.NotPossible, r"a \(until 2026-01-01T00:00:00Z, 1-1-10\)"):
            recovery.choose_backup(BACKUPS, recovery.Target("time", "2025-12-31T00:00:00Z"))

    def test_leads_from_file_to_file_and_over_to_another_member(self):
        files = recovery.whole_files([
            part(0, 500, "", "1-1-12"), part(500, 900, "1-1-12", "1-1-15"),
            part(0, 700, "1-1-14", "1-1-30", file="binlog.000009-950", member="orders-2"),
        ])
        used, at = recovery.chain(files, position("1-1-10"), 1)
        self.assertEqual(([each.member for each in used], at), (["orders-1", "orders-2"], 30))

    def test_ends_at_a_gap(self):
        files = recovery.whole_files([part(0, 500, "", "1-1-12"), part(0, 700, "1-1-14", "1-1-30", file="binlog.000009-950")])
        self.assertEqual(recovery.chain(files, position("1-1-10"), 1)[1], 12)

    def test_a_part_that_is_missing_ends_its_file(self):
        files = recovery.whole_files([part(0, 500, "", "1-1-12"), part(900, 990, "1-1-15", "1-1-20")])
        self.assertEqual([each.after()[1].seq for each in files], [12])

    def test_a_window_ends_at_a_gap_and_else_with_what_the_collector_has_seen(self):
        parts = [part(0, 500, "", "1-1-12"), part(0, 700, "1-1-20", "1-1-30", file="binlog.000009-950", committed=9000)]
        found = recovery.windows(BACKUPS[:2], parts, {"position": "1-1-30", "upTo": 1800000000}, 1)
        self.assertEqual([each.gap_after for each in found], ["1-12", None])
        self.assertEqual(found[1].ends, 1800000000)

    def replayed(self, target, skip=(), base="1-1-4"):
        content = log_file(rows(5, 1001), rows(6, 1002), ddl(7, 1003), rows(8, 1004))
        scan = binlog.scan(written(content))
        plan = recovery.Replay(position(base), recovery.Target(*target, skip=skip))
        ranges = plan.ranges(scan.transactions)
        taken = [each.gtid.seq for each in scan.transactions if any(r.start <= each.start and each.end <= r.end for r in ranges)]
        return taken, len(ranges), plan.met

    def test_replays_up_to_the_target_and_not_further(self):
        self.assertEqual(self.replayed(("latest", "")), ([5, 6, 7, 8], 1, True))
        self.assertEqual(self.replayed(("time", "1970-01-01T00:16:42Z")), ([5, 6], 1, True))
        self.assertEqual(self.replayed(("before", "1-1-7")), ([5, 6], 1, True))
        self.assertEqual(self.replayed(("gtid", "1-1-7")), ([5, 6, 7], 1, True))

    def test_leaves_one_transaction_out_and_goes_on_behind_it(self):
        self.assertEqual(self.replayed(("latest", ""), ("1-1-7",)), ([5, 6, 8], 2, True))

    def test_does_nothing_twice_because_a_backup_holds_the_beginning(self):
        self.assertEqual(self.replayed(("latest", ""), base="1-1-6"), ([7, 8], 1, True))

    def test_tells_when_a_transaction_was_never_met(self):
        self.assertFalse(self.replayed(("before", "1-1-99"))[2])


class Reach(unittest.TestCase):
    window = recovery.Window(1000, 2000, BACKUPS[0], None)

    def check(self, kind, value="", skip=()):
        recovery.check_reachable(BACKUPS[0], self.window, recovery.Target(kind, value, skip), position("1-1-15"), 1)

    def test_a_time_behind_the_end_of_the_archive_is_refused_with_the_window(self):
        self.check("time", "1970-01-01T00:33:20Z")
        with self.assertRaisesRegex(recovery.NotPossible, "from 1970-01-01T00:16:40Z to 1970-01-01T00:33:20Z after backup a"):
            self.check("time", "1970-01-01T00:33:21Z")

    def test_a_transaction_that_is_not_there_is_refused_before_anything_is_made(self):
        self.check("before", "1-1-15")
        for kind, value, skip in (("before", "1-1-16", ()), ("gtid", "1-1-99", ()), ("latest", "", ("1-1-16",))):
            with self.assertRaisesRegex(recovery.NotPossible, "is not in the archive"):
                self.check(kind, value, skip)

    def test_whoever_is_not_declared_cannot_log_in_with_an_old_password(self):
        users = [["app", "'app'", "'%'"], ["mysql", "'mysql'", "'localhost'"], ["old", "'old'", "'10.%'"]]
        self.assertEqual(recovery.lock_statements(users, ["app"]), ["ALTER USER 'old'@'10.%' ACCOUNT LOCK"])


class Retention(unittest.TestCase):
    labels = ["20260101-000000F", "20260102-000000F", "20260103-000000F"]
    now = recovery.seconds("2026-01-04T00:00:00Z")

    def gone(self, kind, amount, labels=None):
        return [label[6:8] for label in backup.removable(self.labels if labels is None else labels, {"type": kind, "amount": amount}, self.now)]

    def test_keeps_so_many(self):
        self.assertEqual(self.gone("count", 2), ["01"])
        self.assertEqual(self.gone("count", 9), [])

    def test_keeps_the_backup_that_begins_the_window(self):
        self.assertEqual(self.gone("time", 1), ["01", "02"])
        self.assertEqual(self.gone("time", 2), ["01"])
        self.assertEqual(self.gone("time", 30), [])

    def test_never_gives_up_the_last_one(self):
        self.assertEqual(self.gone("time", 1, self.labels[:1]), [])
        self.assertEqual(self.gone("count", 1, self.labels[:1]), [])


class Bucket:
    """What an archive is asked for by the retention."""

    def __init__(self, *paths):
        self.paths, self.removed = set(paths), []

    def sizes(self):
        return {path: 1 for path in self.paths}

    def read_json(self, path):
        return {"gtid": "1-1-20"} if path in self.paths else None

    def remove(self, path):
        self.removed.append(path)
        self.paths = {each for each in self.paths if not each.startswith(path)}


class Expiry(unittest.TestCase):
    def test_takes_the_word_of_a_backup_first_and_never_what_is_still_being_sent(self):
        first, second = part(0, 500, "", "1-1-12"), part(0, 700, "1-1-12", "1-1-30", file="binlog.000002-950")
        bucket = Bucket("owner.json", *(f"backups/2026010{day}-000000F/{name}" for day in (1, 2) for name in ("base.mbs.zst", "backup.json")),
                        "backups/20260103-235900F/base.mbs.zst", "backups/20251101-000000F/base.mbs.zst", first.path, second.path)
        found = backup.expire(bucket, {"type": "count", "amount": 1}, recovery.seconds("2026-01-04T00:00:00Z"))
        self.assertEqual(found, {"backups": ["20260101-000000F"], "binlogs": 1})
        self.assertEqual(bucket.removed, ["backups/20260101-000000F/backup.json", "backups/20260101-000000F/", "backups/20251101-000000F/",
                                          "binlogs/orders-1/binlog.000001-900/"])
        self.assertIn("backups/20260103-235900F/base.mbs.zst", bucket.paths)


class SpentFiles(unittest.TestCase):
    first, second = part(0, 500, "", "1-1-12,101-1-3"), part(0, 700, "1-1-12", "1-1-30", file="binlog.000002-950")

    def test_go_when_the_oldest_backup_holds_all_of_them(self):
        self.assertEqual(backup.spent_folders([self.first, self.second], position("1-1-20")), ["binlogs/orders-1/binlog.000001-900"])
        self.assertEqual(backup.spent_folders([self.first, self.second], position("1-1-11")), [])

    def test_the_last_one_stays_because_its_next_part_would_be_worth_nothing_without_its_beginning(self):
        self.assertEqual(backup.spent_folders([self.first], position("1-1-20")), [])
        self.assertEqual(backup.spent_folders([self.first, self.second], position("1-1-99")), ["binlogs/orders-1/binlog.000001-900"])

    def test_nothing_goes_for_a_backup_whose_position_is_not_known(self):
        self.assertEqual(backup.spent_folders([self.first, self.second], {}), [])


class Places(unittest.TestCase):
    def state(self, **wsrep):
        return {"member": "orders-2", "writer": {"member": "orders-1"}, "wsrep": {"clusterStatus": "Primary", "localState": 4, "ready": True, **wsrep}}

    def test_says_whether_a_backup_could_be_made_here(self):
        self.assertEqual(backup.place_of(self.state()), {"member": "orders-2", "synced": True, "writer": False})
        self.assertFalse(backup.place_of(self.state(localState=1))["synced"])
        self.assertFalse(backup.place_of({"member": "orders-2", "writer": None, "wsrep": None})["synced"])


class Rclone(unittest.TestCase):
    options = {"type": "s3", "s3-bucket": "b", "s3-endpoint": "s3.test", "s3-region": "r", "s3-key-type": "shared", "s3-uri-style": "path", "path": "/shop/orders",
               "cipher-type": "aes-256-cbc", "storage-verify-tls": "y"}

    def test_is_told_where_and_how_by_its_environment_so_that_no_secret_is_in_a_list_of_processes(self):
        folder = tempfile.mkdtemp()
        found = archive.rclone_environment(self.options, {"s3-key": "k", "s3-key-secret": "s", "storage-ca-file": "CA"}, folder)
        self.assertEqual(found["RCLONE_CONFIG_R_REMOTE"], "s3:b/shop/orders")
        self.assertEqual((found["RCLONE_CONFIG_R_TYPE"], found["RCLONE_CONFIG_S3_ACCESS_KEY_ID"], found["RCLONE_CONFIG_S3_FORCE_PATH_STYLE"]), ("crypt", "k", "true"))
        with open(found["RCLONE_CA_CERT"], encoding="utf-8") as file:
            self.assertEqual(file.read(), "CA")

    def test_tells_the_reason_and_not_its_stamp(self):
        self.assertEqual(archive.explain("2026/11/26 21:24:12 ERROR : bad key\n"), "bad key")


if __name__ == "__main__":
    unittest.main()
