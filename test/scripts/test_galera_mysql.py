"""What differs for Percona XtraDB Cluster: MySQL's binary log and GTIDs, and programs in a container of the vendor's image."""
import os
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

SCRIPTS = os.path.join(os.path.dirname(__file__), "..", "..", "src", "render", "scripts")
sys.path.insert(0, SCRIPTS)

import binlog_collector as collector  # noqa: E402
import binlog_events as binlog  # noqa: E402
import galera_archive as archive  # noqa: E402
import galera_backup as backup  # noqa: E402
import galera_recovery as recovery  # noqa: E402
import galera_tools as tools  # noqa: E402
import galera_users as users  # noqa: E402
from test_galera_server import until  # noqa: E402

# Written by MySQL 9.7.4: DDL, several engines, a savepoint, a compressed transaction, two phases (XA), another server's GTID.
DATA = os.path.join(os.path.dirname(__file__), "data")
SERVER, OTHER = "79f808cf-e9fa-11f1-8b9d-02fc00000001", "11111111-2222-3333-4444-555555555555"


def position(text):
    return binlog.parse_position(text)


class Gtids(unittest.TestCase):
    def test_a_position_keeps_gaps_and_closes_them(self):
        found = position(f"{SERVER}:1-5:9,\n{OTHER}:7")
        self.assertEqual(binlog.render_position(found), f"{OTHER}:7,{SERVER}:1-5:9")
        for number in (6, 8, 7):
            found = binlog.advance(found, binlog.Gtid(SERVER, 0, number))
        self.assertEqual(binlog.render_position(found), f"{OTHER}:7,{SERVER}:1-9")

    def test_what_lies_in_a_gap_has_not_been_seen_although_later_numbers_have(self):
        found = position(f"{SERVER}:1-5:9")
        self.assertEqual([binlog.covers(found, binlog.parse_gtid(f"{SERVER}:{number}")) for number in (5, 6, 9, 10)], [True, False, True, False])

    def test_positions_of_two_servers_are_joined(self):
        self.assertEqual(binlog.render_position(binlog.merged(position(f"{SERVER}:1-3"), position(f"{SERVER}:3-4,{OTHER}:1"))), f"{OTHER}:1,{SERVER}:1-4")

    def test_text_that_is_no_gtid_is_refused(self):
        for wrong in ("no-uuid:1", f"{SERVER}:", f"{SERVER}:x"):
            with self.assertRaises(ValueError):
                position(wrong)


class Events(unittest.TestCase):
    def scan(self, number, offset=0):
        return binlog.scan(f"{DATA}/mysql-9.7-binlog.00000{number}", offset)

    def test_finds_each_transaction_of_a_real_file_by_the_length_that_it_states(self):
        found = self.scan(1)
        self.assertEqual([str(each.gtid) for each in found.transactions], [f"{SERVER}:{number}" for number in range(1, 12)])
        for one, following in zip(found.transactions, found.transactions[1:]):
            self.assertEqual(one.end, following.start)
        self.assertEqual((found.end, found.ended, found.begins), (os.path.getsize(f"{DATA}/mysql-9.7-binlog.000001"), True, {}))

    def test_knows_what_all_earlier_files_hold(self):
        self.assertEqual(binlog.render_position(self.scan(3).begins), f"{OTHER}:7,{SERVER}:1-14")

    def test_leaves_what_is_still_being_written_and_goes_on_where_it_ended(self):
        with open(f"{DATA}/mysql-9.7-binlog.000001", "rb") as file:
            content = file.read()
        whole = self.scan(1).transactions
        with tempfile.NamedTemporaryFile() as file:
            file.write(content[:whole[4].end - 1])
            file.flush()
            first = binlog.scan(file.name)
            self.assertEqual((len(first.transactions), first.end), (4, whole[3].end))
            file.write(content[whole[4].end - 1:])
            file.flush()
            self.assertEqual(binlog.scan(file.name, first.end).transactions, whole[4:])

    def test_refuses_transactions_without_a_gtid_because_no_target_could_name_them(self):
        for kind in (binlog.MYSQL_ANONYMOUS, binlog.MYSQL_TAGGED):
            with self.assertRaisesRegex(ValueError, "without a plain GTID"):
                binlog.Walk(4).take(binlog.Event(1, kind, 1, 4, 40, b""))


class Collecting(unittest.TestCase):
    files = [("binlog.000003", position(f"{SERVER}:1-10,{OTHER}:4")), ("binlog.000004", position(f"{SERVER}:1-20,{OTHER}:4"))]

    def test_goes_on_by_the_numbers_of_the_group(self):
        choose = lambda text: collector.choose_file(self.files, position(text), SERVER)  # noqa: E731
        self.assertEqual(choose(f"{SERVER}:1-19"), collector.Choice("binlog.000003", None))
        self.assertEqual(choose(f"{SERVER}:1-20"), collector.Choice("binlog.000004", None))
        self.assertEqual(choose(f"{SERVER}:1-7").gap, {"after": f"{SERVER}:1-7", "before": f"{SERVER}:1-10"})

    def test_names_hold_the_last_number_of_the_group_and_the_state_holds_all(self):
        follower = collector.Follower(DATA, collector.Source("orders-1", "mysql-9.7-binlog.000003"), {}, SERVER)
        follower.look()
        found = archive.parse_part(follower.part().path)
        self.assertEqual((binlog.seq(found.before, SERVER), binlog.seq(found.after, SERVER), OTHER in found.after), (14, 18, False))
        follower.was_sent()
        self.assertEqual(binlog.render_position(follower.archived), f"{OTHER}:7,{SERVER}:1-18")

    def test_asks_as_mysql_answers(self):
        asked = []

        class Sql:
            def rows(self, statement, values=None):
                asked.append(statement)
                if "GLOBAL STATUS" in statement:
                    return [("wsrep_local_state", "4"), ("wsrep_cluster_status", "Primary"), ("wsrep_cluster_state_uuid", SERVER)]
                if statement == "SHOW BINARY LOGS":
                    return [("binlog.000001", 100, "No")]
                if "EVENTS" in statement:
                    return [("binlog.000001", 4, "Format_desc", 1, 127, ""), ("binlog.000001", 127, "Previous_gtids", 1, 198, f"{SERVER}:1-3")]
                return [(f"{SERVER}:1-9",)]

        class Bucket:
            def read_json(self, _path):
                return {"uuid": SERVER}

        found = collector.Collector(Bucket(), {"engine": "percona-xtradb-cluster"}, None)
        self.assertEqual(found.look_at(Sql(), {"name": "orders-1"}), collector.Choice("binlog.000001", None, SERVER))
        self.assertIn("SELECT @@GLOBAL.gtid_executed", asked)

    def test_the_password_is_quoted_for_the_file_and_the_servers_name_is_checked(self):
        folder = tempfile.mkdtemp()
        config = {"engine": "percona-xtradb-cluster", "toolsDirectory": "/t", "members": ["orders-1"], "peersDomain": "orders-members.shop.svc",
                  "archive": {"intervalSeconds": 60, "serverId": 9}}
        found = collector.settings(config, folder, {"user": "everest_backup", "password": 'a"b', "ca": "/ca.crt"})
        self.assertEqual((found["program"], found["members"]), ("mysqlbinlog", [{"name": "orders-1", "host": "orders-1-0.orders-members.shop.svc"}]))
        with open(f"{folder}/login.cnf", encoding="utf-8") as file:
            self.assertEqual(file.read(), '[client]\nuser=everest_backup\npassword="a\\"b"\nssl-ca=/ca.crt\nssl-mode=VERIFY_IDENTITY\n')


class Planning(unittest.TestCase):
    backups = [{"label": "a", "endedAt": "2026-01-01T00:00:00Z", "gtid": f"{SERVER}:1-10,{OTHER}:1-2:5"},
               {"label": "b", "endedAt": "2026-01-02T00:00:00Z", "gtid": f"{SERVER}:1-20,{OTHER}:1-5"}]

    def test_a_transaction_that_a_backup_lacks_chooses_it(self):
        chosen = lambda kind, value="", skip=(): recovery.choose_backup(self.backups, recovery.Target(kind, value, skip))["label"]  # noqa: E731
        self.assertEqual(chosen("before", f"{SERVER}:15"), "a")
        self.assertEqual(chosen("before", f"{SERVER}:21"), "b")
        self.assertEqual(chosen("latest", "", (f"{OTHER}:3",)), "a")

    def test_replays_what_lies_in_a_gap_of_the_backup(self):
        at = [binlog.Transaction(binlog.parse_gtid(f"{OTHER}:{number}"), number * 10, number * 10 + 10, 1000) for number in (2, 3, 4, 5, 6)]
        found = recovery.Replay(position(self.backups[0]["gtid"]), recovery.Target("latest"))
        self.assertEqual(found.ranges(at), [recovery.Range(30, 50), recovery.Range(60, 70)])

    def test_the_groups_numbers_are_those_of_its_state_and_not_the_most(self):
        class Bucket:
            def read_json(self, _path):
                return {"uuid": SERVER}
        self.assertEqual(recovery.group_domain(Bucket(), self.backups), SERVER)

    def test_a_file_stays_while_the_oldest_backup_says_nothing_about_the_group(self):
        part = archive.parse_part(f"binlogs/orders-1/binlog.000001-9/000000000000-000000000500_0000000001-0000000002__{SERVER}:12.zst")
        later = archive.parse_part(f"binlogs/orders-1/binlog.000002-9/000000000000-000000000500_0000000001-0000000002_{SERVER}:12_{SERVER}:30.zst")
        self.assertEqual(backup.spent_folders([part, later], position(f"{OTHER}:1-99")), [])
        self.assertEqual(backup.spent_folders([part, later], position(f"{SERVER}:1-12")), ["binlogs/orders-1/binlog.000001-9"])

    def test_who_is_of_the_server_itself_is_never_locked(self):
        users = [[name, f"'{name}'", "'%'"] for name in ("root", "mysql.sys", "mysql.pxc.sst.user", "app", "old")]
        self.assertEqual(recovery.lock_statements(users, ["app"]), ["ALTER USER 'old'@'%' ACCOUNT LOCK"])


class Bucket:
    """Takes what is sent."""

    def __init__(self, fails=False):
        self.fails, self.folder, self.written = fails, tempfile.mkdtemp(), {}

    def open_write(self, path, _source, _size):
        self.path = path
        command = ["sh", "-c", "head -c 10 > /dev/null; echo refused >&2; exit 4"] if self.fails else ["cat"]
        with open(f"{self.folder}/stream", "wb") as file:
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=file, stderr=subprocess.PIPE)
        process.errors = tempfile.TemporaryFile()
        process.errors.write(b"refused" if self.fails else b"")
        return process

    def sizes(self):
        return {self.path: os.path.getsize(f"{self.folder}/stream")}

    def write_json(self, path, value):
        self.written[path] = value

    def open_read(self, _path):
        return subprocess.Popen(["cat", f"{self.folder}/stream"], stdout=subprocess.PIPE)


INFO = f"server_version = 8.4.8-8.1\nbinlog_pos = filename 'binlog.000002', position '157', GTID of the last change '{OTHER}:1-5,\n{SERVER}:1-20'\n"
XTRABACKUP = f"""#!/bin/bash
# Plays the vendor's program: notes what it is called with, and streams.
printf '%s\\n' "$@" >> "$(dirname "$0")/calls"
for word in "$@"; do case "$word" in --extra-lsndir=*) mkdir -p "${{word#*=}}"; printf '%s' "{INFO}" > "${{word#*=}}/xtrabackup_info" ;; esac; done
case "$*" in *--prepare*) touch "${{!#}}/../prepared" 2> /dev/null; exit 0 ;; esac
echo 'ready to copy' >&2
[ -z "$STUB_FAILS" ] || {{ echo 'xtrabackup: Error: no space' >&2; exit 1; }}
head -c "${{STUB_BYTES:-300000}}" /dev/zero
"""


class Streams(unittest.TestCase):
    """Through galera-run.sh, as the container of the vendor's image runs it, with programs that play the vendor's."""

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        for name in ("bin", "volume/tmp", "volume/data", "run/tools"):
            os.makedirs(f"{self.folder}/{name}")
        self.program("xtrabackup", XTRABACKUP)
        self.program("xbstream", '#!/bin/bash\nprintf "%s\\n" "$@" > "$(dirname "$0")/unpacked"; cat > "$3/ibdata1"; touch "$3/binlog.000002" "$3/xtrabackup_info"\n')
        self.config = {"engine": "percona-xtradb-cluster", "remote": True, "toolsDirectory": f"{self.folder}/bin", "volume": f"{self.folder}/volume",
                       "run": f"{self.folder}/run"}
        self.begin()

    def program(self, name, text):
        with open(f"{self.folder}/bin/{name}", "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(f"{self.folder}/bin/{name}", 0o700)

    def begin(self, **environment):
        if os.path.exists(f"{self.folder}/run/tools/runner/boot"):
            os.unlink(f"{self.folder}/run/tools/runner/boot")
        self.runner = subprocess.Popen(["bash", f"{SCRIPTS}/galera-run.sh", f"{self.folder}/run/tools"], env={**os.environ, **environment})
        self.addCleanup(self.end, self.runner)
        self.assertTrue(until(lambda: os.path.exists(f"{self.folder}/run/tools/runner/boot")))

    @staticmethod
    def end(runner):
        runner.kill()
        runner.wait()

    def backup(self, bucket):
        place = {"tools": tools.Tools(self.config), "member": "orders-2", "dataDirectory": f"{self.folder}/volume/data",
                 "login": ["--defaults-file=/run/backup.cnf", "--socket=/run/mysqld.sock"], "level": 3}
        return backup.Backup(bucket, None, place)

    def test_a_backup_goes_from_the_vendors_program_into_the_archive_without_a_copy_on_the_volume(self):
        bucket = Bucket()
        made = self.backup(bucket).make("nightly")
        self.assertEqual((made["sizeBytes"], made["gtid"], made["serverVersion"]), (300000, f"{OTHER}:1-5,{SERVER}:1-20", "8.4.8-8.1"))
        self.assertRegex(bucket.path, r"^backups/[0-9-]+F/base\.xbs\.zst$")
        self.assertIn(f"backups/{made['label']}/backup.json", bucket.written)
        self.assertEqual(os.listdir(f"{self.folder}/volume/tmp"), [])
        with open(f"{self.folder}/bin/calls", encoding="utf-8") as file:
            self.assertEqual(file.read().splitlines()[:4], ["--defaults-file=/run/backup.cnf", "--backup", "--galera-info", "--stream=xbstream"])

    def test_what_the_vendors_program_says_is_told_when_it_fails(self):
        self.end(self.runner)
        self.begin(STUB_FAILS="1")
        with self.assertRaisesRegex(backup.Failed, "xtrabackup ended with 1: xtrabackup: Error: no space"):
            self.backup(Bucket()).make("nightly")

    def test_a_storage_that_refuses_ends_the_vendors_program_instead_of_leaving_it_waiting(self):
        self.end(self.runner)
        self.begin(STUB_BYTES="90000000")
        with self.assertRaisesRegex(backup.Failed, "rclone ended with 4: refused"):
            self.backup(Bucket(fails=True)).make("nightly")

    def test_a_container_that_is_not_there_is_an_error_and_no_wait(self):
        self.end(self.runner)
        os.unlink(f"{self.folder}/run/tools/runner/boot")
        with self.assertRaisesRegex(OSError, "has not started yet"):
            self.backup(Bucket()).make("nightly")

    def test_a_container_that_dies_meanwhile_cuts_the_stream_and_leaves_no_backup(self):
        self.program("xtrabackup", "#!/bin/bash\necho begun; sleep 60\n")
        bucket = Bucket()
        killer = subprocess.Popen(["bash", "-c", f"until [ -f {self.folder}/run/tools/runner/pid.* ]; do sleep 0.1; done; kill -KILL -- -$(cat {self.folder}/run/tools/runner/pid.*)"])
        with self.assertRaises(backup.Failed):
            self.backup(bucket).make("nightly")
        killer.wait()
        self.assertEqual(bucket.written, {})

    def test_a_recovery_unpacks_and_prepares_with_the_vendors_programs_and_keeps_nothing_of_the_old_server(self):
        bucket = Bucket()
        made = self.backup(bucket).make("nightly")
        target = f"{self.folder}/volume/new"
        recovery.fetch_backup(bucket, made, target, tools.Tools(self.config))
        self.assertEqual((os.listdir(target), os.path.getsize(f"{target}/ibdata1")), (["ibdata1"], 300000))
        with open(f"{self.folder}/bin/calls", encoding="utf-8") as file:
            self.assertEqual(file.read().splitlines()[-3:], ["--no-defaults", "--prepare", f"--target-dir={target}"])


class Users(unittest.TestCase):
    def member(self, taken):
        self.changes, sql = [], mock.Mock()
        sql.rows.return_value = [("$A$005$salt",)]
        sql.accepts.side_effect = lambda _name, password: password == taken
        sql.change.side_effect = self.changes.append
        return users.Users(sql, False)

    def test_a_password_of_another_cluster_is_replaced_after_a_recovery(self):
        self.member("old").ensure_user("app", "new", True)
        self.assertEqual(self.changes, ["ALTER USER 'app'@'%' IDENTIFIED BY 'new' ACCOUNT UNLOCK"])

    def test_a_password_that_the_server_takes_is_tried_once(self):
        member = self.member("new")
        for _ in range(3):
            member.ensure_user("app", "new", True)
        self.assertEqual((self.changes, member.sql.accepts.call_count), ([], 1))


if __name__ == "__main__":
    unittest.main()
