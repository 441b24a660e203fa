"""Rotation of passwords: what is next, and that the server comes before the Secret."""
import json
import os
import time
import unittest

from test_member import WithApi

import test_galera_server  # noqa: F401 -- puts the scripts on the path
import galera_passwords as passwords  # noqa: E402
import galera_users as users  # noqa: E402

CASES = os.path.join(os.path.dirname(__file__), "../support/rotation-cases.json")
CONNECTION = {"host": "h", "port": "3306", "dbname": "app"}


def role(**rotation):
    return {"role": "app", "secret": "orders-app", "generate": True, "connection": CONNECTION, "rotation": rotation, "logins": ["app_a", "app_b"]}


class Server:
    """Users with the rights of the owner; who is locked cannot log in."""

    def __init__(self):
        self.hashes, self.locked, self.changes = {"app": "", "app_a": "", "app_b": ""}, {"app_a", "app_b"}, []
        self.super = None

    def rows(self, statement, values=None):
        if "wsrep" in statement:
            return [("wsrep_last_committed", "42")]
        if "account_locked" in statement:
            return [("1" if values[0] in self.locked else None,)] if values[0] in self.hashes else []
        if statement.startswith("SHOW GRANTS"):
            if self.super and self.super in statement:
                return [("GRANT SUPER ON *.* TO `app`@`%`",)]
            return [(f"GRANT ALL PRIVILEGES ON `app`.* TO `{statement.split(chr(39))[1]}`@`%`",)]
        return [(1,)] if values[0] in self.hashes else []

    def change(self, statement, values=None):
        self.changes.append(statement)
        name = statement.split("'")[1]
        if "UNLOCK" in statement:
            self.locked.discard(name)
            self.hashes[name] = statement.split("'")[5]
        elif "LOCK" in statement:
            self.locked.add(name)


class Next(unittest.TestCase):
    def test_is_what_the_agent_decides_for_postgresql(self):
        with open(CASES, encoding="utf-8") as file:
            cases = json.load(file)
        for case in cases:
            rotation = {key: case[key] for key in ("everySeconds", "oldValidForSeconds") if key in case}
            annotations = {passwords.ROTATED_AT: passwords.utc(1_000_000 - case["age"])} if "age" in case and case["age"] < 1_000_000 else {}
            if case.get("age", 0) >= 1_000_000:
                annotations = {passwords.ROTATED_AT: "1970-01-01T00:00:00.000Z"}
            if case.get("asked"):
                annotations[passwords.REQUEST] = "now"
            secret = passwords.RoleSecret({"user": case["user"]}, annotations, "1")
            found = passwords.next_step(role(**rotation), secret, set(case["usable"]), 1_000_000.0)
            self.assertEqual([part for part in found if part], case["expected"], case["case"])


class Look(WithApi):
    def setUp(self):
        super().setUp()
        self.sql, self.may, self.late = Server(), True, []
        self.server.put("secrets/orders-app", {"user": "app", "password": "first", "host": "elsewhere", "port": "3306", "dbname": "app"})

    def look(self, **rotation):
        given = role(**rotation)
        rotation = passwords.Rotation(users.Users(self.sql, True), lambda: self.may, lambda _seqno, _since: self.late)
        rotation.look(users.Declared([{"name": "app", "owner": "app"}], [given], {"app": "first"}), self.api)
        return rotation

    def ask(self):
        self.server.objects["secrets/orders-app"]["metadata"].setdefault("annotations", {})[passwords.REQUEST] = "now"

    def test_the_secret_names_a_user_whose_password_the_server_has_taken_before(self):
        self.ask()
        found = self.look()
        values = self.server.data("secrets/orders-app")
        self.assertEqual((values["user"], self.sql.hashes["app_a"]), ("app_a", users.native_hash(values["password"])))
        self.assertEqual(values["uri"], f"mysql://app_a:{values['password']}@elsewhere:3306/app", "where it leads to stays")
        annotations = self.server.objects["secrets/orders-app"]["metadata"]["annotations"]
        self.assertNotIn(passwords.REQUEST, annotations)
        self.assertEqual((found.problems, found.logins[0]["login"]), ([], "app_a"))
        self.assertNotIn("app", self.sql.locked, "the one before goes on")

    def test_after_two_turns_the_first_one_is_over(self):
        for _ in range(2):
            self.ask()
            self.look()
        self.assertEqual((self.server.data("secrets/orders-app")["user"], self.sql.locked), ("app_b", {"app"}))

    def test_the_secret_stays_while_a_member_would_refuse_the_new_password(self):
        self.ask()
        self.late = ["orders-2"]
        passwords.APPLY_LIMIT_S, before = 0.2, passwords.APPLY_LIMIT_S
        try:
            found = self.look()
        finally:
            passwords.APPLY_LIMIT_S = before
        self.assertEqual(self.server.data("secrets/orders-app")["user"], "app")
        self.assertIn("orders-2 would refuse it", found.problems[0]["why"])

    def test_only_the_writer_changes_anything(self):
        self.ask()
        self.may = False
        self.assertEqual((self.look().logins[0]["login"], self.sql.changes), ("app", []))

    def test_a_user_that_somebody_gave_more_is_never_locked(self):
        self.sql.super = "app"
        for _ in range(2):
            self.ask()
            self.look()
        self.assertEqual(self.sql.changes, [])

    def test_a_password_that_was_never_replaced_gets_an_age(self):
        started = time.time()
        found = self.look(everySeconds=3600)
        self.assertGreaterEqual(found.logins[0]["rotatedAt"], passwords.utc(started - 1))
        self.assertEqual(self.sql.changes, [])


if __name__ == "__main__":
    unittest.main()
