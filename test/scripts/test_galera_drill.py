"""galera_drill.py: which recovery it tries, and what it tells when a step fails. Archive and server are played by the test."""
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "src/render/scripts"))
import galera_drill
from galera_recovery import Listing, NotPossible, OfflineMariaDb, Plan, Replay, Target, Window
from galera_sql import SqlError

BACKUP = {"label": "20261127T060000Z", "endedAt": "2026-11-27T06:00:10Z", "gtid": "0-1-10"}


class Server:
    """As galera_recovery.start_offline; `answers` by what the query begins with."""
    answers = {}

    def __init__(self, folder, config, password, *more):
        self.log_file, self.more, self.process = f"{folder}.log", more, mock.Mock()
        self.process.poll.return_value = None

    def wait(self):
        pass

    def stop(self):
        self.process.poll.return_value = 0

    def rows(self, query, database):
        for begin, answer in self.answers.items():
            if query.startswith(begin):
                if isinstance(answer, Exception):
                    raise answer
                return answer
        return [["app.t", "check", "status", "OK"]]


class Run(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder, self.told, self.programs = f"{folder.name}/volume", [], f"{folder.name}/bin"
        os.makedirs(self.folder)
        os.makedirs(self.programs)
        self.innochecksum("exit 0")
        self.order = {"repository": {"options": {}}, "storage": "s3://b/shop/orders", "target": "newest", "bufferPoolMiB": 64,
                      "deadlineSeconds": 60, "needs": [], "checks": []}
        self.backups, self.gap, self.planned = [BACKUP], None, []
        self.files = ["app/t.ibd"]
        Server.answers = {"SELECT CONCAT": [["`app`.`t`"]]}
        archive = mock.Mock()
        archive.backups = lambda: self.backups
        listing = lambda _: Listing(self.backups, [], {}, 0)  # noqa: E731
        for name, value in {"read_config": lambda: {"volume": self.folder, "run": self.folder, "engine": "mariadb"}, "Archive": lambda *_: archive,
                            "list_archive": listing, "plan_of": self.plan, "fetch_backup": self.fetch, "start_offline": Server, "replay": mock.Mock()}.items():
            patch = mock.patch.object(galera_drill, name, value)
            patch.start()
            self.addCleanup(patch.stop)

    def plan(self, _, target):
        self.planned.append(target)
        window = Window(1764223210, 1764226800, BACKUP, self.gap)
        return Plan(self.backups[-1], [], Replay({}, target), window)

    def fetch(self, _, backup, folder, __):
        os.makedirs(f"{folder}/app")
        for name in self.files:
            pathlib.Path(folder, name).write_bytes(b"pages")

    def run_drill(self):
        reporter = mock.Mock()
        reporter.step = lambda stage, text: self.told.append(stage)
        with mock.patch.dict(os.environ, {"PATH": f"{self.programs}:{os.environ['PATH']}"}):
            return galera_drill.Drill(self.order, reporter).run()

    def innochecksum(self, script):
        """Plays the program; "$1" is the option about pages, "$2" the file."""
        path = pathlib.Path(self.programs, "innochecksum")
        path.write_text(f"#!/bin/bash\n{script}\n", encoding="utf-8")
        path.chmod(0o700)

    def failure(self):
        (failure,) = self.run_drill()["failures"]
        return failure

    def test_the_deadline_ends_with_the_work_so_that_it_cuts_nothing_off_that_comes_after(self):
        self.run_drill()
        self.assertEqual(signal.alarm(0), 0)

    def test_a_good_drill_tells_position_loss_and_every_look_and_leaves_nothing_on_the_volume(self):
        self.order["checks"] = [{"name": "rows", "database": "app", "sql": "SELECT 1"}]
        Server.answers["SELECT 1"] = [["1"]]
        facts = self.run_drill()
        self.assertEqual((facts["failures"], facts["tables"], facts["checksums"]), ([], "passed", "passed"))
        self.assertEqual(facts["recovered"], {"gtid": "", "upTo": 1764226800})
        self.assertEqual(facts["checks"], [{"name": "rows", "passed": True, "got": "1"}])
        self.assertEqual(self.told, ["repository", "restore", "replay", "checks", "tables", "pages"])
        self.assertFalse(os.path.exists(f"{self.folder}/data"))

    def test_a_secret_that_is_missing_is_named_before_anything_runs(self):
        self.order["needs"] = [{"option": "s3-key", "environment": "EVEREST_NOT_SET", "object": "Secret s3", "key": "AWS_ACCESS_KEY_ID"}]
        self.assertEqual(self.failure(), {"stage": "access", "text": "Secret s3 has no value for key AWS_ACCESS_KEY_ID"})
        self.assertEqual(self.told, [])

    def test_nothing_to_restore_is_a_failure_and_no_empty_success(self):
        self.backups = []
        self.assertEqual(self.failure()["stage"], "no-backup")

    def test_a_hole_in_the_archive_fails_the_newest_drill_though_what_is_before_it_could_be_restored(self):
        self.gap = "0-42"
        self.assertEqual(self.failure(), {"stage": "gap", "text": "what follows 0-42 is missing, and the collector had sent it"})

    def test_a_check_that_is_not_one_row_with_1_has_failed_and_the_others_are_asked_all_the_same(self):
        self.order["checks"] = [{"name": str(index), "database": "app", "sql": f"SELECT {index}"} for index in range(4)]
        broken = SqlError("ERROR 1146: no such table", 1146)
        Server.answers.update({"SELECT 0": [["0"]], "SELECT 1": [], "SELECT 2": [["1"], ["1"]], "SELECT 3": broken})
        facts = self.run_drill()
        self.assertEqual([check["passed"] for check in facts["checks"]], [False] * 4)
        self.assertEqual([check["got"] for check in facts["checks"]], ["0", "no row", "more than one row", "ERROR 1146: no such table"])
        self.assertEqual(facts["tables"], "passed")

    def test_a_damaged_table_is_named(self):
        Server.answers["CHECK TABLE `app`.`t`"] = [["app.t", "check", "warning", "Index x has 1 entries"], ["app.t", "check", "error", "Corrupt"]]
        failure = self.failure()
        self.assertEqual(failure["stage"], "tables")
        self.assertIn("app.t check error Corrupt", failure["text"])

    def test_a_page_with_a_wrong_checksum_is_told_with_the_file_that_it_is_in(self):
        self.innochecksum('[[ "$2" != *t.ibd ]] || { echo "Fail: page 3 invalid" >&2; exit 1; }')
        self.assertEqual(self.failure(), {"stage": "pages", "text": "Fail: page 3 invalid\nin app/t.ibd\n", "exitCode": 1})

    def test_all_files_of_pages_are_looked_at_those_of_mysqls_dictionary_and_undo_log_too(self):
        looked = f"{self.folder}.looked"
        self.innochecksum(f'echo "$1 ${{2##*/data/}}" >> {looked}')
        self.files = ["ibdata1", "ibdata2", "mysql.ibd", "undo_001", "app/t.ibd", "app/t.MYD", "#ib_16384_0.dblwr"]
        self.assertEqual(self.run_drill()["checksums"], "passed")
        self.assertEqual(sorted(pathlib.Path(looked).read_text(encoding="utf-8").splitlines()), [
            "--end-page=63 ibdata1", "--start-page=0 app/t.ibd", "--start-page=0 ibdata2", "--start-page=0 mysql.ibd",
            "--start-page=0 undo_001", "--start-page=192 ibdata1"])

    def test_a_server_that_dies_over_a_table_is_told_with_its_last_words_though_its_connection_ends_first(self):
        made, looks = [], iter([None, None])
        def start(folder, *rest):
            made.append(Server(folder, *rest))
            return made[-1]
        def dies(_query, _database):
            made[0].process.poll.side_effect = lambda: next(looks, 134)
            pathlib.Path(made[0].log_file).write_text("12:00 [Note] fine\n12:01 [ERROR] [InnoDB] Assertion failure\n", encoding="utf-8")
            raise SqlError("(2013, 'Lost connection')", 2013)
        with mock.patch.object(galera_drill, "start_offline", start), mock.patch.object(Server, "rows", lambda _self, *more: dies(*more)):
            self.assertEqual(self.failure(), {"stage": "tables", "text": "(2013, 'Lost connection'): 12:01 [ERROR] [InnoDB] Assertion failure"})

    def test_an_engine_that_cannot_be_looked_at_is_no_damage(self):
        Server.answers["CHECK TABLE"] = [["app.t", "check", "note", "The storage engine for the table doesn't support check"]]
        self.assertEqual(self.run_drill()["failures"], [])

    def test_a_drill_that_takes_too_long_names_the_step(self):
        self.order["deadlineSeconds"] = 1
        with mock.patch.object(galera_drill, "fetch_backup", lambda *_: time.sleep(30)):
            self.assertEqual(self.failure(), {"stage": "deadline", "text": "restore"})

    def test_a_backup_that_retention_took_away_meanwhile_is_no_failure_of_the_drill(self):
        fetched = []
        def fetch(_, backup, folder, __):
            fetched.append(backup["label"])
            if len(fetched) == 1:
                self.backups = [{**BACKUP, "label": "newer"}]
                raise OSError("backup could not be read")
            self.fetch(_, backup, folder, __)
        with mock.patch.object(galera_drill, "fetch_backup", fetch):
            self.assertEqual(self.run_drill()["failures"], [])
        self.assertEqual(fetched, [BACKUP["label"], "newer"])

    def test_a_target_that_cannot_be_reached_is_a_hole_in_the_archive(self):
        with mock.patch.object(galera_drill, "plan_of", mock.Mock(side_effect=NotPossible("the archive goes from a to b"))):
            self.assertEqual(self.failure()["stage"], "gap")


class Answers(unittest.TestCase):
    """Of MariaDB's client, which writes the statement before its error."""

    def error(self, stderr):
        server = OfflineMariaDb.__new__(OfflineMariaDb)
        server.socket = "/run/mysqld/recovery.sock"
        done = subprocess.CompletedProcess([], 1, b"", stderr)
        with mock.patch("galera_recovery.subprocess.run", return_value=done), self.assertRaises(SqlError) as raised:
            server.rows("SELECT * FROM nothing", "shop")
        return raised.exception

    def test_an_error_of_a_statement_is_known_from_one_of_the_connection_so_that_nobody_waits_for_a_server_to_die(self):
        self.assertTrue(self.error(b"--------------\nSELECT * FROM nothing\n--------------\n\nERROR 1146 (42S02) at line 1: No table\n").of_statement())
        self.assertFalse(self.error(b"ERROR 2002 (HY000): Can't connect to local server\n").of_statement())


class RandomTarget(unittest.TestCase):
    def test_it_lies_between_the_oldest_backup_and_the_end_of_the_archive(self):
        end = galera_drill.seconds(BACKUP["endedAt"]) + 100
        listing = Listing([BACKUP], [], {"position": "0-1-10", "upTo": end}, 0)
        targets = [galera_drill.random_target(listing, random.Random(seed)) for seed in range(200)]
        self.assertTrue(all(isinstance(target, Target) and target.kind == "time" for target in targets))
        drawn = [galera_drill.seconds(target.value) for target in targets]
        self.assertTrue(galera_drill.seconds(BACKUP["endedAt"]) <= min(drawn) < max(drawn) <= end)


if __name__ == "__main__":
    unittest.main()
