#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { suggestion } from '../closest';
import { renderFinding, type Finding } from '../errors';
import { badInvocation } from './failure';
import { synth } from './synth';
import { findRule, renderRule, ruleCatalog } from '../rules/catalog';
import { findingOf } from '../rules/run';
import { SHAPE_TEXTS } from '../rules/shape-texts';

const HELP = `cdk8s-everest: highly available databases on Kubernetes as plain manifests

  cdk8s-everest synth FILE… [-o DIR] [--set PATH=VALUE]… [--namespace NAME] [--previous FILE|DIR]
      Turns DatabaseCluster documents into manifests: on standard output, or as files in DIR (volumes in files of
      their own). FILE may be - for standard input.
      --set PATH=VALUE   a value in the place of the document's own: --set spec.storage.size=1Gi
      --namespace NAME   for documents that name none; default: default
      --previous PATH    manifests that are in use: what would lose data against them is refused; default: DIR
  cdk8s-everest explain [CODE]
      What an error code means and what to do, or a list of all of them.
  cdk8s-everest --help | --version

Exit code 0: done. 1: something is wrong; all of it is on standard error, and nothing was written.
`;

/** What a command leaves: texts and an exit code. Nothing below writes or exits by itself. */
interface Outcome {
  readonly stdout?: string;
  readonly stderr?: string;
  readonly failed?: boolean;
}

function failure(findings: readonly Finding[]): Outcome {
  return { stderr: findings.map((finding) => `${renderFinding(finding, '')}\n`).join(''), failed: true };
}

function runSynth(args: string[]): Outcome {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      output: { type: 'string', short: 'o' },
      set: { type: 'string', multiple: true, default: [] },
      namespace: { type: 'string', short: 'n' },
      previous: { type: 'string' },
    },
  });
  const { stdout, written, findings } = synth({ ...values, files: positionals });
  if (findings.length > 0) return failure(findings);
  return { stdout, stderr: written.map((file) => `wrote ${file}\n`).join('') };
}

function runExplain(args: string[]): Outcome {
  const { positionals: [code] } = parseArgs({ args, allowPositionals: true, options: {} });
  const rules = ruleCatalog();
  if (code === undefined) return { stdout: rules.map((rule) => `${rule.code}  ${rule.title}\n`).join('') };
  const rule = findRule(code);
  if (rule) return { stdout: renderRule(rule) };
  const hint = suggestion(code.toUpperCase(), rules.map((known) => known.code));
  return failure([badInvocation(`there is no code ${JSON.stringify(code)}${hint}`, 'cdk8s-everest explain lists all codes')]);
}

function packageVersion(): string {
  // It lies outside of rootDir, so an import would not compile.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  return (require('../../package.json') as { version: string }).version;
}

const COMMANDS: Readonly<Record<string, (args: string[]) => Outcome>> = {
  'synth': runSynth,
  'explain': runExplain,
  '--help': () => ({ stdout: HELP }),
  '-h': () => ({ stdout: HELP }),
  'help': () => ({ stdout: HELP }),
  '--version': () => ({ stdout: `${packageVersion()}\n` }),
};

/** Runs one command line. A mistake of the person is a finding; anything else is a fault of ours, and says so. */
export function run(args: string[]): Outcome {
  const [name, ...rest] = args;
  if (name === undefined) return { stderr: HELP, failed: true };
  if (rest.includes('--help') || rest.includes('-h')) return { stdout: HELP };
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) return failure([badInvocation(`there is no command ${JSON.stringify(name)}${suggestion(name, Object.keys(COMMANDS))}`)]);
  try {
    return command(rest);
  } catch (error) {
    const message = error instanceof Error ? error.message.split('\n')[0]! : String(error);
    const usage = String((error as { code?: unknown }).code).startsWith('ERR_PARSE_ARGS');
    return failure([usage ? badInvocation(message) : findingOf(SHAPE_TEXTS.ourFault, { path: [], problem: message })]);
  }
}

function main(): void {
  const { stdout = '', stderr = '', failed = false } = run(process.argv.slice(2));
  // The reader of a pipe may be gone already (`| head`): that is no error of ours.
  process.stdout.on('error', () => undefined);
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  process.exitCode = failed ? 1 : 0;
}

if (require.main === module) main();
