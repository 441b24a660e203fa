/*
 * YAML for configuration files inside of ConfigMaps. cdk8s renders the manifests themselves; its writer builds a syntax
 * tree first, and one patroni.yml cost as much that way as everything else of a cluster together.
 */

/** Words that YAML 1.1, which Python reads, takes for something else than text. */
const WORDS = /^(y|yes|n|no|on|off|true|false|null|[e_][-+.0-9e_]*)$/i;
/** Text that needs no quotes in any version of YAML: words and paths, and nowhere a `: ` or a `#`. */
const PLAIN = /^[A-Za-z_/](?:[A-Za-z0-9_./@%+,=() -]|:(?=[A-Za-z0-9_./:]))*(?<! )$/;
/** An amount with its unit, such as 15min. */
const AMOUNT = /^\d+(B|kB|MB|GB|TB|us|ms|s|min|h|d)$/;
/** Line breaks and control characters of YAML that JSON leaves as they are. */
const UNPRINTABLE = /[\u007f-\u00a0\u2028\u2029\ufeff\ufffe\uffff]/g;

function quoted(text: string): string {
  return JSON.stringify(text).replace(UNPRINTABLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function scalar(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  return (PLAIN.test(value) && !WORDS.test(value)) || AMOUNT.test(value) ? value : quoted(value);
}

function isBlock(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0;
}

/** Adds the lines of a value: the first one after `first`, which is a dash or a place in a map, the others indented. */
function write(lines: string[], value: unknown, first: string, indent: string): void {
  const startOf = (index: number) => (index === 0 ? first : indent);
  if (!isBlock(value)) {
    lines.push(first + scalar(value));
  } else if (Array.isArray(value)) {
    value.forEach((item, index) => write(lines, item, `${startOf(index)}- `, `${indent}  `));
  } else {
    Object.entries(value).forEach(([key, each], index) => writeEntry(lines, `${startOf(index)}${scalar(key)}:`, each, `${indent}  `));
  }
}

function writeEntry(lines: string[], start: string, value: unknown, indent: string): void {
  if (!isBlock(value)) {
    lines.push(`${start} ${scalar(value)}`);
    return;
  }
  lines.push(start);
  write(lines, value, indent, indent);
}

/** Maps, lists, texts, numbers and truth values as YAML that every version of it reads alike. */
export function renderYaml(value: object): string {
  const lines: string[] = [];
  write(lines, value, '', '');
  return [...lines, ''].join('\n');
}
