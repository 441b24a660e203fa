import type { Finding } from '../errors';
import { findingOf } from '../rules/run';
import { SHAPE_TEXTS } from '../rules/shape-texts';

/** A command that cannot be carried out. */
export function badInvocation(problem: string, fix?: string): Finding {
  return findingOf(SHAPE_TEXTS.badInvocation, { path: [], problem, ...(fix ? { fix } : {}) });
}

/** What the operating system says about a file, in words: `ENOENT` is a code for programmers. */
export function fileProblem(file: string, error: unknown): Finding {
  const words: Readonly<Record<string, string>> = {
    ENOENT: 'does not exist', EACCES: 'may not be read or written', EISDIR: 'is a folder', ENOTDIR: 'is no folder', ENOSPC: 'does not fit: the disk is full',
  };
  const code = (error as { code?: string }).code ?? 'unknown';
  return badInvocation(`${file} ${words[code] ?? `cannot be used (${code})`}`);
}
