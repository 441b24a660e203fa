"""A cluster that follows another one: member.py's part of it."""
import os
import pathlib
import tempfile
from unittest import mock

from test_member import WithApi, kube, member
from test_recovery import recovery

SEGMENT = 4 << 20
member_database = member.Database  # tests put another one in its place


class StandbyCase(WithApi):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "pg17/pg_wal").mkdir(parents=True)
        self.cluster = {"name": "orders", "dataDirectory": str(self.folder / "pg17"), "socketDirectory": "/run/postgresql", "credentials": {},
                        "backup": {"stanza": "db", "repositories": []},
                        "standby": {"stanza": "db", "options": {"repo1-path": "/east/shop/orders", "repo1-type": "s3"},
                                    "repository": {"key": 1, "storage": "s3://b/east/shop/orders", "secrets": [{"option": "s3-key", "secret": "s3", "key": "ID"}],
                                                   "files": [{"option": "storage-ca-file", "resource": "configmaps", "name": "ca", "key": "ca.crt"}],
                                                   "pass": {"secret": "east-pass", "key": "repository-1", "generate": False}}}}
        self.pushed, self.answers = [], {}
        for name, value in {"BACKUP_DIR": str(self.folder / "recovery"), "pgbackrest": lambda arguments: self.pushed.append(arguments) or "",
                            "driver": lambda: mock.Mock(OperationalError=OSError, Error=OSError), "REPLAY_PAUSE_S": 0, "Database": self.database}.items():
            patch = mock.patch.object(member, name, value)
            patch.start()
            self.addCleanup(patch.stop)

    def database(self, cluster):
        server = mock.MagicMock()
        server.__enter__.return_value.value = self.value
        return server

    def value(self, query):
        known = next(answer for part, answer in self.answers.items() if part in query)
        return known.pop(0) if isinstance(known, list) else known


class Source(StandbyCase):
    def test_the_repository_that_is_followed_is_configured_in_memory_with_its_own_secrets(self):
        values = lambda api, resource, name, key, optional=False: {"s3": "key", "ca": "PEM", "east-pass": "word"}[name]
        with mock.patch.object(member, "value_in", values), mock.patch.object(kube, "value_in", values):
            self.assertEqual(recovery.prepare_source(self.cluster, self.api), 0)
        folder = self.folder / "recovery"
        self.assertTrue((folder / "secrets.conf").read_text().startswith("[global]\nrepo1-s3-key=key\nrepo1-cipher-pass=word\n"))
        text = (folder / "source").read_text()
        self.assertIn("repo1-path=/east/shop/orders\n", text)
        self.assertIn(f"repo1-storage-ca-file={folder}/repo1-storage-ca-file\n", text)
        self.assertIn(f"[db]\npg1-path={self.folder}/pg17\n", text)

    def test_a_secret_that_is_missing_is_told_and_tried_again(self):
        self.assertEqual(recovery.prepare_source(self.cluster, self.api), 1)

    def test_without_a_repository_patroni_goes_on_to_the_stream(self):
        self.assertEqual(member.create_standby({**self.cluster, "standby": {}}, self.api), 1)


class LastWords(StandbyCase):
    def demoted(self, timeline="00000001", lsn="0/34013F8"):
        (self.folder / "primary-timeline").write_text(timeline)
        self.file = self.folder / "pg17/pg_wal/00000001000000000000000D"
        self.file.touch()
        self.answers = {"pg_last_wal_replay_lsn": lsn, "timeline_id": 1, "wal_segment_size": str(SEGMENT), ".ready": 0}

    def test_the_file_in_which_a_primary_was_stopped_is_sent_because_it_holds_acknowledged_commits(self):
        self.demoted()
        member.hand_in_last_words(self.cluster)
        self.assertEqual(self.pushed, [["--stanza=db", "--no-archive-async", "archive-push", str(self.file)]])
        self.assertFalse((self.folder / "primary-timeline").exists(), "once")

    def test_not_before_all_of_it_is_replayed(self):
        self.demoted(lsn=["0/3400000", "0/34013F8"])
        with self.assertRaises(member.NotYet):
            member.hand_in_last_words(self.cluster)
        self.assertEqual(self.pushed, [])

    def test_a_member_that_wrote_nothing_sends_nothing_since_others_have_the_whole_file(self):
        self.demoted()
        (self.folder / "primary-timeline").unlink()
        member.hand_in_last_words(self.cluster)
        self.demoted(timeline="00000000")
        member.hand_in_last_words(self.cluster)
        self.assertEqual(self.pushed, [])

    def test_at_the_border_of_two_files_there_is_none_to_send_and_all_is_said(self):
        self.demoted(lsn="0/3400000")
        member.hand_in_last_words(self.cluster)
        self.assertEqual(self.pushed, [])
        self.assertIn("all that was committed here is in the archive, up to 0/3400000", self.said)

    def test_not_before_the_files_before_it_are_archived(self):
        self.demoted()
        self.answers[".ready"] = 2
        with self.assertRaises(member.NotYet):
            member.hand_in_last_words(self.cluster)
        self.assertEqual(self.pushed, [])

    def test_it_is_kept_for_another_try_when_the_storage_is_away(self):
        self.demoted()
        def away(arguments):
            raise member.NotYet("pgbackrest archive-push ended with 49; waiting.")
        with mock.patch.object(member, "pgbackrest", away), self.assertRaises(member.NotYet):
            member.hand_in_last_words(self.cluster)
        self.assertTrue((self.folder / "primary-timeline").exists())

    def test_a_primary_notes_its_timeline(self):
        self.answers = {"pg_current_wal_insert_lsn": "00000003"}
        member.note_primary(self.cluster)
        self.assertEqual((self.folder / "primary-timeline").read_text(), "00000003")


class Query(StandbyCase):
    def test_a_percent_sign_in_a_query_without_parameters_is_no_placeholder(self):
        """psycopg2 looks for placeholders whenever it is given parameters, and be it none of them."""
        server = object.__new__(member_database)
        server.connection = mock.MagicMock()
        server.value("SELECT 1 WHERE 'a' LIKE '%a'")
        self.assertEqual(server.connection.cursor().execute.call_args.args[1], None)
