import type { Finding } from '../../errors';
import { findingOf } from '../../rules/run';
import { SHAPE_TEXTS } from '../../rules/shape-texts';

/* `config` of an engine or a proxy: text in the format of the program that reads it. */

/** One setting, and on which line of the text it stands, counted from 0. */
export interface Setting {
  readonly section?: string;
  readonly name: string;
  readonly value: string;
  readonly line: number;
}

/** A line that cannot be read as a setting. */
export interface UnreadableLine {
  readonly line: number;
  readonly text: string;
}

export interface ConfigLines {
  readonly settings: Setting[];
  readonly unreadable: UnreadableLine[];
}

type Reader = (text: string) => Omit<Setting, 'line'> | undefined;

/** `name = value` or `name value`; the value in single quotes or up to a comment. */
const POSTGRES_LINE = /^([A-Za-z_][\w.]*)\s*(?:=\s*|\s)(?:'((?:[^'\\]|''|\\.)*)'|([^\s#'][^#']*?))\s*(?:#.*)?$/;

function postgresSetting(text: string): Omit<Setting, 'line'> | undefined {
  const match = POSTGRES_LINE.exec(text);
  if (!match || /^include(_dir|_if_exists)?$/i.test(match[1]!)) return undefined;
  const quoted = match[2]?.replace(/''/g, '\'').replace(/\\(.)/g, '$1');
  return { name: match[1]!, value: quoted ?? match[3]! };
}

function readLines(text: string, comment: RegExp, reader: Reader): ConfigLines {
  const lines = text.split(/\r?\n/).map((content, line) => ({ content: content.trim(), line }))
    .filter(({ content }) => content !== '' && !comment.test(content));
  const read = lines.map(({ content, line }) => ({ content, line, setting: reader(content) }));
  return {
    settings: read.flatMap(({ setting, line }) => (setting && setting.name !== '' ? [{ ...setting, line }] : [])),
    unreadable: read.flatMap(({ setting, line, content }) => (setting ? [] : [{ line, text: content }])),
  };
}

/** Lines of postgresql.conf. Other files cannot be included: they are not there. */
export function readPostgresConfig(text: string): ConfigLines {
  return readLines(text, /^#/, postgresSetting);
}

/** An INI file: pgbouncer.ini, or my.cnf, where a name without a value is a switch (`skip-name-resolve`). */
export function readIni(text: string, switches: boolean = false): ConfigLines {
  let section: string | undefined;
  return readLines(text, /^[#;]/, (content) => {
    const heading = /^\[([\w.-]+)\]\s*([#;].*)?$/.exec(content);
    if (heading) {
      section = heading[1];
      return { name: '', value: '' };
    }
    const match = /^([A-Za-z][\w.-]*)\s*=\s*(.*)$/.exec(content);
    if (match) return { section, name: match[1]!, value: unquoted(match[2]!) };
    return switches && /^[A-Za-z][\w.-]*$/.test(content) ? { section, name: content, value: '' } : undefined;
  });
}

function unquoted(value: string): string {
  const quoted = /^(["'])(.*)\1$/.exec(value);
  return quoted ? quoted[2]! : value;
}

/** Where a line of `config` stands. */
export function linePath(field: 'engine' | 'proxy', { line }: { readonly line: number }): Array<string | number> {
  return ['spec', field, 'config', line];
}

/** Lines that cannot be read, and settings that stand there twice: one of them would have no effect. */
export function lineFindings(field: 'engine' | 'proxy', { unreadable, settings }: ConfigLines): Finding[] {
  const twice = settings.filter(({ name, section }, index) =>
    settings.some((other, before) => before < index && other.name === name && other.section === section));
  return [
    ...unreadable.map((bad) => findingOf(SHAPE_TEXTS.openEverest, {
      path: linePath(field, bad), problem: `the line ${JSON.stringify(bad.text.slice(0, 80))} is no setting`, fix: 'Write name = value',
    })),
    ...twice.map((setting) => findingOf(SHAPE_TEXTS.openEverest, {
      path: linePath(field, setting), problem: `${setting.name} stands twice`, fix: 'Keep one of the lines',
    })),
  ];
}
