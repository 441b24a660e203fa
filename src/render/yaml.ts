/*
 * YAML for configuration files inside of ConfigMaps. cdk8s renders the manifests themselves; its writer builds a syntax
 * tree first, and one patroni.yml cost as much that way as everything else of a cluster together.
 */

/** Words that YAML 1.1, which Python reads, takes for something else than text. */
const WORDS = /^(y|yes|n|no|on|off|true|false|null|[e_][0-9e_]*)$/i;
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

function entryText(key: string, value: unknown, indent: string): string {
  return isBlock(value) ? `${scalar(key)}:\n${indent}  ${textOf(value, `${indent}  `)}` : `${scalar(key)}: ${scalar(value)}`;
}

/** All lines but the first begin with the indent: the first one follows a key's line break or a dash. */
function textOf(value: unknown, indent: string): string {
  if (!isBlock(value)) return scalar(value);
  const parts = Array.isArray(value)
    ? value.map((item) => `- ${textOf(item, `${indent}  `)}`)
    : Object.entries(value).map(([key, each]) => entryText(key, each, indent));
  return parts.join(`\n${indent}`);
}

/** Maps, lists, texts, numbers and truth values as YAML that every version of it reads alike. */
export function renderYaml(value: object): string {
  return `${textOf(value, '')}\n`;
}
