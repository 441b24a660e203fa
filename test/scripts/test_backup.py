"""pgBackRest's part of member.py, against a pgBackRest that plays its part."""
import base64
import json
import os
import pathlib
import platform
import sys
import tempfile
from unittest import mock

from test_member import WithApi, member

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "src", "render", "scripts"))

import galera_archive  # noqa: E402

OWN, OTHER = "7711512426718272580", "7422222222222222222"


class BackupCase(WithApi):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.repository = {"key": 1, "storage": "s3://b/shop/orders",
                           "secrets": [{"option": "s3-key", "secret": "s3", "key": "ID"}], "files": [],
                           "pass": {"secret": "orders-backup-pass", "key": "repository-1", "generate": True}}
        self.cluster = {"name": "orders", "dataDirectory": str(self.folder / "data"), "socketDirectory": "/nowhere", "credentials": {},
                        "backup": {"stanza": "db", "repositories": [self.repository]}}
        self.status, self.message, self.system, self.listing = 1, "missing stanza path", None, ""
        self.commands = []
        for name, value in {"BACKUP_DIR": str(self.folder / "run"), "pgbackrest": self.pgbackrest}.items():
            patch = mock.patch.object(member, name, value)
            patch.start()
            self.addCleanup(patch.stop)
        self.server.put("secrets/s3", {"ID": "key\n"})
        self.server.put("secrets/orders-backup-pass")

    def pgbackrest(self, arguments, environment=None):
        self.commands.append(arguments[-1])
        if arguments[-1] == "repo-ls":
            self.assertEqual(environment, {"PGBACKREST_REPO1_CIPHER_TYPE": "none"}, "the pass is not known yet")
            if isinstance(self.listing, Exception):
                raise self.listing
            return self.listing
        if arguments[-1] != "info":
            return ""
        systems = [{"repo-key": 1, "system-id": int(self.system)}] if self.system else []
        return json.dumps([{"name": "db", "db": systems, "repo": [{"key": 1, "status": {"code": self.status, "message": self.message}}]}])

    def settings(self):
        """Without the note on backups, which holds no secret."""
        text, note = (self.folder / "run/secrets.conf").read_text().split("[global:backup]\n")
        self.assertEqual(note, f"annotation=architecture={platform.machine()}\n")
        return text


class DescribedTest(BackupCase):
    """A storage of which the manifests know a Secret only."""

    def setUp(self):
        super().setUp()
        keys = {"s3-bucket": "bucket", "s3-key": "AWS_ACCESS_KEY_ID", "s3-key-secret": "AWS_SECRET_ACCESS_KEY", "s3-region": "region",
                "s3-endpoint": "endpointURL", "s3-uri-style": "forcePathStyle", "storage-ca-file": "ca.crt"}
        needed = ("s3-bucket", "s3-key", "s3-key-secret")
        self.repository["secrets"] = [{"option": option, "secret": "place", "key": key, **({} if option in needed else {"optional": True})}
                                      for option, key in keys.items()]
        self.secret = {"bucket": "backups", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key"}

    def values(self, **more):
        self.server.put("secrets/place", {**self.secret, **more})
        return member.repository_values(self.api, self.repository)

    def test_bucket_and_keys_are_enough_for_amazon(self):
        self.assertEqual(self.values(), {
            "repo1-s3-bucket": "backups", "repo1-s3-key": "id", "repo1-s3-key-secret": "key", "repo1-s3-region": "us-east-1",
            "repo1-s3-endpoint": "s3.us-east-1.amazonaws.com", "repo1-s3-uri-style": "host"})

    def test_a_server_of_ones_own_has_an_endpoint_and_an_authority(self):
        found = self.values(**{"endpointURL": "https://s3.test/", "region": "here", "ca.crt": "PEM"})
        path = str(self.folder / "run/repo1-storage-ca-file")
        self.assertEqual({name: found[f"repo1-{name}"] for name in ("s3-endpoint", "s3-region", "s3-uri-style", "storage-ca-file")},
                         {"s3-endpoint": "s3.test", "s3-region": "here", "s3-uri-style": "path", "storage-ca-file": path})
        self.assertEqual(pathlib.Path(path).read_text(), "PEM\n")

    def test_what_cannot_work_is_told_before_anything_is_sent(self):
        for change, told in (({"endpointURL": "http://s3.test"}, "HTTPS on port 443"), ({"endpointURL": "https://s3.test:9000"}, "HTTPS on port 443"),
                             ({"forcePathStyle": "perhaps"}, "true or false"), ({"bucket": ""}, "no value for key bucket")):
            with self.assertRaises(member.NotYet) as caught:
                self.values(**change)
            self.assertIn(told, str(caught.exception))

    def test_a_secret_that_is_missing_is_named(self):
        with self.assertRaisesRegex(member.NotYet, "Secret place does not exist, and the archive needs it"):
            member.repository_values(self.api, self.repository)

    def test_rclone_of_a_galera_member_is_told_the_same(self):
        self.server.put("secrets/place", {**self.secret, "endpointURL": "https://s3.test"})
        values = member.secret_values(self.api, self.repository)
        options = {"type": "s3", "s3-key-type": "shared", "storage-verify-tls": "y", "path": "/shop/orders", "cipher-type": "none"}
        environment = galera_archive.rclone_environment(options, values, str(self.folder))
        self.assertEqual({name: environment[f"RCLONE_CONFIG_{name}"] for name in ("S3_ENDPOINT", "S3_REGION", "S3_FORCE_PATH_STYLE", "R_REMOTE")}, {
            "S3_ENDPOINT": "https://s3.test:443", "S3_REGION": "us-east-1", "S3_FORCE_PATH_STYLE": "true", "R_REMOTE": "s3:backups/shop/orders"})


class PassTest(BackupCase):
    def test_an_empty_repository_gets_a_pass_once_and_every_member_reads_the_same(self):
        member.configure_backup(self.cluster, self.api)
        made = self.server.data("secrets/orders-backup-pass")["repository-1"]
        self.assertRegex(made, r"^[A-Za-z0-9]{32}$")
        member.configure_backup(self.cluster, self.api)
        self.assertEqual(self.settings(), f"[global]\nrepo1-s3-key=key\nrepo1-cipher-pass={made}\n")
        self.assertEqual(self.server.patches, 1)
        self.assertFalse(any(made in text for text in self.said))

    def test_a_lost_pass_is_never_replaced_because_the_backups_could_not_be_read_with_another(self):
        self.listing = "archive\nbackup\n"
        with self.assertRaisesRegex(member.NotYet, "Secret orders-backup-pass has no pass .* is not empty"):
            member.configure_backup(self.cluster, self.api)
        self.assertEqual(self.server.data("secrets/orders-backup-pass"), {})

    def test_a_storage_that_cannot_be_seen_is_not_taken_for_an_empty_one(self):
        self.listing = member.NotYet("away")
        with self.assertRaises(member.NotYet):
            member.configure_backup(self.cluster, self.api)
        self.assertEqual(self.server.data("secrets/orders-backup-pass"), {})

    def test_files_with_secrets_are_for_their_owner_only(self):
        self.server.objects["configmaps/ca"] = {"metadata": {}, "data": {"ca.crt": "PEM"}}
        self.repository["files"] = [{"option": "storage-ca-file", "resource": "configmaps", "name": "ca", "key": "ca.crt"}]
        member.configure_backup(self.cluster, self.api)
        files = sorted((self.folder / "run").iterdir())
        self.assertEqual([file.name for file in files], ["repo1-storage-ca-file", "secrets.conf"])
        self.assertEqual([oct(file.stat().st_mode & 0o777) for file in files], ["0o600"] * 2)

    def test_says_which_key_of_which_secret_is_missing(self):
        self.server.put("secrets/s3", {"id": "wrong name"})
        with self.assertRaisesRegex(member.NotYet, "Secret s3 has no value for key ID"):
            member.configure_backup(self.cluster, self.api)


class BeginningTest(BackupCase):
    def begin(self):
        member.check_beginning(self.cluster, self.api)

    def test_an_empty_repository_lets_a_new_cluster_begin(self):
        self.begin()

    def test_a_cluster_that_lost_its_volumes_never_begins_anew_over_its_backups(self):
        for status in (0, 2):
            self.status, self.system = status, OTHER
            with self.assertRaisesRegex(member.NotYet, rf"holds the archive of the cluster {OTHER}.*Bootstrap.fresh\('{OTHER}'\)"):
                self.begin()

    def test_the_confirmation_fits_the_cluster_that_it_names_and_no_later_one(self):
        self.status, self.system = 0, OTHER
        self.cluster["backup"]["superseding"] = OTHER
        self.begin()
        self.system = OWN
        with self.assertRaises(member.NotYet):
            self.begin()

    def test_what_cannot_be_read_is_not_taken_for_empty(self):
        for status in (3, 99):
            self.status, self.message = status, "[HostConnectError] away"
            with self.assertRaisesRegex(member.NotYet, "cannot be read: .*away"):
                self.begin()

    def test_an_empty_member_of_a_living_cluster_does_not_ask_the_storage(self):
        self.status, self.system = 0, OTHER
        self.server.put("configmaps/orders-config", annotations={"initialize": OWN})
        self.begin()
        self.assertEqual(self.commands, [])

    def test_a_member_with_data_does_not_ask_the_storage_because_it_must_come_back_without_it(self):
        (self.folder / "data").mkdir()
        (self.folder / "data/PG_VERSION").write_text("17")
        self.begin()
        self.assertEqual(self.commands, [])


class StanzaTest(BackupCase):
    def setUp(self):
        super().setUp()
        self.server.put("configmaps/orders-config")

    def ensure(self, recovery=False):
        server = mock.MagicMock()
        server.__enter__.return_value = server
        server.value = lambda query: recovery if "recovery" in query else int(OWN)
        with mock.patch.object(member, "Database", lambda _: server):
            self.lost = member.ensure_stanza(self.cluster, self.api)
        return [command for command in self.commands if command != "info"]

    def test_a_primary_makes_the_stanza_that_is_missing_and_leaves_its_own_alone(self):
        self.assertEqual(self.ensure(), ["stanza-create"])
        self.commands, self.status, self.system = [], 0, OWN
        self.assertEqual(self.ensure(), [])

    def test_a_standby_makes_none(self):
        self.assertEqual(self.ensure(recovery=True), [])

    def notes(self):
        return json.loads(self.server.objects["configmaps/orders-config"]["metadata"]["annotations"][member.REPOSITORIES])["1"]

    def at(self, moment):
        patch = mock.patch.object(member, "utc", lambda: moment)
        patch.start()
        self.addCleanup(patch.stop)

    def test_a_repository_that_is_new_is_noted_and_nothing_is_lost(self):
        self.at("2026-01-01T00:00:00Z")
        self.ensure()
        self.assertEqual((self.lost, self.notes()), (False, {"storage": "s3://b/shop/orders", "begunAt": "2026-01-01T00:00:00Z"}))

    def test_a_repository_of_before_the_notes_is_noted_when_it_is_seen(self):
        self.status, self.system = 0, OWN
        self.ensure()
        self.assertEqual((self.lost, self.notes()["storage"]), (False, "s3://b/shop/orders"))

    def test_an_archive_that_begins_anew_where_it_was_has_been_lost_and_is_told(self):
        self.at("2026-01-01T00:00:00Z")
        self.ensure()
        self.at("2026-02-01T00:00:00Z")
        self.ensure()
        self.assertEqual((self.lost, self.notes()["lostAt"]), (True, "2026-02-01T00:00:00Z"))
        self.at("2026-03-01T00:00:00Z")
        self.status, self.system = 2, OWN
        self.ensure()
        self.assertEqual((self.lost, self.notes()["lostAt"]), (False, "2026-02-01T00:00:00Z"), "the agent clears it, when there is a full backup")

    def test_the_histories_of_the_timelines_are_sent_to_the_new_archive_too(self):
        status = self.folder / "data/pg_wal/archive_status"
        status.mkdir(parents=True)
        for name in ("00000002.history.done", "000000020000000000000007.done"):
            (status / name).touch()
        self.ensure()
        self.assertEqual(len(list(status.glob("*.ready"))), 0)
        self.ensure()
        self.assertEqual([path.name for path in status.glob("*.ready")], ["00000002.history.ready"])

    def test_the_loss_is_noted_before_the_archive_begins_anew_and_another_try_does_not_move_it(self):
        self.at("2026-01-01T00:00:00Z")
        self.ensure()
        answer = self.pgbackrest

        def refused(arguments, environment=None):
            if arguments[-1] == "stanza-create":
                raise member.NotYet("the storage is away; waiting.")
            return answer(arguments, environment)
        for moment in ("2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z"):
            self.at(moment)
            with mock.patch.object(member, "pgbackrest", refused), self.assertRaises(member.NotYet):
                self.ensure()
        self.assertEqual((self.notes()["begunAt"], self.notes()["lostAt"]), ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"))

    def test_another_storage_that_is_declared_is_no_loss(self):
        self.ensure()
        self.repository["storage"] = "s3://b/elsewhere/orders"
        self.ensure()
        self.assertEqual((self.lost, sorted(self.notes())), (False, ["begunAt", "storage"]))

    def test_the_path_of_another_cluster_is_never_taken_over(self):
        self.status, self.system = 0, OTHER
        with self.assertRaisesRegex(member.NotYet, f"belongs to the cluster {OTHER}, and this one is {OWN}"):
            self.ensure()

    def test_a_confirmed_new_cluster_adds_itself_so_that_the_old_backups_stay_restorable(self):
        self.status, self.system = 0, OTHER
        self.cluster["backup"]["superseding"] = OTHER
        self.assertEqual(self.ensure(), ["stanza-upgrade"])


class ReplicaTest(BackupCase):
    def create(self):
        with mock.patch.object(member.os, "execvp", side_effect=SystemExit) as execute:
            try:
                return member.create_replica(self.cluster, self.api)
            except SystemExit:
                return execute.call_args.args[1]

    def test_is_copied_from_a_backup_of_the_same_cluster(self):
        self.status, self.system = 0, OWN
        self.server.put("configmaps/orders-config", annotations={"initialize": OWN})
        self.assertEqual(self.create(), ["pgbackrest", "--stanza=db", "--repo=1", "--delta", "--type=none", "restore"])

    def test_a_backup_of_another_cluster_is_not_used(self):
        self.status, self.system = 0, OTHER
        self.server.put("configmaps/orders-config", annotations={"initialize": OWN})
        self.assertEqual(self.create(), 1)

    def test_without_a_backup_or_its_storage_patroni_copies_the_primary(self):
        self.server.put("configmaps/orders-config", annotations={"initialize": OWN})
        for status in (1, 2, 99):
            self.status = status
            self.assertEqual(self.create(), 1)
        del self.cluster["backup"]
        self.assertEqual(self.create(), 1)


class AnswerTest(WithApi):
    def test_only_the_first_line_of_an_error_is_told_and_nothing_that_breaks_a_terminal(self):
        self.assertEqual(member.first_line(b"\n2026-11-23 P00  ERROR: [049]: no\x1b[31m \xff host\nHINT: more"), "[049]: no[31m \ufffd host")

    def run_with(self, script):
        with tempfile.TemporaryDirectory() as folder:
            program = pathlib.Path(folder, "pgbackrest")
            program.write_text("#!/bin/sh\n" + script)
            program.chmod(0o755)
            with mock.patch.dict(os.environ, PATH=f"{folder}:{os.environ['PATH']}"):
                return member.pgbackrest(["info"])

    def test_a_failure_is_no_answer(self):
        with self.assertRaisesRegex(member.NotYet, "info ended with 49: no host"):
            self.run_with("echo 'P00 ERROR: no host' >&2; exit 49")

    def test_a_pgbackrest_that_hangs_is_no_answer_either(self):
        with mock.patch.object(member, "ANSWER_S", 0.1), self.assertRaisesRegex(member.NotYet, "slow or away"):
            self.run_with("exec sleep 10")
