"""Databases and users as declared: what is sent to the server, and what is left alone."""
import time
import unittest
from unittest import mock

from test_member import WithApi

import test_galera_server  # noqa: F401 -- puts the scripts on the path
import galera_users as users  # noqa: E402
from galera_sql import SqlError  # noqa: E402
from kube import NotYet, Unanswered  # noqa: E402

READ, WRITE = "SELECT, SHOW VIEW", "SELECT, SHOW VIEW, INSERT"


def role(name, **more):
    return {"role": name, "secret": f"orders-{name}", "generate": True, "connection": {"host": "h", "port": "3306", "dbname": "app"}, **more}


class Server:
    """Answers from tables, and applies what is granted."""

    def __init__(self, databases=(), accounts=None, grants=()):
        self.databases, self.accounts, self.grants = list(databases), dict(accounts or {}), list(grants)
        self.limits, self.changes, self.refuses = {}, [], None

    def rows(self, statement, values=None):
        if statement.startswith("SELECT 1 "):
            return [(1,)] if values[0] in self.accounts else []
        if "schemata" in statement:
            return [(name,) for name in self.databases]
        if "authentication_string" in statement:
            return [(self.accounts[values[0]],)] if values[0] in self.accounts else []
        if "max_user_connections" in statement:
            return [(self.limits.get(values[0], 0),)]
        name = statement.split("'")[1]
        return [(line,) for line in self.grants if f"TO '{name}'" in line or f"TO `{name}`" in line]

    def change(self, statement, values=None):
        if self.refuses and self.refuses in statement:
            raise SqlError("Operation failed", 1396)
        self.changes.append(statement)
        if statement.startswith("GRANT"):
            self.grants.append(statement)


def declared(roles, databases=("app",), owner="app", at=None):
    return users.Declared([{"name": name, "owner": owner} for name in databases], roles, {each["role"]: "pw" for each in roles}, at=at or time.monotonic())


class Keep(unittest.TestCase):
    def keep(self, server, roles, **more):
        server.changes = []
        self.problems = users.Users(server, True).keep(declared(roles, **more))
        return server.changes

    def test_makes_what_is_missing_and_then_nothing_more_since_each_statement_goes_through_the_whole_group(self):
        server = Server()
        made = self.keep(server, [role("app"), role("reporting", grants=[{"database": "app", "privileges": READ}])])
        account = "'reporting'@'%' IDENTIFIED VIA mysql_native_password USING"
        self.assertEqual([line.split(" USING")[0] for line in made], [
            "CREATE DATABASE IF NOT EXISTS `app`", "CREATE USER IF NOT EXISTS 'app'@'%' IDENTIFIED VIA mysql_native_password",
            "GRANT ALL PRIVILEGES ON `app`.* TO 'app'@'%'", f"CREATE USER IF NOT EXISTS {account.split(' USING')[0]}",
            "GRANT SELECT, SHOW VIEW ON `app`.* TO 'reporting'@'%'"])
        server.databases, server.accounts = ["app"], {"app": users.native_hash("pw"), "reporting": users.native_hash("pw")}
        self.assertEqual(self.keep(server, [role("app"), role("reporting", grants=[{"database": "app", "privileges": READ}])]), [])

    def test_gives_again_what_somebody_has_taken_away_and_leaves_what_somebody_has_added(self):
        server = Server(["app"], {"reporting": users.native_hash("pw")}, ["GRANT SELECT, DELETE ON `app`.* TO `reporting`@`%`"])
        self.assertEqual(self.keep(server, [role("reporting", grants=[{"database": "app", "privileges": READ}])]),
                         ["GRANT SELECT, SHOW VIEW ON `app`.* TO 'reporting'@'%'"])
        server.grants = ["GRANT SELECT, SHOW VIEW, DELETE ON `app`.* TO `reporting`@`%`"]
        self.assertEqual(self.keep(server, [role("reporting", grants=[{"database": "app", "privileges": READ}])]), [])

    def test_everything_covers_every_level(self):
        server = Server(["app"], {"reporting": users.native_hash("pw")}, ["GRANT ALL PRIVILEGES ON `app`.* TO `reporting`@`%` WITH GRANT OPTION"])
        self.assertEqual(self.keep(server, [role("reporting", grants=[{"database": "app", "privileges": WRITE}])]), [])

    def test_puts_back_a_password_and_a_limit(self):
        server = Server(["app"], {"reporting": users.native_hash("old")})
        self.assertEqual(self.keep(server, [role("reporting", connectionLimit=5)]), [
            f"ALTER USER 'reporting'@'%' IDENTIFIED VIA mysql_native_password USING '{users.native_hash('pw')}' ACCOUNT UNLOCK",
            "ALTER USER 'reporting'@'%' WITH MAX_USER_CONNECTIONS 5"])
        server = Server(["app"], {"reporting": users.native_hash("pw")})
        server.limits["reporting"] = 7
        self.assertEqual(self.keep(server, [role("reporting")]), [], "what is not declared stays as it is")

    def test_an_old_look_at_the_secrets_does_not_put_an_old_password_back(self):
        server = Server(["app"], {"app": users.native_hash("newer")}, ["GRANT ALL PRIVILEGES ON `app`.* TO `app`@`%`"])
        self.assertEqual(self.keep(server, [role("app")], at=time.monotonic() - users.STALE_S), [])

    def test_a_name_with_an_underscore_is_no_pattern_that_fits_other_databases(self):
        server = Server(["a_b"], {"app": users.native_hash("pw")}, ["GRANT ALL PRIVILEGES ON `a_b`.* TO `app`@`%`"])
        self.assertEqual(self.keep(server, [role("app")], databases=("a_b",)), [
            "GRANT ALL PRIVILEGES ON `a\\_b`.* TO 'app'@'%'", "REVOKE ALL PRIVILEGES ON `a_b`.* FROM 'app'@'%'"])
        for others in ("GRANT SELECT ON `a_b`.* TO `app`@`%`", "GRANT ALL PRIVILEGES ON `a_b`.* TO `app`@`%` WITH GRANT OPTION", "GRANT ALL PRIVILEGES ON `a%`.* TO `app`@`%`"):
            server = Server(["a_b"], {"app": users.native_hash("pw")}, [others])
            self.assertEqual(self.keep(server, [role("app")], databases=("a_b",)), ["GRANT ALL PRIVILEGES ON `a\\_b`.* TO 'app'@'%'"],
                             "only what clusters themselves gave once is taken back")
        self.assertEqual(self.keep(Server(["a_b"], {"app": users.native_hash("pw")}, ["GRANT ALL PRIVILEGES ON `a\\_b`.* TO `app`@`%`"]),
                                   [role("app")], databases=("a_b",)), [])

    def test_reads_what_servers_show(self):
        self.assertEqual(users.granted([
            "GRANT USAGE ON *.* TO `app`@`%` IDENTIFIED BY PASSWORD '*0'", "GRANT SELECT (`a`) ON `app`.`t` TO `app`@`%`", "GRANT `r`@`%` TO `app`@`%`",
            "GRANT SELECT, SHOW VIEW ON `app`.* TO `app`@`%`", "GRANT ALL PRIVILEGES ON `sh``op`.* TO `app`@`%` WITH GRANT OPTION", "GRANT SELECT ON `a%`.* TO `app`@`%`",
        ]), {"*": {"USAGE"}, "app": {"SELECT", "SHOW VIEW"}, "sh`op": {"ALL PRIVILEGES", "GRANT OPTION"}, "a%": {"SELECT"}})

    def test_a_user_that_somebody_gave_more_than_any_declaration_could_is_left_alone_and_named(self):
        for given, named in (("ALL PRIVILEGES ON *.*", "ALL PRIVILEGES on *.*"), ("RELOAD, SUPER ON *.*", "RELOAD, SUPER on *.*"),
                             ("SELECT ON `mysql`.*", "rights on mysql")):
            server = Server(["app"], {"app": users.native_hash("theirs")}, [f"GRANT {given} TO `app`@`%` IDENTIFIED BY PASSWORD '*0'"])
            self.assertEqual(self.keep(server, [role("app")]), [])
            self.assertEqual(self.problems, [{"what": "user app", "why": f"it exists with {named}, and is not touched"}])

    def test_a_user_that_may_only_look_at_the_server_is_kept(self):
        server = Server(["app"], {"app": users.native_hash("pw")}, ["GRANT PROCESS, BINLOG MONITOR ON *.* TO `app`@`%`"])
        self.assertEqual((self.keep(server, [role("app")]), self.problems), (["GRANT ALL PRIVILEGES ON `app`.* TO 'app'@'%'"], []))

    def test_a_part_that_fails_stops_no_other_and_is_named(self):
        server = Server(["app"])
        server.refuses = "'app'"
        made = self.keep(server, [role("app"), role("reporting")])
        self.assertEqual(len(made), 1)
        self.assertEqual([problem["what"] for problem in self.problems], ["password of app", "user app"])

    def test_without_an_answer_nothing_is_known(self):
        server = mock.Mock()
        server.rows.side_effect = SqlError("gone away", 2013)
        with self.assertRaises(SqlError):
            users.Users(server, True).keep(declared([role("app")]))


class Settle(WithApi):
    def config(self, *roles, **more):
        return {"databases": [], "owners": [role("app")], "roles": list(roles), **more}

    def test_fills_the_secret_of_a_new_user_once_and_takes_up_a_changed_one(self):
        for name in ("orders-app", "orders-worker"):
            self.server.put(f"secrets/{name}")
        first = users.settle_declared(self.config(role("worker")), self.api).passwords
        self.assertEqual(self.server.data("secrets/orders-worker")["user"], "worker")
        self.assertEqual(users.settle_declared(self.config(role("worker")), self.api).passwords, first)
        self.server.put("secrets/orders-worker", {"user": "worker", "password": "other"})
        self.assertEqual(users.settle_declared(self.config(role("worker")), self.api).passwords["worker"], "other")

    def test_a_user_whose_secret_is_missing_waits_alone(self):
        self.server.put("secrets/orders-app")
        found = users.settle_declared(self.config(role("worker", generate=False)), self.api)
        self.assertEqual(([each["role"] for each in found.roles], list(found.passwords)), (["app"], ["app"]))
        self.assertEqual([problem["what"] for problem in found.problems], ["user worker"])

    def test_without_an_answer_of_the_api_no_user_is_said_to_be_missing(self):
        self.server.put("secrets/orders-app")
        users.settle_declared(self.config(), self.api)
        with mock.patch.object(self.api, "call", side_effect=Unanswered("silent")), self.assertRaises(Unanswered):
            users.settle_declared(self.config(role("worker")), self.api)

    def test_an_owner_is_needed(self):
        with self.assertRaises(NotYet):
            users.settle_declared(self.config(), self.api)

    def test_a_look_that_fails_leaves_everything_as_it_is_and_says_so_once(self):
        told, said = [], []
        watch = users.Watch(told.append)
        with mock.patch.object(users, "read", side_effect=OSError("gone")), mock.patch.object(users, "log", said.append):
            watch.look()
            watch.look()
        self.assertEqual((told, len(said)), ([], 1))


if __name__ == "__main__":
    unittest.main()
