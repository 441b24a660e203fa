"""drill.py: which backup it takes, and what it tells when a step fails. The programs are played by the test."""
import importlib.util
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

SCRIPT = pathlib.Path(__file__).parents[2] / "src/render/scripts/drill.py"
sys.path.insert(0, str(SCRIPT.parent))
SPEC = importlib.util.spec_from_file_location("drill", SCRIPT)
drill = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(drill)

MIB = 1 << 20


def backup(label, first, last, *, error=False, database=1, size=4 * MIB):
    name = lambda lsn: drill.segment_name(1, lsn, size)
    return {"label": label, "error": error, "database": {"id": database, "repo-key": 1},
            "lsn": {"start": drill.lsn_text(first), "stop": drill.lsn_text(last)}, "archive": {"start": name(first), "stop": name(last)}}


def info(*backups, newest="00000001000000000000000A", databases=(1,), code=0):
    return [{"db": [{"id": item, "repo-key": 1} for item in databases],
             "repo": [{"key": 1, "status": {"code": code, "message": "[CryptoError] cipher header invalid"}}],
             "archive": [{"database": {"id": item, "repo-key": 1}, "max": newest} for item in databases], "backup": list(backups)}]


class Positions(unittest.TestCase):
    def test_the_size_of_segments_follows_from_position_and_name(self):
        for size in (MIB, 4 * MIB, 16 * MIB, 64 * MIB, 1024 * MIB):
            at = 5 * (1 << 32) + 3 * size + 40 if size < 1024 * MIB else 5 * (1 << 32) + 2 * size + 40
            self.assertEqual(drill.segment_size([backup("a", at, at, size=size)]), size)

    def test_in_the_first_segment_of_4_gib_it_is_unknown_and_another_backup_is_asked(self):
        self.assertIsNone(drill.segment_size([backup("a", 40, 80)]))
        self.assertEqual(drill.segment_size([backup("a", 40, 80), backup("b", 9 * MIB, 9 * MIB)]), 4 * MIB)

    def test_names_and_positions_lead_to_each_other(self):
        name = drill.segment_name(0x1A, lsn := drill.lsn_number("7/A1000028"), 16 * MIB)
        self.assertEqual(name, "0000001A00000007000000A1")
        self.assertEqual(drill.segment_start(name, 16 * MIB), lsn - 0x28)


class Choosing(unittest.TestCase):
    one, two = backup("one", 9 * MIB, 10 * MIB), backup("two", 21 * MIB, 22 * MIB)

    def test_the_newest_good_backup_of_the_newest_database_is_taken(self):
        stanza = drill.current_stanza(info(backup("old", 1, 2), backup("good", 9, 9, database=2), backup("bad", 9, 9, error=True, database=2), databases=(1, 2)), 1)
        choice = drill.choose(stanza, "newest", random.Random(1))
        self.assertEqual((choice.backup["label"], choice.lsn), ("good", None))

    def test_nothing_to_restore_is_a_failure_and_no_empty_success(self):
        with self.assertRaises(drill.Failure) as failed:
            drill.choose(drill.current_stanza(info(backup("bad", 9, 9, error=True)), 1), "newest", random.Random(1))
        self.assertEqual(failed.exception.fact["stage"], "no-backup")

    def test_a_random_position_is_within_the_window_and_its_backup_ends_before_it(self):
        stanza = drill.current_stanza(info(self.one, self.two), 1)
        labels = set()
        for seed in range(200):
            choice = drill.choose(stanza, "random", random.Random(seed))
            at = drill.lsn_number(choice.lsn)
            self.assertTrue(10 * MIB <= at <= 40 * MIB)
            self.assertLessEqual(drill.lsn_number(choice.backup["lsn"]["stop"]), at)
            labels.add(choice.backup["label"])
        self.assertEqual(labels, {"one", "two"})

    def test_right_after_the_only_backup_there_is_nothing_to_draw_from(self):
        stanza = drill.current_stanza(info(self.one, newest=drill.segment_name(1, 10 * MIB, 4 * MIB)), 1)
        self.assertIsNone(drill.choose(stanza, "random", random.Random(1)).lsn)


class Run(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.told, self.commands = [], []
        self.answers = {"info": (0, json.dumps(info(backup("one", 9 * MIB, 10 * MIB))))}
        order = {"stanza": "db", "repository": 1, "storage": "s3://b/shop/orders", "target": "newest", "dataDirectory": str(self.folder / "data/pg17"),
                 "binDirectory": "/bin-of-pg", "socketDirectory": "/nowhere", "superuser": "postgres", "archiveScript": "x", "sharedBuffersMiB": 128,
                 "deadlineSeconds": 60, "needs": [], "checks": []}
        reporter = mock.Mock()
        reporter.step = lambda stage, text: self.told.append(stage)
        self.drill = drill.Drill(order, reporter)
        patch = mock.patch.object(drill.subprocess, "run", self.run_program)
        patch.start()
        self.addCleanup(patch.stop)

    def run_program(self, arguments, **_):
        self.commands.append(arguments)
        code, text = self.answers.get(arguments[-1], (1, "ERROR: [082]: nothing prepared"))
        return subprocess.CompletedProcess(arguments, code, text.encode())

    def failure(self):
        facts = self.drill.run()
        self.assertEqual(len(facts["failures"]), 1)
        return facts["failures"][0]

    def test_a_secret_that_is_missing_is_named_before_anything_runs(self):
        self.drill.order["needs"] = [{"environment": "EVEREST_NOT_SET", "object": "Secret s3", "key": "AWS_ACCESS_KEY_ID"}]
        self.assertEqual(self.failure(), {"stage": "access", "text": "Secret s3 has no value for key AWS_ACCESS_KEY_ID"})
        self.assertEqual(self.commands, [])

    def test_a_repository_that_cannot_be_read_is_told_in_its_own_words_though_info_ends_with_0(self):
        self.answers["info"] = (0, json.dumps(info(code=99)))
        self.assertEqual(self.failure(), {"stage": "repository", "text": "[CryptoError] cipher header invalid"})

    def test_a_restore_that_fails_leaves_nothing_on_the_volume_and_gives_code_and_text(self):
        self.answers["restore"] = (103, "ERROR: [103]: unable to find a valid repository")
        self.assertEqual(self.failure(), {"stage": "restore", "text": "ERROR: [103]: unable to find a valid repository", "exitCode": 103})
        self.assertFalse(os.path.exists(self.drill.data))

    def test_a_backup_that_retention_took_away_meanwhile_is_no_failure_of_the_drill(self):
        answers = iter([info(backup("one", 9 * MIB, 10 * MIB)), info(backup("two", 9 * MIB, 10 * MIB)), info(backup("two", 9 * MIB, 10 * MIB)), info(backup("two", 9 * MIB, 10 * MIB))])
        def answer(arguments, **_):
            self.commands.append(arguments)
            if arguments[-1] == "info":
                return subprocess.CompletedProcess(arguments, 0, json.dumps(next(answers)).encode())
            return subprocess.CompletedProcess(arguments, 55, b"ERROR: [055]: unable to open missing file")
        with mock.patch.object(drill.subprocess, "run", answer):
            self.failure()
        self.assertEqual([command[3] for command in self.commands if command[-1] == "restore"], ["--set=one", "--set=two"])

    def test_pgbackrest_is_run_for_reading_only(self):
        self.answers["restore"] = (1, "")
        self.failure()
        self.assertEqual({command[-1] for command in self.commands}, {"info", "restore"})
        self.assertIn("--archive-mode=off", self.commands[1])


class Answers(unittest.TestCase):
    def test_only_one_row_with_true_is_yes(self):
        self.assertEqual([drill.describe(rows) for rows in ([], [(True,)], [(False,)], [(None,)], [(1, "a")], [(1,), (2,)])],
                         ["no row", "true", "false", "NULL", "1, a", "more than one row"])


if __name__ == "__main__":
    unittest.main()
