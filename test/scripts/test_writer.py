"""python3 -m unittest discover -s test/scripts"""
import importlib.util
import pathlib
import sys
import types
import unittest
from unittest import mock

KIT = pathlib.Path(__file__).parents[1] / "e2e/kit"


def load():
    """The driver is only in the image; what is tested here never connects."""
    class DriverError(Exception):
        pass
    driver = types.ModuleType("psycopg2")
    driver.Error = driver.OperationalError = DriverError
    driver.errors = types.ModuleType("psycopg2.errors")
    driver.errors.UndefinedTable = type("Other", (DriverError,), {})
    driver.extensions = types.ModuleType("psycopg2.extensions")
    driver.extensions.connection = object
    driver.extensions.set_wait_callback = lambda wait: None
    modules = {"psycopg2": driver, "psycopg2.errors": driver.errors, "psycopg2.extensions": driver.extensions}
    with mock.patch.dict(sys.modules, modules):
        sys.modules["database"] = module("database", "writer_postgres.py")
        return module("writer", "writer.py")


def module(name, file):
    spec = importlib.util.spec_from_file_location(name, KIT / file)
    assert spec and spec.loader
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


writer = load()


class Missing(unittest.TestCase):
    def test_nothing_is_lost_when_more_rows_are_there_than_were_promised(self):
        self.assertEqual(writer.missing([[2, 3], [5, 5]], [[1, 9]]), [])

    def test_every_promised_row_counts_when_none_is_there(self):
        self.assertEqual(writer.missing([[1, 2], [4, 4]], []), [1, 2, 4])

    def test_holes_in_the_table_are_found_inside_and_at_both_ends_of_a_range(self):
        self.assertEqual(writer.missing([[1, 10]], [[2, 3], [6, 8]]), [1, 4, 5, 9, 10])

    def test_a_row_that_spans_two_promised_ranges_serves_both(self):
        self.assertEqual(writer.missing([[1, 2], [4, 6]], [[1, 5]]), [6])


class ClientWindow(unittest.TestCase):
    def setUp(self):
        self.now = 100.0
        clock = mock.patch.object(writer.time, "monotonic", lambda: self.now)
        clock.start()
        self.addCleanup(clock.stop)
        self.client = writer.Client({"name": "rw", "host": "db"})

    def acknowledge(self, at, server="a", timeline=1):
        start, self.now = self.now, at
        self.client.acknowledged(self.client.next_id, start, server, timeline)
        self.client.next_id += 1

    def test_a_gap_is_the_time_between_two_acknowledgements(self):
        for at in (100.0, 100.01, 101.51, 101.52):
            self.acknowledge(at)
        self.assertEqual(self.client.status()["gaps"], [1.5])

    def test_a_gap_that_is_still_open_counts_because_its_end_may_never_come(self):
        self.acknowledge(100.0)
        self.now = 107.0
        self.assertEqual(self.client.status()["longestGap"], 7.0)

    def test_silence_before_the_mark_belongs_to_no_window(self):
        self.acknowledge(100.0)
        self.now = 150.0
        self.client.mark()
        self.acknowledge(150.3)
        self.assertEqual(self.client.status()["gaps"], [0.3])

    def test_failures_count_as_after_the_move_only_once_another_member_has_answered(self):
        self.acknowledge(100.0, "a")
        self.client.mark()
        self.client.failed(Exception("down"), "connections")
        self.acknowledge(104.0, "b", 2)
        self.client.failed(Exception("the Service led to the dead one"), "connections")
        self.client.failed(Exception("nobody confirmed"), "statements")
        status = self.client.status()
        self.assertEqual((status["errors"], status["failedAfterMove"]), (3, {"connections": 1, "statements": 1}))

    def test_each_member_keeps_when_it_first_answered_and_when_it_was_last_asked(self):
        for at, server in ((101.0, "a"), (102.0, "a"), (105.0, "b")):
            self.acknowledge(at, server, 1 if server == "a" else 2)
        first, second = self.client.status()["servers"]
        self.assertEqual((first["firstEnd"], first["lastStart"], first["count"]), (101.0, 101.0, 2))
        self.assertEqual((second["server"], second["firstEnd"]), ("b", 105.0))


class Promises(unittest.TestCase):
    def test_a_commit_whose_wait_for_standbys_was_cancelled_is_no_promise(self):
        cursor = mock.Mock()
        cursor.fetchone.return_value = ("a", 1)
        connection = mock.Mock(notices=["WARNING:  canceling wait for synchronous replication due to user request"])
        connection.cursor.return_value = cursor
        client = writer.Client({"name": "rw", "host": "db"})
        with self.assertRaises(writer.database.NotPromised):
            client.write(connection)
        self.assertEqual(client.acked.pairs, [])


class Witness(unittest.TestCase):
    def client_and_connection(self, in_recovery):
        cursor = mock.Mock()
        cursor.fetchone.side_effect = [(in_recovery,), ("a", 1)]
        connection = mock.Mock(notices=[])
        connection.cursor.return_value = cursor
        return writer.Client({"name": "n1-a", "host": "a", "witness": True}), connection

    def test_a_member_in_recovery_is_asked_and_not_written_to_because_each_refusal_would_fill_its_log(self):
        client, connection = self.client_and_connection(True)
        with self.assertRaises(writer.NoPrimary):
            client.write(connection)
        self.assertEqual((client.next_id, client.acked.pairs), (1, []))

    def test_a_member_that_says_it_is_a_primary_gets_a_row(self):
        client, connection = self.client_and_connection(False)
        client.write(connection)
        self.assertEqual(client.acked.pairs, [[1, 1]])


class Start(unittest.TestCase):
    def test_a_later_writer_goes_on_where_the_earlier_one_ended_so_that_no_id_means_two_rows(self):
        self.assertEqual(writer.Client({"name": "rw", "host": "db", "firstId": 41}).next_id, 41)


if __name__ == "__main__":
    unittest.main()
