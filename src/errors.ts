/** Where every code is explained; `cdk8s-everest explain CODE` says the same without a network. */
const DOCS = 'https://github.com/cdk8s-everest/cdk8s-everest/blob/main/docs/reference/rules.md';

/** One thing that is wrong with what a person wrote. */
export interface Finding {
  /** Stable code of the rule, such as EV1203. */
  readonly code: string;
  /** Where, in the words of the person: names of props or fields, and indexes. */
  readonly path: ReadonlyArray<string | number>;
  /** What is wrong, with the value that was given. */
  readonly problem: string;
  /** What would happen if it were accepted. */
  readonly consequence: string;
  /** What to change, in the names of the person's own fields. */
  readonly fix: string;
  /** File, line and column for text that came from a file. */
  readonly position?: string;
}

/** A key that needs no quotes in a path. */
const PLAIN_KEY = /^[A-Za-z_][A-Za-z0-9_-]*$/;

/** `spec.storage[0].size`, `labels["example.com/team"]` */
export function renderPath(path: ReadonlyArray<string | number>): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    if (!PLAIN_KEY.test(part)) return `${text}[${JSON.stringify(part)}]`;
    return text === '' ? part : `${text}.${part}`;
  }, '');
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** What people gave stands in messages; control characters of it would break lines or worse in a terminal. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** One finding as a person reads it. The code stands in the text, since jsii turns error classes into a generic one. */
export function renderFinding(finding: Finding, subject: string): string {
  const place = [finding.position, subject, renderPath(finding.path)].filter(Boolean).join(': ');
  const text = [finding.problem, finding.consequence, finding.fix].filter(Boolean).map(sentence).join(' ');
  return printable(`[${finding.code}] ${place}${place ? ': ' : ''}${text} (${DOCS}#${finding.code.toLowerCase()})`);
}

/**
 * Thrown for every mistake in what a person wrote; never for our own faults.
 * Its message holds all findings of a stage, one a line.
 *
 * @internal
 */
export class EverestError extends Error {
  /** Codes of the findings, in order. */
  public readonly codes: string[];

  public constructor(public readonly findings: readonly Finding[], public readonly subject: string) {
    super(findings.map((finding) => renderFinding(finding, subject)).join('\n'));
    this.name = 'EverestError';
    this.codes = findings.map((finding) => finding.code);
  }
}
