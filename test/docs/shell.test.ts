import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { knownObjects, kubectlProblems } from './kubectl';
import { nameOf, PAGES, ROOT, type Block, type Page } from './pages';

/*
 * Every sh block runs under bash, in order, in one folder for each page. The CLI is the real one. What needs a cluster,
 * a registry or a network is a stand-in that notes its words; kubectl's are then checked. Blocks with `file=NAME` lie
 * there under that name. A console block shows commands after `$ ` and what they print; `…` stands for any text.
 */
const STAND_INS = ['argocd', 'buildah', 'cdk8s', 'flux', 'git', 'helm', 'kubectl', 'npm', 'skopeo'];
const UNIT = '\x1f', RECORD = '\x1e';

/** Gives back what later commands can work with: the name of a Pod, or text that base64 takes. */
const STAND_IN = `#!/bin/bash
{ printf '%s' "\${0##*/}"; printf '\\x1f%s' "$@"; printf '\\x1e'; } >> "$STAND_IN_LOG"
for word in "$@"; do case "$word" in -|-i) cat > /dev/null;; esac; done
case " $* " in
  *" secret "*|*" secret/"*) [[ " $* " == *" -o "* ]] && printf b3JkZXJz;;
  *" orders-contract "*) echo '{"patroni": {}}';;
  *" -o "*) echo orders-1-0;;
esac
exit 0
`;

const EVEREST = `#!/bin/bash
everest() { exec "${process.execPath}" --import "${join(dirname(require.resolve('tsx/package.json')), 'dist/loader.mjs')}" "${join(ROOT, 'src/cli/main.ts')}" "$@"; }
case "\${0##*/} $1" in
  "npx cdk8s-everest") shift; everest "$@";;
  "node lib/cli/main.js") shift; everest "$@";;
esac
${STAND_IN.replace('#!/bin/bash\n', '')}`;

interface Workspace {
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly log: string;
}

function makeWorkspace(page: Page): Workspace {
  const base = mkdtempSync(join(tmpdir(), 'docs-sh-'));
  const [folder, programs, log] = [join(base, 'here'), join(base, 'bin'), join(base, 'log')];
  mkdirSync(folder);
  mkdirSync(programs);
  for (const [names, text] of [[STAND_INS, STAND_IN], [['npx', 'node'], EVEREST]] as const) {
    for (const name of names) {
      writeFileSync(join(programs, name), text);
      chmodSync(join(programs, name), 0o755);
    }
  }
  for (const name of ['examples', 'images']) symlinkSync(join(ROOT, name), join(folder, name));
  for (const { info, text } of page.blocks.filter((block) => block.info.file)) writeFileSync(join(folder, info.file!), `${text}\n`);
  writeFileSync(log, '');
  return { folder, log, environment: { PATH: `${programs}:/usr/bin:/bin`, HOME: base, STAND_IN_LOG: log, LANG: 'C.UTF-8' } };
}

function bash(workspace: Workspace, script: string): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script], { cwd: workspace.folder, env: workspace.environment, encoding: 'utf8' });
  return { status, output: `${stdout}${stderr}`.trim() };
}

function recordedCommands({ log }: Workspace): string[][] {
  return readFileSync(log, 'utf8').split(RECORD).filter((text) => text !== '').map((text) => text.split(UNIT));
}

/** Objects that the page itself shows as YAML, such as a client's Pod. */
function declaredObjects(page: Page): string[] {
  return page.blocks.filter(({ language }) => language === 'yaml').flatMap(({ text }) => parseAllDocuments(text))
    .map((document) => document.toJS() as { kind?: string; metadata?: { name?: string } } | null)
    .map((object) => `${object?.kind}/${object?.metadata?.name}`);
}

/** `-f FILE` of kubectl must have been made by an earlier block. */
function missingFiles(words: readonly string[], folder: string): string[] {
  const files = words.filter((_, index) => words[index - 1] === '-f').filter((file) => file !== '-');
  return files.filter((file) => !isAbsolute(file) && !existsSync(join(folder, file))).map((file) => `nothing has made ${file}`);
}

/** A console block as commands with what they print. */
function dialogues({ text }: Block): Array<{ command: string; printed: string }> {
  return text.split(/^\$ /m).slice(1).map((part) => {
    const lines = part.split('\n');
    const end = lines.findIndex((line) => !line.endsWith('\\'));
    return { command: lines.slice(0, end + 1).join('\n'), printed: lines.slice(end + 1).join('\n').trim() };
  });
}

function matches(printed: string, output: string): boolean {
  const parts = printed.split('…').map((part) => part.trim());
  const pattern = parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('[\\s\\S]*');
  return new RegExp(`^\\s*${pattern}\\s*$`).test(output);
}

const withShell = PAGES.filter(({ blocks }) => blocks.some(({ language }) => language === 'sh' || language === 'console'));

describe.each(withShell.map((page) => [page.path, page] as const))('shell of %s', (_, page) => {
  const workspace = makeWorkspace(page);
  const known = new Set([...knownObjects(), ...declaredObjects(page)]);
  const shell = page.blocks.filter(({ language }) => language === 'sh' || language === 'console');

  afterAll(() => rmSync(dirname(workspace.folder), { recursive: true }));

  it.each(shell.map((block) => [nameOf(block), block] as const))('%s runs', (_name, block) => {
    if (block.language === 'sh') {
      expect(bash(workspace, `set -euo pipefail\n${block.text}`)).toMatchObject({ status: block.info.exit ? Number(block.info.exit) : 0 });
    }
    for (const { command, printed } of block.language === 'console' ? dialogues(block) : []) {
      const { output } = bash(workspace, command);
      expect({ command, output: matches(printed, output) ? printed : output }).toEqual({ command, output: printed });
    }
  }, 60_000);

  it('names only what kubectl can find', () => {
    const commands = recordedCommands(workspace).filter(([program]) => program === 'kubectl');
    const problems = commands.flatMap(([, ...words]) =>
      [...kubectlProblems(words, known), ...missingFiles(words, workspace.folder)]
        .map((problem) => `kubectl ${words.join(' ')}: ${problem}`));
    expect(problems).toEqual([]);
  });
});
