/** Asks pgBackRest in a member what is in its repository. */
import { STANZA } from '../../../src/contract/document.js';
import { parseInfo, type RepositoryFacts } from '../model/pgbackrest.js';
import { historyInPath, WalScale, type ArchiveListing, type WalSegment } from '../model/wal.js';
import type { Exec, ExecEnd } from '../ports/exec.js';
import { KubeError } from '../ports/kube.js';

/** Where pgBackRest is asked, and about which of its repositories. */
export interface Place {
  readonly pod: string;
  readonly repository: number;
}

/** Many backups on a slow storage take a while. */
const ASK_LIMIT_MS = 300_000;
/**
 * Only what was asked for on standard output. A storage that does not answer is given up after 9 times the io-timeout,
 * which is 9 minutes by default.
 */
const QUIET = ['--log-level-console=off', '--log-level-stderr=error', '--io-timeout=10'];
const CONTAINER = 'postgres';

/** The command line, with its container. */
export function pgBackRest({ pod, repository }: Place, ...command: string[]) {
  return { pod, container: CONTAINER, command: ['pgbackrest', `--stanza=${STANZA}`, `--repo=${repository}`, ...command] };
}

export interface Answer {
  readonly end: ExecEnd;
  readonly errors: string;
}

async function ask(exec: Exec, place: Place, command: string[], line: (text: string) => void): Promise<Answer> {
  const errors: string[] = [];
  const take = (text: string, stream: 'out' | 'err') => {
    if (stream === 'out') line(text);
    else errors.push(text);
  };
  const end = await exec.run(pgBackRest(place, ...QUIET, ...command), { line: take, limitMs: ASK_LIMIT_MS });
  return { end, errors: errors.join('\n') };
}

export interface InfoReading {
  readonly facts: RepositoryFacts | 'unknown';
  /** Why it is unknown. */
  readonly output: string;
}

/** Exits 0 on errors too, so that only what it prints counts. */
export async function readInfo(exec: Exec, place: Place): Promise<InfoReading> {
  const lines: string[] = [];
  try {
    const { end, errors } = await ask(exec, place, ['--output=json', 'info'], (line) => lines.push(line));
    const facts = end.exitCode === 0 ? parseInfo(lines.join('\n')) : undefined;
    const why = end.exitCode === undefined ? end.why : errors;
    return facts ? { facts, output: '' } : { facts: 'unknown', output: why || lines.join('\n').slice(0, 2000) };
  } catch (problem) {
    if (!(problem instanceof KubeError)) throw problem;
    return { facts: 'unknown', output: problem.message };
  }
}

/** Names of segments mean nothing without it. */
async function readScale(exec: Exec, { pod }: Place): Promise<WalScale | undefined> {
  const lines: string[] = [];
  const query = "SELECT setting FROM pg_settings WHERE name = 'wal_segment_size'";
  const command = ['psql', '--no-psqlrc', '-qAt', '-d', 'postgres', '-c', query];
  const take = { line: (text: string) => void lines.push(text), limitMs: ASK_LIMIT_MS };
  const { exitCode } = await exec.run({ pod, container: CONTAINER, command }, take);
  return exitCode === 0 ? WalScale.parse(lines[0] ?? '') : undefined;
}

async function readHistory(
  exec: Exec, place: Place, path: string, scale: WalScale,
): Promise<ArchiveListing['history']> {
  const lines: string[] = [];
  const { end } = await ask(exec, place, ['repo-get', path], (line) => lines.push(line));
  return (end.exitCode === 0 ? scale.parseHistory(lines.join('\n')) : undefined) ?? 'unknown';
}

/** Asks the storage for one segment: whole archives may be long. `unknown`: nobody could look. */
export async function archiveHas(exec: Exec, place: Place, id: string, wal: string): Promise<boolean | 'unknown'> {
  let found = false;
  try {
    const { end } = await ask(exec, place, ['repo-ls', `archive/${STANZA}/${id}/${wal.slice(0, 16)}`], (line) => {
      found ||= line.startsWith(`${wal}-`);
    });
    return end.exitCode === 0 ? found : 'unknown';
  } catch (problem) {
    if (!(problem instanceof KubeError)) throw problem;
    return 'unknown';
  }
}

/** What was written until now becomes a whole segment, which is sent. Gives whether the primary has done that. */
export async function switchWal(exec: Exec, { pod }: Pick<Place, 'pod'>): Promise<boolean> {
  const command = ['psql', '--no-psqlrc', '-qAt', '-d', 'postgres', '-c', 'SELECT pg_switch_wal()'];
  try {
    const quiet = { line: () => undefined, limitMs: ASK_LIMIT_MS };
    const { exitCode } = await exec.run({ pod, container: CONTAINER, command }, quiet);
    return exitCode === 0;
  } catch (problem) {
    if (!(problem instanceof KubeError)) throw problem;
    return false;
  }
}

/** `id` is the folder of the archive: `17-1`. Names are counted as they come, since there may be very many. */
export async function listArchive(exec: Exec, place: Place, id: string): Promise<ArchiveListing | 'unknown'> {
  const folder = `archive/${STANZA}/${id}`;
  const segments: WalSegment[] = [];
  let timeline = 0;
  try {
    const scale = await readScale(exec, place);
    if (!scale) return 'unknown';
    const { end } = await ask(exec, place, ['--recurse', 'repo-ls', folder], (line) => {
      const segment = scale.inPath(line);
      if (segment) segments.push(segment);
      timeline = Math.max(timeline, segment?.timeline ?? historyInPath(line) ?? 0);
    });
    if (end.exitCode !== 0) return 'unknown';
    // The first timeline has no history: nothing came before it.
    const name = `${timeline.toString(16).toUpperCase().padStart(8, '0')}.history`;
    const history = timeline <= 1 ? [] : await readHistory(exec, place, `${folder}/${name}`, scale);
    return { scale, segments, history, timeline };
  } catch (problem) {
    if (!(problem instanceof KubeError)) throw problem;
    return 'unknown';
  }
}
