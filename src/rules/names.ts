/** Lower-case letters, digits and `-`, as RFC 1123 has it for labels. */
export const DNS_LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
/** As a DNS label, but starting with a letter: Services want it so. */
export const DNS_LABEL_LETTER = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
/** Dots allowed, as RFC 1123 has it for subdomains. */
export const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
/** Names of roles and databases that never need quotes. */
export const SQL_NAME = /^[a-z_][a-z0-9_]{0,62}$/;

const LABEL_NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

/** `prefix/name` with an optional prefix, as label and annotation keys are. */
export function isQualifiedName(key: string): boolean {
  const parts = key.split('/');
  const [prefix, name] = parts.length === 2 ? parts : [undefined, parts[0]];
  if (parts.length > 2 || !LABEL_NAME.test(name!)) return false;
  return prefix === undefined || (prefix.length <= 253 && DNS_SUBDOMAIN.test(prefix));
}

export function isLabelValue(value: string): boolean {
  return value === '' || LABEL_NAME.test(value);
}
