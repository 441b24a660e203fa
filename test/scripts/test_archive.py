"""pgbackrest.sh, in a folder that looks like a server's, with a pgBackRest that plays its part."""
import os
import pathlib
import subprocess
import tempfile
import time
import unittest

SCRIPT = pathlib.Path(__file__).parents[2] / "src/render/scripts/pgbackrest.sh"
SEGMENT = "000000010000000000000005"
CHECKSUM = "0123456789abcdef0123456789abcdef01234567"
#: Answers to repo-ls come from the folder `repo`; all else ends with the code in the file `code`.
PGBACKREST = """#!/bin/sh
echo "$*" >> "$ROOT/calls"
case "$*" in
  *repo-ls*) for last; do :; done; ls "$ROOT/repo/${last#archive/db}" 2>/dev/null ;;
  *) exit "$(cat "$ROOT/code")" ;;
esac
"""


class ArchiveCase(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        for name in ("data/pg_wal/archive_status", "run", "bin", "everest", f"repo/17-1/{SEGMENT[:16]}"):
            (self.root / name).mkdir(parents=True)
        self.data = self.root / "data"
        self.program("bin/pgbackrest", PGBACKREST)
        self.program("bin/df", "#!/bin/sh\necho header; echo 'x 1000000 500000 500000 50% /'\n")
        (self.root / "everest/pgbackrest.sh").write_text(SCRIPT.read_text())
        (self.root / "everest/member.py").write_text("import os, sys; open(os.environ['ROOT'] + '/prepared', 'a').write(sys.argv[1] + '\\n')")
        (self.root / "everest/pgbackrest.conf").write_text("[global]\nrepo1-path=/shop/orders\n")
        self.answers(0)
        self.server("ready")

    def program(self, name, text):
        (self.root / name).write_text(text)
        (self.root / name).chmod(0o755)

    def answers(self, code):
        (self.root / "code").write_text(str(code))

    def server(self, state, pid=7):
        (self.data / "postmaster.pid").write_text(f"{pid}\n/data\n1\n5432\n/run\n*\n1 2\n{state}   \n")

    def archive(self, *names):
        for name in names:
            (self.root / f"repo/17-1/{SEGMENT[:16]}/{name}-{CHECKSUM}.zst").touch()

    def start(self, *arguments, cwd=None):
        environment = {**os.environ, "ROOT": str(self.root), "PATH": f"{self.root}/bin:{os.environ['PATH']}",
                       "PGBACKREST_CONFIG": f"{self.root}/everest/pgbackrest.conf", "PGBACKREST_CONFIG_INCLUDE_PATH": f"{self.root}/run"}
        return subprocess.Popen(["sh", str(self.root / "everest/pgbackrest.sh"), *arguments], cwd=cwd or self.data, env=environment,
                                stderr=subprocess.PIPE, text=True)

    def run_script(self, *arguments, cwd=None):
        process = self.start(*arguments, cwd=cwd)
        self.said = process.communicate(timeout=20)[1]
        return process.returncode

    def calls(self):
        path = self.root / "calls"
        return path.read_text().splitlines() if path.exists() else []


class PushTest(ArchiveCase):
    def push(self):
        return self.run_script("push", f"pg_wal/{SEGMENT}")

    def push_while_down(self, name):
        return self.run_script("push", f"{self.data}/pg_wal/{name}", cwd=self.root)

    def mark(self, name):
        (self.data / "pg_wal/archive_status" / name).touch()

    def test_a_primary_sends(self):
        self.assertEqual(self.push(), 0)
        self.assertEqual(self.calls(), [f"--stanza=db --archive-timeout=10 archive-push pg_wal/{SEGMENT}"])

    def sent_before(self, text=""):
        folder = self.root / "spool/archive/db/out"
        folder.mkdir(parents=True)
        (folder / f"{SEGMENT}.ok").write_text(text)

    def test_what_a_sender_took_along_is_not_asked_for_again_since_a_start_of_pgbackrest_costs_more_than_a_segment(self):
        self.sent_before()
        self.assertEqual((self.push(), self.calls()), (0, []))

    def test_a_warning_about_what_was_sent_is_told_by_pgbackrest(self):
        self.sent_before("0\nWARN: of interest")
        self.assertEqual((self.push(), len(self.calls())), (0, 1))

    def test_what_patroni_asks_for_while_the_server_is_down_takes_the_usual_way(self):
        self.sent_before()
        (self.data / "postmaster.pid").unlink()
        self.assertEqual((self.push(), self.calls()), (1, []))

    def test_while_others_wait_more_gather_for_a_second_so_that_one_sender_takes_all(self):
        self.mark(f"{SEGMENT}.ready")
        started = time.monotonic()
        self.assertEqual(self.push(), 0)
        alone = time.monotonic() - started
        self.mark(SEGMENT[:-1] + "6.ready")
        self.assertEqual(self.push(), 0)
        self.assertGreater(time.monotonic() - started - alone, 1)
        self.assertLess(alone, 1)

    def test_many_that_wait_are_sent_without_a_rest_so_that_a_backlog_gets_away(self):
        for digit in "123456789":
            self.mark(SEGMENT[:-1] + digit + ".ready")
        started = time.monotonic()
        self.assertEqual(self.push(), 0)
        self.assertLess(time.monotonic() - started, 1)

    def test_a_server_that_stops_does_not_wait_for_more_to_gather(self):
        for digit in "56":
            self.mark(SEGMENT[:-1] + digit + ".ready")
        process = self.start("push", f"pg_wal/{SEGMENT}")
        time.sleep(0.3)
        started = time.monotonic()
        self.server("stopping")
        process.communicate(timeout=20)
        self.assertEqual(process.returncode, 0)
        self.assertLess(time.monotonic() - started, 0.5)

    def test_without_backups_there_is_nothing_to_send_so_no_file_piles_up(self):
        (self.root / "everest/pgbackrest.conf").write_text("")
        self.assertEqual((self.push(), self.calls()), (0, []))

    def test_a_recovery_that_may_begin_anew_sends_nothing_since_it_would_write_other_files_of_the_same_names(self):
        (self.root / "recovery-unfinished").touch()
        self.assertEqual((self.push(), self.calls()), (1, []))

    def test_while_the_server_is_down_nothing_is_sent_because_the_member_has_to_come_back(self):
        self.assertEqual((self.push_while_down(SEGMENT), self.calls()), (1, []))

    def test_what_waited_when_the_server_crashed_waits_again_although_patroni_takes_all_marks_off(self):
        lost, archived, gone = (SEGMENT[:-1] + digit for digit in "678")
        for name in (lost, archived, "00000002.history"):
            (self.data / "pg_wal" / name).touch()
        for name in (lost, archived, gone):
            self.push_while_down(name)
        for mark in (self.data / "pg_wal/archive_status").iterdir():
            mark.unlink()
        self.mark(archived + ".done")
        self.assertEqual(self.push(), 0)
        marks = sorted(mark.name for mark in (self.data / "pg_wal/archive_status").iterdir())
        self.assertEqual(marks, ["000000010000000000000006.ready", "000000010000000000000007.done", "00000002.history.ready"])
        self.assertFalse((self.root / "archive-waiting").exists())

    def test_a_failure_puts_right_what_can_be_put_right_but_not_at_each_try(self):
        self.answers(103)
        self.assertEqual([self.push(), self.push()], [1, 1])
        self.assertEqual((self.root / "prepared").read_text(), "prepare-archive\n")

    def test_sends_at_once_what_could_not_be_sent_before_it_was_put_right(self):
        self.answers(103)
        (self.root / "everest/member.py").write_text("import os; open(os.environ['ROOT'] + '/code', 'w').write('0')")
        self.assertEqual(self.push(), 0)

    def test_a_server_that_stops_waits_a_second_at_most_for_a_storage_that_is_away(self):
        self.server("stopping")
        self.answers(82)
        self.assertEqual(self.push(), 1)
        self.assertIn("--archive-timeout=1 ", self.calls()[0])
        self.assertFalse((self.root / "prepared").exists())


class StandbyTest(ArchiveCase):
    def setUp(self):
        super().setUp()
        (self.data / "standby.signal").touch()
        self.server("standby")

    def wait(self, name=SEGMENT):
        process = self.start("push", f"pg_wal/{name}")
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def test_lets_go_of_a_file_that_the_primary_has_sent(self):
        self.archive(SEGMENT)
        self.assertEqual(self.wait().wait(timeout=10), 0)
        self.assertFalse(any("archive-push" in call for call in self.calls()))

    def test_asks_once_for_many_files_because_each_question_costs(self):
        self.archive(SEGMENT, SEGMENT[:-1] + "6")
        self.assertEqual(self.wait().wait(timeout=10), 0)
        asked = len(self.calls())
        self.assertEqual(self.wait(SEGMENT[:-1] + "6").wait(timeout=10), 0)
        self.assertEqual(len(self.calls()), asked)

    def test_keeps_a_file_that_nobody_has_sent_and_sends_it_once_promoted(self):
        process = self.wait()
        with self.assertRaises(subprocess.TimeoutExpired):
            process.wait(timeout=2.5)
        (self.data / "standby.signal").unlink()
        self.server("ready")
        self.assertEqual(process.wait(timeout=10), 0)
        self.assertIn(f"archive-push pg_wal/{SEGMENT}", self.calls()[-1])

    def test_a_file_has_to_be_in_both_repositories(self):
        (self.root / "everest/pgbackrest.conf").write_text("[global]\nrepo1-path=/a\nrepo2-path=/b\n")
        self.program("bin/pgbackrest", PGBACKREST.replace("*repo-ls*)", "*--repo=2*) ;;\n  *repo-ls*)"))
        self.archive(SEGMENT)
        with self.assertRaises(subprocess.TimeoutExpired):
            self.wait().wait(timeout=2.5)

    def test_does_not_hold_up_a_server_that_stops(self):
        process = self.wait()
        time.sleep(0.3)
        self.server("stopping")
        self.assertEqual(process.wait(timeout=3), 1)

    def test_ends_with_its_own_server_and_not_with_the_next_one(self):
        process = self.wait()
        time.sleep(0.3)
        self.server("standby", pid=8)
        self.assertEqual(process.wait(timeout=3), 1)

    def test_gives_its_copy_up_before_it_fills_the_volume(self):
        self.program("bin/df", "#!/bin/sh\necho header; echo 'x 1000000 951000 49000 95% /'\n")
        process = self.wait()
        self.assertEqual(process.wait(timeout=3), 0)
        self.assertIn("the volume is nearly full", process.stderr.read())

    def test_keeps_its_copy_on_a_large_volume_that_has_room_although_most_of_it_is_used(self):
        self.program("bin/df", "#!/bin/sh\necho header; echo 'x 100000000 99000000 1000000 99% /'\n")
        with self.assertRaises(subprocess.TimeoutExpired):
            self.wait().wait(timeout=2.5)

    def test_lets_go_of_the_segment_in_which_a_timeline_ended(self):
        self.archive(SEGMENT + ".partial")
        self.assertEqual(self.wait().wait(timeout=10), 0)

    def test_knows_files_of_the_history_too(self):
        (self.root / "repo/17-1/00000002.history").touch()
        self.assertEqual(self.wait("00000002.history").wait(timeout=10), 0)


class GetTest(ArchiveCase):
    def get(self):
        return self.run_script("get", SEGMENT, "pg_wal/RECOVERYXLOG")

    def test_a_standby_asks_again_later_when_the_archive_is_away_and_does_not_wait_for_it(self):
        (self.data / "standby.signal").touch()
        self.answers(49)
        self.assertEqual([self.get(), self.get()], [1, 1])
        self.assertEqual(len(self.calls()), 1)

    def test_what_is_not_there_is_asked_for_again_at_once(self):
        (self.data / "standby.signal").touch()
        self.answers(1)
        self.assertEqual([self.get(), self.get()], [1, 1])
        self.assertEqual(len(self.calls()), 2)

    def test_a_promotion_does_not_wait_for_an_archive_that_does_not_answer_and_nobody_asks_it_again_at_once(self):
        (self.data / "standby.signal").touch()
        (self.data / "promote").touch()
        self.program("bin/pgbackrest", '#!/bin/sh\necho "$*" >> "$ROOT/calls"; exec sleep 20\n')
        started = time.monotonic()
        self.assertEqual(self.get(), 1)
        self.assertLess(time.monotonic() - started, 2.5)
        self.assertEqual((self.get(), len(self.calls())), (1, 1))

    def test_a_standby_that_was_receiving_this_file_looks_for_the_next_primary_after_half_a_second(self):
        (self.data / "standby.signal").touch()
        (self.data / "pg_wal" / SEGMENT).touch()
        self.program("bin/pgbackrest", '#!/bin/sh\necho "$*" >> "$ROOT/calls"; exec sleep 20\n')
        for name in (SEGMENT, "00000002.history"):
            with self.subTest(name):
                (self.root / "run/away").unlink(missing_ok=True)
                started = time.monotonic()
                self.assertEqual(self.run_script("get", name, "pg_wal/RECOVERYXLOG"), 1)
                self.assertLess(time.monotonic() - started, 2.5)

    def test_an_old_file_of_that_name_is_a_recycled_one_and_gives_the_archive_its_time(self):
        (self.data / "standby.signal").touch()
        (self.data / "pg_wal" / SEGMENT).touch()
        os.utime(self.data / "pg_wal" / SEGMENT, (1000, 1000))
        self.program("bin/pgbackrest", "#!/bin/sh\nsleep 1; exit 0\n")
        self.assertEqual(self.get(), 0)

    def test_an_archive_that_answers_is_read_to_the_end_though_the_server_is_to_be_promoted(self):
        (self.data / "standby.signal").touch()
        (self.data / "promote").touch()
        self.assertEqual((self.get(), self.get()), (0, 0))
        self.assertFalse((self.root / "run/away").exists())

    def test_a_recovery_ends_only_where_the_archive_ends_and_not_where_it_is_away(self):
        (self.data / "recovery.signal").touch()
        self.answers(49)
        process = self.start("get", SEGMENT, "pg_wal/RECOVERYXLOG")
        self.addCleanup(process.stderr.close)
        with self.assertRaises(subprocess.TimeoutExpired):
            process.wait(timeout=1)
        self.answers(1)
        self.assertEqual(process.wait(timeout=10), 1)

    def test_without_backups_nothing_is_there(self):
        (self.root / "everest/pgbackrest.conf").write_text("")
        self.assertEqual((self.get(), self.calls()), (1, []))


class Follower(ArchiveCase):
    """A cluster that follows another one."""

    def setUp(self):
        super().setUp()
        (self.root / "everest/cluster.json").write_text('{\n  "name": "orders",\n  "standby": {\n    "stanza": "db"\n  }\n}\n')
        (self.data / "standby.signal").touch()
        os.utime(self.data / "standby.signal", (1000, 1000))
        (self.data / "pg_wal" / SEGMENT).touch()

    def calls(self):
        path = self.root / "calls"
        return path.read_text() if path.exists() else ""

    def test_what_it_receives_is_given_up_at_once_because_it_would_wait_for_ever_and_fill_the_volume(self):
        self.assertEqual(self.run_script("push", f"pg_wal/{SEGMENT}"), 0)
        self.assertNotIn("archive-push", self.calls())

    def test_what_a_demoted_primary_had_written_before_is_still_sent_because_nobody_else_has_it(self):
        os.utime(self.data / "pg_wal" / SEGMENT, (900, 900))
        self.assertEqual(self.run_script("push", f"pg_wal/{SEGMENT}"), 0)
        self.assertIn("archive-push", self.calls())

    def test_a_promoted_one_sends_although_its_configuration_still_says_that_it_follows(self):
        (self.data / "standby.signal").unlink()
        self.assertEqual(self.run_script("push", f"pg_wal/{SEGMENT}"), 0)
        self.assertIn("archive-push", self.calls())


class BeforeARestoreInPlace(ArchiveCase):
    """The new declaration names another repository, and the old server still runs."""

    def setUp(self):
        super().setUp()
        (self.data / "PG_VERSION").touch()
        self.program("bin/pgbackrest", PGBACKREST.replace('echo "$*"', 'echo "$(sed -n s/repo1-path=//p "$PGBACKREST_CONFIG") $*"'))

    def push(self):
        return self.run_script("push", f"pg_wal/{SEGMENT}")

    def declare(self, path, put_back="false"):
        """As the kubelet does it: all files at once, by a link that changes its target."""
        self.version = getattr(self, "version", 0) + 1
        folder = self.root / f"everest/..{self.version}"
        folder.mkdir()
        (folder / "pgbackrest.conf").write_text(f"[global]\nrepo1-path={path}\n")
        (folder / "cluster.json").write_text('{\n  "name": "orders",\n  "replacement": {\n    "name": "r1",\n    "putBack": ' + put_back + '\n  },\n  "x": 1\n}\n')
        for name in ("pgbackrest.conf", "cluster.json"):
            (self.root / "everest" / name).unlink(missing_ok=True)
            (self.root / "everest" / name).symlink_to(f"..data/{name}")
        (self.root / "everest/..data").unlink(missing_ok=True)
        (self.root / "everest/..data").symlink_to(f"..{self.version}")

    def repository(self):
        return self.calls()[-1].split()[0]

    def test_the_old_server_archives_to_the_old_repository_so_that_nothing_is_missing_there_when_its_data_come_back(self):
        self.push()
        self.declare("/restore-1/shop/orders")
        self.assertEqual((self.push(), self.repository()), (0, "/shop/orders"))

    def test_the_restored_server_archives_to_the_new_one(self):
        self.push()
        self.declare("/restore-1/shop/orders")
        (self.root / "before-r1").mkdir()
        self.assertEqual((self.push(), self.repository()), (0, "/restore-1/shop/orders"))

    def test_the_restored_server_goes_on_with_the_new_one_when_the_way_back_is_declared(self):
        self.declare("/restore-1/shop/orders")
        (self.root / "before-r1").mkdir()
        self.push()
        self.declare("/shop/orders", put_back="true")
        self.assertEqual((self.push(), self.repository()), (0, "/restore-1/shop/orders"))

    def test_the_data_that_came_back_or_were_kept_for_good_archive_to_what_is_declared(self):
        self.declare("/shop/orders", put_back="true")
        self.push()
        self.declare("/restore-1/shop/orders")
        (self.root / "accepted-r1").mkdir()
        self.assertEqual((self.push(), self.repository()), (0, "/restore-1/shop/orders"))

    def test_files_are_kept_where_nobody_knows_the_old_repository(self):
        self.declare("/restore-1/shop/orders")
        self.assertEqual((self.push(), self.calls()), (1, []))

    def test_a_failure_does_not_prepare_the_new_repository(self):
        self.push()
        self.declare("/restore-1/shop/orders")
        self.answers(103)
        self.assertEqual(self.push(), 1)
        self.assertFalse((self.root / "prepared").exists())


if __name__ == "__main__":
    unittest.main()
