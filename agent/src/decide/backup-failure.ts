/**
 * Why pgBackRest failed, in words that say what to do. Read from its exit code and its messages; the same rows explain
 * a backup and the archive. What S3 said through rclone, which serves MariaDB, is in the same rows.
 */
import type { FailureStatus } from '../model/backup-status.js';

interface Row {
  readonly kind: string;
  readonly codes?: readonly number[];
  readonly text?: RegExp;
  readonly problem: string;
  readonly fix: string;
}

/** First match wins: what S3 said is more exact than what pgBackRest made of it. */
export const FAILURE_ROWS: readonly Row[] = [
  {
    kind: 'interrupted', codes: [63, 130, 137, 143], text: /was asked to stop/,
    problem: 'The backup was ended from outside before it was done.',
    fix: 'Was the Job deleted or out of time, the member restarted or out of memory? The Job tries again.',
  },
  {
    kind: 'disk-full', text: /No space left on device|disk quota exceeded/i,
    problem: 'A volume of the member is full.',
    fix: 'Grow the volume. WAL that waits for the archive takes room too: see archive.json in the status.',
  },
  {
    kind: 'clock-skew', text: /\bRequestTimeTooSkewed\b/,
    problem: 'The storage refuses requests because the clock of the member\'s node is wrong.',
    fix: 'Set the clock of the node (NTP).',
  },
  {
    kind: 'clock-skew', text: /is not later than latest backup label/,
    problem: 'The newest backup is dated later than now: the clock of the member\'s node is behind, or another one was ahead when that backup was made.',
    fix: 'Set the clocks of the nodes (NTP). If they are right by now, backups go on when the time of the newest one has come; the archive goes on meanwhile.',
  },
  {
    kind: 'missing-bucket', text: /\bNoSuchBucket\b/,
    problem: 'The bucket does not exist.',
    fix: 'Create the bucket, or correct its name, endpoint or region in the BackupStorage.',
  },
  {
    kind: 'wrong-credentials',
    text: /\b(?:SignatureDoesNotMatch|InvalidAccessKeyId|AccessDenied|ExpiredToken|InvalidToken|Forbidden)\b|failed with (?:401|403)|status code: 40[13]/,
    problem: 'The storage refuses the credentials.',
    fix: 'Correct the key in the Secret of the BackupStorage, or what it may do in the bucket. Members read a changed Secret again while the archive is refused.',
  },
  {
    kind: 'certificate', text: /unable to verify certificate|certificate verify failed|x509:|unable to (?:find|load).*certificate|TLS error/i,
    problem: 'The certificate of the storage is not trusted.',
    fix: 'Give the BackupStorage the CA that signed it, and the host name that it was made for.',
  },
  {
    kind: 'unreachable', codes: [49],
    text: /HostConnectError|unable to connect to|unable to get address|timeout connecting|Connection refused|dial tcp|no such host|i\/o timeout|context deadline|network is unreachable|Name or service not known|No route to host|TLS connection failed|(?:read|write)y? (?:timed out|timeout)|failed with 50[0-9]|status code: 50[0-9]|ServiceError|Connection reset|did not end within/i,
    problem: 'The storage cannot be reached, or does not answer.',
    fix: 'Check the endpoint of the BackupStorage, its name in DNS, and the network policies on the way. What waits is archived once it answers.',
  },
  {
    kind: 'wrong-cipher-pass', codes: [95], text: /key\/value found outside of section|cipher header invalid|CryptoError|unable to flush|not an encrypted file|failed to authenticate decrypted block/,
    problem: 'The repository cannot be decrypted: its pass is another one.',
    fix: 'Give the Secret the pass that the repository was made with. Without it what is stored is lost; a new pass needs a new path.',
  },
  {
    kind: 'lock-held', codes: [50], text: /unable to acquire lock/,
    problem: 'Another pgBackRest command is at work in that member.',
    fix: 'Wait for its end. Backups of one cluster are made one at a time.',
  },
  {
    kind: 'archive-timeout', codes: [82], text: /was not archived before the/,
    problem: 'The WAL of the backup did not reach the archive in time.',
    fix: 'Look at archive.json in the status: the archive has to work before a backup can.',
  },
  {
    kind: 'archiving-off', codes: [68, 87], text: /archive_mode must be|archive_command .* must contain/,
    problem: 'PostgreSQL does not archive.',
    fix: 'Members take archive_mode up when they restart: wait for the rolling change, or restart them.',
  },
  {
    kind: 'stanza-missing', codes: [55], text: /has a stanza-create been performed|missing stanza path|missing stanza data/,
    problem: 'The repository holds nothing of this cluster: it is new, or the bucket or what was in it is gone.',
    fix: 'In a new repository the primary makes the stanza by itself. If backups were there before, find out who removed them.',
  },
  {
    kind: 'stanza-mismatch', codes: [28, 44, 45, 51, 58],
    text: /do not match the database|ArchiveMismatchError|database mismatch|is this the correct stanza|already exists in the repo1? archive with a different checksum/,
    problem: 'The repository belongs to another database: another cluster writes to the same path, or this one was made anew.',
    fix: 'Give each cluster a path of its own. Nothing was overwritten.',
  },
  {
    kind: 'configuration', codes: [27, 31, 32, 33, 37],
    problem: 'pgBackRest does not accept its configuration.',
    fix: 'Compare the option that it names with the BackupStorage, and look into the log of the primary.',
  },
  {
    kind: 'database-unreachable', codes: [38, 56, 57],
    problem: 'PostgreSQL in that member cannot be asked, or is no primary any more.',
    fix: 'Wait until the cluster has a primary; the Job tries again.',
  },
  {
    kind: 'stopped', codes: [62],
    problem: 'Somebody stopped pgBackRest in that member (pgbackrest stop).',
    fix: 'Run pgbackrest start there.',
  },
];

const OTHER = {
  kind: 'other', problem: 'pgBackRest failed.', fix: 'Its message is in the log of the Job, or in the log of the primary for the archive.',
};
const DETAIL_LENGTH = 400;

/** S3's own word; headers and queries of the request around it are of no use to people. */
function storageSays(text: string): string | undefined {
  const [, code] = /<Code>(\w+)<\/Code>/.exec(text) ?? [];
  const [, message] = /<Message>([^<]*)<\/Message>/.exec(text) ?? [];
  return code && (message ? `${code}: ${message}` : code);
}

function firstError(text: string): string {
  const [, said] = /ERROR: (\[\d+\]:[^\n]*)/.exec(text) ?? [];
  const [first = '', second = ''] = text.split('\n').map((line) => line.trim()).filter((line) => line !== '');
  // "unable to find a valid repository:" says nothing yet.
  return said ?? (first.endsWith(':') ? `${first} ${second}` : first);
}

/** A wrong pass makes pgBackRest print what it could not read. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, ' ').replace(/ {2,}/g, ' ').trim();
}

function detailOf(text: string): string {
  const parts = [firstError(text), storageSays(text)].filter((part) => part !== undefined && part !== '');
  return printable(parts.join(' ')).slice(0, DETAIL_LENGTH);
}

/** The code in `ERROR: [039]: …`, where a command ended with none of its own. */
function codeIn(text: string): number | undefined {
  const [, code] = /ERROR: \[(\d+)\]/.exec(text) ?? [];
  return code === undefined ? undefined : Number(code);
}

/** Words are more exact than codes, which stand for whole families: those count when no row knows the words. */
export function explainFailure(exitCode: number | undefined, text: string): FailureStatus {
  const code = exitCode ?? codeIn(text);
  const row = FAILURE_ROWS.find((candidate) => candidate.text?.test(text))
    ?? FAILURE_ROWS.find(({ codes }) => code !== undefined && codes?.includes(code)) ?? OTHER;
  return { kind: row.kind, problem: row.problem, fix: row.fix, detail: detailOf(text) };
}
