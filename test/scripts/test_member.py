"""python3 -m unittest discover -s test/scripts"""
import base64
import http.client
import http.server
import importlib.util
import json
import os
import pathlib
import sys
import tempfile
import threading
import unittest
from unittest import mock

SCRIPT = pathlib.Path(__file__).parents[2] / "src/render/scripts/member.py"
# The script has no package, so it is loaded by its path.
sys.path.insert(0, str(SCRIPT.parent))
spec = importlib.util.spec_from_file_location("member", SCRIPT)
assert spec and spec.loader
member = importlib.util.module_from_spec(spec)
spec.loader.exec_module(member)
import kube  # noqa: E402

CREDENTIALS = {"credentials": {"secret": "orders-credentials", "generate": True,
                               "keys": {"superuser": "superuser", "replication": "replication", "rewind": "rewind"}}}
OWNER = {"role": "app", "secret": "orders-app", "generate": True,
         "connection": {"host": "orders-rw.shop.svc", "port": "5432", "dbname": "app"}}


class FakeApi(http.server.ThreadingHTTPServer):
    """Objects of one namespace with resourceVersions; `before_patch` lets a test change something in between."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.objects, self.patches, self.before_patch, self.status = {}, 0, None, None
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def put(self, path, data=None, **metadata):
        self.objects[path] = {"metadata": {"resourceVersion": "1", **metadata}, "data": encode(data or {})}

    def data(self, path):
        return {key: base64.b64decode(value).decode() for key, value in self.objects[path]["data"].items()}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self):
        path = self.path.removeprefix("/api/v1/namespaces/shop/")
        if self.server.status:
            return self.reply(self.server.status, {})
        if path.startswith("pods?"):
            return self.reply(200, {"items": [o for p, o in self.server.objects.items() if p.startswith("pods/")]})
        found = self.server.objects.get(path)
        return self.reply(200 if found else 404, found or {})

    def do_PATCH(self):
        path = self.path.removeprefix("/api/v1/namespaces/shop/")
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.before_patch:
            action, self.server.before_patch = self.server.before_patch, None
            action()
        found = self.server.objects[path]
        if body["metadata"].get("resourceVersion", found["metadata"]["resourceVersion"]) != found["metadata"]["resourceVersion"]:
            return self.reply(409, {})
        self.server.patches += 1
        found.setdefault("data", {}).update(body.get("data", {}))
        annotations = {**found["metadata"].get("annotations", {}), **body["metadata"].get("annotations", {})}
        found["metadata"]["annotations"] = {key: value for key, value in annotations.items() if value is not None}
        found["metadata"]["resourceVersion"] = str(int(found["metadata"]["resourceVersion"]) + 1)
        return self.reply(200, found)


def encode(data):
    return {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}


class WithApi(unittest.TestCase):
    def setUp(self):
        self.server = FakeApi()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        token = tempfile.NamedTemporaryFile("w", suffix="token")
        self.addCleanup(token.close)
        connection = http.client.HTTPConnection("127.0.0.1", self.server.server_port, timeout=5)
        self.addCleanup(connection.close)
        self.api = member.Api(connection, "shop", token.name)
        self.said = []
        patches = [mock.patch.object(member, "log", self.said.append), mock.patch.object(kube, "log", self.said.append), mock.patch.object(member.time, "sleep", lambda _: self.on_sleep())]
        for patch in patches:
            patch.start()
            self.addCleanup(patch.stop)
        self.on_sleep = lambda: None


class SecretTest(WithApi):
    def test_fills_missing_keys_only_because_a_given_password_is_the_users(self):
        self.server.put("secrets/orders-credentials", {"superuser": "given"})
        values = member.until_settled(self.api, member.credentials_spec(CREDENTIALS))
        self.assertEqual(values["superuser"], "given")
        self.assertRegex(values["rewind"], r"^[A-Za-z0-9]{32}$")
        self.assertEqual(self.server.data("secrets/orders-credentials"), values)

    def test_reads_again_after_a_conflict_so_that_all_members_end_with_the_same_values(self):
        self.server.put("secrets/orders-credentials")
        other = {"superuser": "a", "replication": "b", "rewind": "c"}

        def another_member_wins():
            self.server.put("secrets/orders-credentials", other, resourceVersion="7")
        self.server.before_patch = another_member_wins
        self.assertEqual(member.until_settled(self.api, member.credentials_spec(CREDENTIALS)), other)
        self.assertEqual(self.server.patches, 0)

    def test_waits_and_says_once_which_key_is_missing_when_it_may_not_generate(self):
        self.server.put("secrets/orders-app")
        waits = []

        def wait():
            waits.append(1)
            if len(waits) == 3:
                self.server.put("secrets/orders-app", {"password": "now there"})
        self.on_sleep = wait
        values = member.until_settled(self.api, member.owner_spec({**OWNER, "generate": False}))
        self.assertEqual(values["password"], "now there")
        self.assertEqual(len(self.said), 1)
        self.assertIn("Secret orders-app has no value for key password", self.said[0])

    def test_waits_for_an_api_that_answers_with_errors(self):
        self.server.status = 503

        def wait():
            self.server.status = None
            self.server.put("secrets/orders-app", {"password": "x"})
        self.on_sleep = wait
        member.until_settled(self.api, member.owner_spec(OWNER))
        self.assertIn("answered 503", self.said[0])

    def test_uris_are_escaped_because_a_given_password_may_hold_any_character(self):
        self.server.put("secrets/orders-app", {"password": "a/b@c:d"})
        values = member.until_settled(self.api, member.owner_spec(OWNER))
        self.assertEqual(values["uri"], "postgresql://app:a%2Fb%40c%3Ad@orders-rw.shop.svc:5432/app")
        self.assertEqual(values["jdbc-uri"], "jdbc:postgresql://orders-rw.shop.svc:5432/app?user=app&password=a%2Fb%40c%3Ad")
        self.assertFalse(any("a/b@c:d" in text for text in self.said))


class LoginTest(unittest.TestCase):

    def test_a_secret_may_name_one_of_the_logins_that_take_turns(self):
        owner = {**OWNER, "logins": ["app_a", "app_b"]}
        self.assertEqual(member.login_of(owner, {"user": "app_b"}), "app_b")

    def test_any_other_user_of_a_secret_is_not_taken_for_a_role(self):
        for user in ("postgres", "app_c", "", "app"):
            self.assertEqual(member.login_of({**OWNER, "logins": ["app_a", "app_b"]}, {"user": user}), "app")

    def test_an_owner_whose_secret_has_outlived_its_cluster_gets_the_login_that_the_secret_names(self):
        database = mock.Mock(value=mock.Mock(return_value=None))
        member.create_owner(database, {**OWNER, "logins": ["app_a", "app_b"]}, {"app_b": "secret"})
        self.assertEqual([call.args[0] for call in database.run.call_args_list], [
            'CREATE ROLE "app" LOGIN', 'CREATE ROLE "app_b" LOGIN IN ROLE "app"', 'ALTER ROLE "app_b" SET role = "app"'])


class ScramTest(unittest.TestCase):

    def test_agrees_with_rfc_7677(self):
        salt = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
        made = member.verifier("pencil", salt, 4096)
        self.assertEqual(made, "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
                         "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=")
        self.assertTrue(member.matches(made, "pencil"))
        self.assertFalse(member.matches(made, "pen"))

    def test_anything_but_a_scram_verifier_does_not_match(self):
        for stored in ("", "md5abc", "SCRAM-SHA-256$x"):
            self.assertFalse(member.matches(stored, "pencil"))

    def test_prepares_passwords_as_postgresql_does(self):
        self.assertEqual(member.prepare("I\u00adX"), "IX")
        self.assertEqual(member.prepare("\u2168"), "IX")
        self.assertEqual(member.prepare("a\u00a0b"), "a b")
        self.assertEqual(member.prepare("\u00e9\u0007"), "\u00e9\u0007", "what the profile refuses is taken unchanged")


class TurnTest(WithApi):
    def setUp(self):
        super().setUp()
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.cluster = {"name": "orders", "dataDirectory": self.folder.name, "members": ["orders-1-0", "orders-2-0"]}
        os.environ["HOSTNAME"] = "orders-1-0"
        self.server.put("pods/orders-1-0", name="orders-1-0", annotations={})
        self.server.put("pods/orders-2-0", name="orders-2-0", annotations={})

    def data(self, timeline, standby):
        root = pathlib.Path(self.folder.name)
        (root / "pg_wal").mkdir()
        (root / "PG_VERSION").write_text("17")
        (root / f"pg_wal/{timeline:08X}0000000000000001").touch()
        if standby:
            (root / "standby.signal").touch()

    def other_tells(self, timeline, primary):
        self.server.put("pods/orders-2-0", name="orders-2-0", annotations={member.HISTORY: json.dumps([timeline, primary, "2026-01-01T00:00:02Z"])})

    def turn(self):
        sleeps = []

        def sleep():
            sleeps.append(1)
            if len(sleeps) == 4:
                self.server.put("configmaps/orders-leader", annotations={"leader": "orders-2-0"})
            if len(sleeps) > 5:
                raise AssertionError("waits for ever")
        self.on_sleep = sleep
        member.take_turn(self.cluster, self.api)
        return len(sleeps)

    def test_goes_at_once_when_somebody_leads(self):
        self.server.put("configmaps/orders-leader", annotations={"leader": "orders-2-0"})
        self.assertEqual(self.turn(), 0)

    def test_a_standby_lets_the_primary_of_its_timeline_lead_because_that_has_every_row(self):
        self.data(2, standby=True)
        self.other_tells(2, True)
        self.assertEqual(self.turn(), 4)
        self.assertIn("orders-2-0 may have newer data", self.said[-1])

    def test_a_primary_that_was_replaced_lets_the_later_timeline_lead(self):
        self.data(2, standby=False)
        self.other_tells(3, False)
        self.assertEqual(self.turn(), 4)

    def test_the_newest_goes_at_once(self):
        self.data(3, standby=False)
        self.other_tells(3, False)
        self.assertEqual(self.turn(), 0)

    def test_an_empty_member_never_starts_a_new_cluster_beside_data_however_long_it_waits(self):
        self.other_tells(1, False)
        heard = member.History(0, False)
        with self.assertRaises(member.NotYet):
            member.check_turn(self.cluster, self.api, heard, 1e6)

    def test_a_new_cluster_is_given_up_when_another_member_turns_out_to_have_data(self):
        self.other_tells(1, False)
        with self.assertRaises(SystemExit):
            member.check_alone(self.cluster, self.api, 0)

    def test_a_new_cluster_waits_to_hear_of_every_member_but_not_for_ever(self):
        with self.assertRaises(member.NotYet):
            member.check_alone(self.cluster, self.api, 0)
        member.check_alone(self.cluster, self.api, member.TURN_S + 1)

    def test_ignores_what_an_earlier_container_told_because_its_data_are_newer_now(self):
        self.other_tells(1, False)
        pod = self.server.objects["pods/orders-2-0"]
        for state, heard in (({"running": {"startedAt": "2026-01-01T00:00:01Z"}}, True), ({"running": {"startedAt": "2026-01-01T00:00:09Z"}}, False),
                             ({"terminated": {"startedAt": "2026-01-01T00:00:01Z", "finishedAt": "2026-01-01T00:00:09Z"}}, False)):
            pod["status"] = {"containerStatuses": [{"name": "postgres", "state": state}]}
            self.assertEqual("orders-2-0" in member.histories_of(self.cluster, self.api), heard)

    def test_goes_without_a_member_that_does_not_come_up_after_a_while(self):
        self.data(1, standby=True)
        mine = member.History.on_disk(self.folder.name)
        with self.assertRaises(member.NotYet):
            member.check_turn(self.cluster, self.api, mine, member.TURN_S - 1)
        self.other_tells(1, False)
        self.server.put("pods/orders-1-0", name="orders-1-0", annotations={member.HISTORY: '[1, false, "2026-01-01T00:00:02Z"]'})
        self.cluster["members"].append("orders-3-0")
        member.check_turn(self.cluster, self.api, mine, member.TURN_S + 1)
        self.assertIn("starting without orders-3-0", self.said[-1])


class UserlistTest(unittest.TestCase):
    CREDENTIALS = {"keys": {"superuser": "superuser"}, "pooler": {"role": "everest_pooler", "key": "pooler", "userlistKey": "list"},
                   "agent": {"role": "everest_agent", "key": "agent"}}

    def complete(self, have):
        return {**have, **member.missing_credentials(self.CREDENTIALS, have)}

    def test_the_pooler_gets_its_own_password_and_only_a_verifier_of_the_agents(self):
        values = self.complete({})
        self.assertIn(f'"everest_pooler" "{values["pooler"]}"', values["list"])
        self.assertNotIn(values["agent"], values["list"])
        self.assertRegex(values["list"], r'"everest_agent" "SCRAM-SHA-256\$')

    def test_a_right_list_is_not_written_again_because_each_write_is_a_change_for_all_poolers(self):
        self.assertEqual(member.missing_credentials(self.CREDENTIALS, self.complete({})), {})

    def test_the_list_follows_passwords_and_keeps_lines_of_others(self):
        have = self.complete({})
        changed = self.complete({**have, "agent": "new", "pooler": "other", "list": have["list"] + '"mine" "md5x"\n'})
        self.assertTrue(member.matches(changed["list"].split('"everest_agent" "')[1].split('"')[0], "new"))
        self.assertIn('"everest_pooler" "other"', changed["list"])
        self.assertIn('"mine" "md5x"', changed["list"])

class OwnDataTest(unittest.TestCase):
    """A Pod that was deleted by force and its successor share a node and a volume for a while."""

    def setUp(self):
        folder = tempfile.mkdtemp()
        self.cluster = {"dataDirectory": f"{folder}/pg17"}

    def test_a_second_container_waits_until_the_first_has_ended_because_postgresql_cannot_see_it(self):
        first, second = member.own_data(self.cluster), []
        del os.environ[member.LOCKED]  # another container has another environment
        self.addCleanup(os.environ.pop, member.LOCKED, None)
        waiting = threading.Thread(target=lambda: second.append(member.own_data(self.cluster)), daemon=True)
        waiting.start()
        waiting.join(0.3)
        self.assertEqual(second, [])
        os.close(first)  # as the kernel does when the process ends
        waiting.join(5)
        self.assertEqual(len(second), 1)
        os.close(second[0])

    def test_patroni_keeps_the_lock_since_it_takes_the_place_of_this_process(self):
        lock = member.own_data(self.cluster)
        self.assertTrue(os.get_inheritable(lock))
        os.close(lock)


class PredecessorTest(WithApi):
    OWN = '{"api_url":"http://10.0.0.7:8008/patroni"}'

    def status_after(self, told, address="10.0.0.7"):
        pod = {"metadata": {"resourceVersion": "1", "uid": "u1", "annotations": {"status": told} if told else {}}, "status": {"podIP": address}}
        self.server.objects["pods/orders-1-0"] = pod
        with mock.patch.dict(os.environ, HOSTNAME="orders-1-0"):
            member.forget_predecessor(self.api)
        return self.server.objects["pods/orders-1-0"]["metadata"].get("annotations", {}).get("status"), self.server.patches

    def test_words_of_a_predecessor_are_taken_off_because_patroni_would_ask_at_its_address_for_seconds(self):
        self.assertEqual(self.status_after('{"api_url":"http://10.0.0.3:8008/patroni"}'), (None, 1))

    def test_its_own_words_and_those_of_nobody_stay(self):
        self.assertEqual(self.status_after(self.OWN), (self.OWN, 0))
        self.assertEqual(self.status_after(None), (None, 0))
        self.assertEqual(self.status_after(self.OWN, None), (self.OWN, 0))


class HandOverTest(unittest.TestCase):
    """The hook against a Patroni that plays its part; what counts is what it asks of it."""

    def setUp(self):
        self.patroni = {"role": "primary", "state": "running"}
        self.members = [{"name": "orders-2-0", "state": "streaming"}]
        self.metadata = {"deletionTimestamp": "t", "deletionGracePeriodSeconds": 80}
        self.posted, self.clock = [], 0.0

    def run_hook(self, agent=False, agent_acts=False):
        def ask(method, path, body=None, limit_s=2.0):
            if method == "POST":
                self.posted.append(body)
                return {"answer": "Successfully switched over"}
            return {"members": self.members} if path == "/cluster" else self.patroni

        def sleep(seconds):
            self.clock += seconds
            if agent_acts:
                self.patroni = {"role": "replica", "state": "stopping"}

        api = mock.Mock(call=lambda *_: self.metadata and {"metadata": self.metadata})
        with mock.patch.object(member, "patroni", ask), mock.patch.object(member.time, "sleep", sleep), \
                mock.patch.object(member.time, "monotonic", lambda: self.clock), mock.patch.dict(os.environ, HOSTNAME="orders-1-0"):
            member.hand_over({"agent": agent}, api)
        return self.posted

    def test_a_primary_hands_over_at_once_where_no_agent_would(self):
        self.assertEqual(self.run_hook(), [{"leader": "orders-1-0"}])
        self.assertEqual(self.clock, 0)

    def test_the_agent_comes_first_because_it_lets_clients_wait(self):
        self.assertEqual(self.run_hook(agent=True, agent_acts=True), [])

    def test_without_a_word_from_the_agent_the_primary_hands_over_itself(self):
        self.assertEqual(len(self.run_hook(agent=True)), 1)
        self.assertLess(self.clock, member.HAND_OVER_S)

    def test_a_standby_a_paused_member_and_one_that_does_not_answer_stop_at_once(self):
        for answer in ({"role": "replica", "state": "running"}, {"role": "primary", "state": "running", "pause": True}, None):
            self.patroni = answer
            self.assertEqual(self.run_hook(), [])

    def test_without_an_heir_nothing_is_to_gain(self):
        for members in ([], [{"state": "starting"}], [{"state": "streaming", "tags": {"nofailover": True}}]):
            self.members = members
            self.assertEqual(self.run_hook(agent=True), [])
        self.assertEqual(self.clock, 0)

    def test_a_forced_deletion_and_a_restart_in_place_are_not_held_up(self):
        for metadata in (None, {}, {"deletionTimestamp": "t", "deletionGracePeriodSeconds": 1}):
            self.metadata = metadata
            self.assertEqual(self.run_hook(agent=True), [])
        self.assertEqual(self.clock, 0)


if __name__ == "__main__":
    unittest.main()
