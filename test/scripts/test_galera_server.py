"""Files, processes and requests of a Galera member: what needs no database server."""
import contextlib
import http.client
import io
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import unittest

SCRIPTS = os.path.join(os.path.dirname(__file__), "../../src/render/scripts")
sys.path.insert(0, SCRIPTS)
import galera_http as web  # noqa: E402
import galera_server as server  # noqa: E402
import galera_users as users  # noqa: E402

UUID = "5748f347-e9e2-11f1-b142-4e5e6c22fca9"
GRASTATE = f"# GALERA saved state\nversion: 2.1\nuuid:    {UUID}\nseqno:   {{}}\nsafe_to_bootstrap: 0\n"


def until(condition, seconds=5.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


class Eviction(unittest.TestCase):
    """A dead member is given up when the suspect time-out is over; that is short only for a moment."""

    def setUp(self):
        self.said = []
        self.server = server.Server.__new__(server.Server)
        self.server.config = {"providerOptions": {"evs.suspect_timeout": "PT1.5S"}}
        self.server.evicted, self.server.hurry_until = set(), 0.0
        self.server.provider_option = lambda name, value: self.said.append((name, value))

    def test_the_time_out_is_short_before_the_eviction_since_the_group_waits_for_it(self):
        self.server.evict("dead")
        self.assertEqual(self.said, [("evs.suspect_timeout", "PT0.6S"), ("evs.evict", "dead")])

    def test_all_is_as_usual_once_the_dead_is_out_of_the_view_and_nobody_counts_as_evicted_since_joiners_would_wait_for_it(self):
        self.server.evict("dead")
        self.server.calm({"dead", "alive"})
        self.assertEqual(len(self.said), 2)
        self.server.calm({"alive"})
        self.server.calm({"alive"})
        self.assertEqual(self.said[2:], [("evs.suspect_timeout", "PT1.5S"), ("evs.evict", "")])

    def test_one_that_stays_in_the_view_stays_evicted_and_yet_the_time_out_is_as_usual_after_a_moment(self):
        self.server.evict("dead")
        self.server.hurry_until = time.monotonic() - 1
        self.server.calm({"dead", "alive"})
        self.server.calm({"dead", "alive"})
        self.assertEqual(self.said[2:], [("evs.suspect_timeout", "PT1.5S")])
        self.server.calm({"alive"})
        self.assertEqual(self.said[-1], ("evs.evict", ""))

    def test_what_the_server_refuses_is_tried_again_since_short_time_outs_must_not_stay(self):
        def refuse(*_):
            raise server.SqlError("no answer")
        self.server.evict("dead")
        usual, self.server.provider_option = self.server.provider_option, refuse
        self.server.calm({"alive"})
        self.server.provider_option = usual
        self.server.calm({"alive"})
        self.assertEqual(self.said[-1], ("evs.evict", ""))

    def test_options_are_written_as_their_variables_want_them(self):
        self.assertEqual([server.plain(value) for value in ("PT0.6S", "1", "uuid")], [0.6, 1, "uuid"])


class Texts(unittest.TestCase):
    def test_a_recovered_position_is_cut_at_the_gtid_and_kept_whole_for_the_server(self):
        found = server.parse_recovered(f"2026 0 [Note] WSREP: Recovered position: {UUID}:819,7-1-819\n")
        self.assertEqual((found.uuid, found.seqno, found.raw), (UUID, 819, f"{UUID}:819,7-1-819"))
        self.assertIsNone(server.parse_recovered("InnoDB: Operating system error number 2"))

    def test_a_search_that_was_killed_says_nothing_of_the_data_while_a_crash_of_its_own_does(self):
        self.assertEqual([server.ended_from_outside(code) for code in (-9, 137, -15, 143, -11, 139, 1, 0)], [9, 9, 15, 15, None, None, None, None])

    def test_only_settings_of_the_server_count_whatever_their_spelling(self):
        self.assertEqual(server.parse_options("[client]\nport=1\n[mysqld]\nmax-connections = 80\n# a=b\nlog_bin=binlog\n"),
                         {"max_connections": "80", "log_bin": "binlog"})

    def test_values_as_set_global_takes_them(self):
        self.assertEqual([server.literal(value) for value in ("2G", "0.5", "on", "utf8mb4", "o'clock")],
                         [str(2 * 1024 ** 3), "0.5", "on", "'utf8mb4'", "'o''clock'"])

    def test_a_password_travels_as_the_hash_that_the_server_keeps(self):
        self.assertEqual(users.native_hash("password"), "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19")

    def test_numbers_that_the_server_does_not_tell_are_not_numbers(self):
        told = server.told_status({"wsrep_cluster_state_uuid": server.ZERO_UUID}, [])
        self.assertEqual((told["clusterStateUuid"], told["lastCommitted"], told["localState"], told["ready"]), ("", -1, -1, False))


class Volume(unittest.TestCase):
    def setUp(self):
        self.volume = tempfile.mkdtemp()
        self.server = server.Server({"volume": self.volume, "run": f"{self.volume}/run", "engine": "mariadb"}, "orders-1")
        self.notes = server.Notes(self.volume)

    def test_a_member_whose_search_for_the_position_was_killed_searches_again_since_unknown_would_stop_all_members(self):
        self.fill("ibdata1", grastate=GRASTATE.format(-1))
        self.server.write_config = lambda: None
        self.server.config["server"] = "mariadbd"
        self.server.wait_for = lambda command, tick: -9
        with self.assertRaises(server.Failed):
            self.server.recover(lambda: None)
        self.server.wait_for = lambda command, tick: 1
        with contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(self.server.recover(lambda: None).source, "unknown")

    def fill(self, *names, grastate=GRASTATE.format(7)):
        os.makedirs(f"{self.volume}/data/mysql")
        for name, text in [("grastate.dat", grastate), *((name, "") for name in names)]:
            with open(f"{self.volume}/data/{name}", "w", encoding="utf-8") as file:
                file.write(text)

    def test_an_empty_volume(self):
        self.assertEqual(self.server.look(self.notes), server.Found(True, False))

    def test_data_of_a_member_that_was_joining_are_half_a_copy_only_where_a_copy_had_begun(self):
        self.fill()
        self.notes.put("joining", {})
        self.assertFalse(self.server.look(self.notes).incomplete)
        open(f"{self.volume}/data/sst_in_progress", "w", encoding="utf-8").close()
        self.assertTrue(self.server.look(self.notes).incomplete)

    def test_a_mark_that_an_old_copy_has_left_says_nothing_about_a_member_that_was_in_step(self):
        self.fill("sst_in_progress")
        self.assertFalse(self.server.look(self.notes).incomplete)
        self.server.remove_stale(False)
        self.assertFalse(os.path.exists(f"{self.volume}/data/sst_in_progress"))

    def test_an_empty_state_file_of_a_joiner_is_half_a_copy(self):
        self.fill(grastate="")
        self.notes.put("joining", {})
        self.assertTrue(self.server.look(self.notes).incomplete)

    def test_new_data_that_nobody_was_let_into_count_as_none(self):
        self.fill()
        self.notes.put("initializing", {})
        self.assertEqual(self.server.look(self.notes), server.Found(True, False))

    def test_a_position_of_a_clean_stop_needs_no_server(self):
        self.fill()
        self.assertEqual(self.server.recover(lambda: None), server.Position(UUID, 7, "grastate"))

    def test_data_that_are_set_aside_are_kept(self):
        self.fill("ibdata1")
        self.server.set_aside()
        aside = self.server.asides()
        self.assertEqual(len(aside), 1)
        self.assertTrue(os.path.exists(f"{self.volume}/{aside[0]}/ibdata1"))
        self.assertTrue(self.server.look(self.notes).empty)

    def test_notes_outlive_the_script_and_a_broken_one_counts_as_absent(self):
        self.notes.put("bootstrap", {"n": 3})
        with open(f"{self.volume}/everest/view.json", "w", encoding="utf-8") as file:
            file.write("{")
        again = server.Notes(self.volume)
        self.assertEqual((again.get("bootstrap"), again.get("view")), ({"n": 3}, None))


class TwoContainers(unittest.TestCase):
    """galera-run.sh as the server's container runs it."""

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.runner = self.begin()

    def tearDown(self):
        self.runner.kill()
        self.runner.wait()

    def begin(self):
        runner = subprocess.Popen(["bash", f"{SCRIPTS}/galera-run.sh", self.folder])
        self.assertTrue(until(lambda: os.path.exists(f"{self.folder}/runner/boot")))
        return runner

    def test_tells_how_a_program_ends(self):
        program = server.Remote(["sh", "-c", "exit 3"], self.folder)
        self.assertTrue(until(lambda: program.poll() == 3), program.poll())

    def test_passes_arguments_as_they_are(self):
        program = server.Remote(["sh", "-c", f"printf %s \"$1\" > {self.folder}/out", "x", "two words; $HOME"], self.folder)
        self.assertTrue(until(lambda: program.poll() == 0))
        with open(f"{self.folder}/out", encoding="utf-8") as file:
            self.assertEqual(file.read(), "two words; $HOME")

    def test_stops_a_program_and_kills_one_that_does_not_listen_with_all_that_it_has_started(self):
        program = server.Remote(["sleep", "60"], self.folder)
        self.assertTrue(until(lambda: program.poll() is None and program.pid))
        program.terminate()
        self.assertTrue(until(lambda: program.poll() == 143), program.poll())
        deaf = server.Remote(["bash", "-c", f"trap '' TERM; sleep 61 & echo $! > {self.folder}/child; wait; wait"], self.folder)
        self.assertTrue(until(lambda: os.path.exists(f"{self.folder}/child")))
        with open(f"{self.folder}/child", encoding="utf-8") as file:
            child = file.read().strip()
        deaf.end()
        self.assertEqual(deaf.poll(), 137)
        self.assertTrue(until(lambda: not os.path.exists(f"/proc/{child}")))

    def test_a_container_that_was_killed_has_no_server_any_more(self):
        program = server.Remote(["sleep", "1"], self.folder)
        self.assertTrue(until(lambda: program.poll() is None and program.pid))
        self.tearDown()
        self.runner = self.begin()
        self.assertTrue(until(lambda: program.poll() == -9), program.poll())

    def test_a_container_that_is_dead_is_known_before_it_is_started_again(self):
        program = server.Remote(["sleep", "1"], self.folder)
        self.assertTrue(until(lambda: program.poll() is None and program.pid))
        self.tearDown()
        self.assertTrue(until(lambda: program.poll() == -9), program.poll())

    def test_of_a_container_whose_shell_is_older_nothing_is_known(self):
        program = server.Remote(["sleep", "1"], self.folder)
        self.tearDown()
        os.unlink(f"{self.folder}/runner/alive")
        self.assertIsNone(program.poll())

    def test_ends_with_the_file_that_it_was_told_of_and_with_what_it_runs(self):
        path = f"{self.folder}/report.sock"
        runner = subprocess.Popen(["bash", f"{SCRIPTS}/galera-run.sh", f"{self.folder}/drill", path])
        self.addCleanup(runner.kill)
        self.assertTrue(until(lambda: os.path.exists(f"{self.folder}/drill/runner/boot")))
        program = server.Remote(["sleep", "62"], f"{self.folder}/drill")
        # It has not been there yet, which says nothing.
        self.assertTrue(until(lambda: program.poll() is None and program.pid))
        with open(path, "w", encoding="utf-8"):
            self.assertFalse(until(lambda: runner.poll() is not None, 1.0))
        os.unlink(path)
        self.assertTrue(until(lambda: runner.poll() == 0))
        self.assertTrue(until(lambda: not os.path.exists(f"/proc/{program.pid}")))

    def test_a_script_that_starts_again_ends_what_the_last_one_has_left(self):
        program = server.Remote(["sleep", "60"], self.folder)
        self.assertTrue(until(lambda: program.poll() is None and program.pid))
        server.Remote.clear(self.folder, lambda: None)
        self.assertIsNotNone(program.poll())


class Notebook(dict):
    """Notes without a volume."""
    put = dict.__setitem__


class FakeMember:
    """As much of one as requests look at."""

    def __init__(self):
        self.name, self.boot_id, self.phase, self.api_key, self.others = "orders-1", "boot", "waiting", "key", []
        self.changed, self.change, self.lock = threading.Condition(), 0, threading.RLock()
        self.promise = self.grant = self.status = None
        self.claiming = False
        self.promised_at = 0.0
        self.found = server.Found(False, False)
        self.notes = {}
        self.ready = True

    def told_position(self):
        return {"uuid": UUID, "seqno": 7, "source": "recovered"}

    def state(self):
        return {"member": self.name, "bootId": self.boot_id, "phase": self.phase, "position": self.told_position(), "dataEmpty": False,
                "sstIncomplete": False, "claiming": self.claiming, "granted": self.grant is not None, "change": self.change}

    def notify(self):
        with self.changed:
            self.change += 1
            self.changed.notify_all()

    is_live = is_ready = is_writer = is_reader = lambda self: self.ready
    leaving = False

    def hands_over(self):
        return self.leaving


class Web(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.member, web.PORT = FakeMember(), 19200
        web.serve(cls.member, web.Requests(cls.member))

    def ask(self, path, body=None, key="key", at=None):
        connection = http.client.HTTPConnection("127.0.0.1", web.PORT, timeout=5)
        text = "" if body is None else json.dumps(body)
        at = str(int(time.time()) if at is None else at)
        headers = {} if body is None else {"Authorization": f"Everest {at} {web.signature(key, at, path, text)}"}
        connection.request("GET" if body is None else "POST", path, text or None, headers)
        try:
            response = connection.getresponse()
            return response.status, json.loads(response.read() or b"{}")
        finally:
            connection.close()

    def setUp(self):
        self.member.__init__()

    def test_checks_follow_the_member(self):
        self.assertEqual([self.ask(path)[0] for path in ("/live", "/ready", "/writer", "/reader", "/nothing")], [200, 200, 200, 200, 404])
        self.member.ready = False
        self.assertEqual(self.ask("/writer")[0], 503)

    def test_a_writer_that_hands_over_asks_haproxy_for_no_new_sessions_and_keeps_those_that_it_has(self):
        self.member.leaving = True
        self.addCleanup(setattr, self.member, "leaving", False)
        self.assertEqual([self.ask(path)[0] for path in ("/writer", "/reader")], [404, 200])
        self.member.ready = False
        self.assertEqual(self.ask("/writer")[0], 503)

    def test_nothing_is_done_without_the_key_or_late(self):
        grant = {"id": "g", "uuid": UUID, "seqno": 7}
        self.assertEqual(self.ask("/bootstrap", grant, key="other")[0], 401)
        self.assertEqual(self.ask("/bootstrap", grant, at=time.time() // 1 - 120)[0], 401)
        self.assertIsNone(self.member.grant)

    def test_a_grant_must_name_the_position_and_the_process(self):
        for wrong in ({"seqno": 8}, {"uuid": None}, {"bootId": "earlier"}):
            self.assertEqual(self.ask("/bootstrap", {"id": "g", "uuid": UUID, "seqno": 7, **wrong})[0], 409, wrong)
        self.assertEqual(self.ask("/bootstrap", {"id": "g", "uuid": UUID, "seqno": 7})[0], 200)
        self.assertEqual(self.member.grant, {"id": "g"})

    def test_a_grant_is_good_for_one_time(self):
        self.member.notes = {"granted": ["g"]}
        status, answer = self.ask("/bootstrap", {"id": "g", "uuid": UUID, "seqno": 7})
        self.assertEqual((status, answer["error"]), (409, "g was used before"))

    def test_whoever_has_promised_to_stand_back_takes_no_grant(self):
        table = {"orders-1": ["boot", UUID, 7]}
        self.assertEqual(self.ask("/promise", {"to": "orders-2", "toBootId": "b", "table": table})[0], 200)
        self.assertEqual(self.ask("/bootstrap", {"id": "g", "uuid": UUID, "seqno": 7})[0], 409)

    def test_a_promotion_that_the_server_refuses_leaves_no_record(self):
        class Refusing:
            def promote(self):
                raise server.SqlError("in between", 1231)
        self.member.notes = Notebook(bootstrap={"n": 1})
        self.member.phase, self.member.status, self.member.server = "nonprimary", {"x": 1}, Refusing()
        self.assertEqual(self.ask("/pc-bootstrap", {"id": "p", "uuid": UUID, "seqno": 7})[0], 409)
        self.assertEqual((self.member.promoted, self.member.notes["bootstrap"]), (None, {"n": 1}))

    def test_malformed_requests_are_told_so(self):
        self.assertEqual(self.ask("/bootstrap", {"id": "g"})[0], 400)
        self.assertEqual(self.ask("/promise", {"to": "orders-2"})[0], 400)

    def test_watchers_hear_of_changes_at_once(self):
        connection = http.client.HTTPConnection("127.0.0.1", web.PORT, timeout=5)
        connection.request("GET", "/watch")
        response = connection.getresponse()
        self.assertEqual(json.loads(response.readline())["phase"], "waiting")
        self.member.phase = "starting"
        self.member.notify()
        self.assertEqual(json.loads(response.readline())["phase"], "starting")
        connection.close()


if __name__ == "__main__":
    unittest.main()
