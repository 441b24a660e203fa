const TRUE = ['true', 'yes', 'on', '1'];
const FALSE = ['false', 'no', 'off', '0'];

/** A truth value as PostgreSQL reads it: every prefix of these words but `o`, which could be either. */
export function parseBoolean(text: string): boolean | undefined {
  const word = text.trim().toLowerCase();
  if (word === '' || word === 'o') return undefined;
  if (TRUE.some((each) => each.startsWith(word))) return true;
  return FALSE.some((each) => each.startsWith(word)) ? false : undefined;
}
