/**
 * SCRAM-SHA-256 verifiers (RFC 5802, RFC 7677), so that no clear-text password reaches a server or its log. The members
 * make the same in Python when a cluster starts.
 */
import { Buffer } from 'node:buffer';
import { createHash, createHmac, pbkdf2Sync, randomBytes, randomInt } from 'node:crypto';

/** PostgreSQL's own default (scram_iterations); a stored verifier is compared with its own count. */
const ITERATIONS = 4096;
const SALT_BYTES = 16;
const PASSWORD_LENGTH = 32;
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** RFC 3454: C.1.2 becomes a space, B.1 nothing, C.2 is prohibited. */
const SPACES = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/gu;
const NOTHING = new RegExp('[\\u00ad\\u034f\\u1806\\u180b-\\u180d\\u200c\\u200d\\u2060\\ufe00-\\ufe0f\\ufeff]', 'gu');
const PROHIBITED = /[\p{Cc}\p{Cn}\u06dd\u070f\u180e\u2028\u2029\u2061-\u2063\u206a-\u206f\ufff9-\ufffc]/u;

/**
 * SASLprep (RFC 4013) as PostgreSQL does it: a text that the profile refuses is taken unchanged. Characters that came
 * after Unicode 3.2 are refused by the profile and not known as such here; normalization leaves nearly all of them as
 * they are, so that the result is the same.
 */
export function saslPrep(password: string): string {
  // eslint-disable-next-line no-control-regex -- ASCII is exactly this range
  if (/^[\x00-\x7f]*$/.test(password)) return password;
  const normal = password.replace(SPACES, ' ').replace(NOTHING, '').normalize('NFKC');
  return normal === '' || PROHIBITED.test(normal) ? password : normal;
}

/** The text that PostgreSQL keeps in pg_authid.rolpassword. */
export function scramVerifier(password: string, salt: Buffer = randomBytes(SALT_BYTES),
  iterations = ITERATIONS): string {
  const salted = pbkdf2Sync(saslPrep(password), salt, iterations, 32, 'sha256');
  const keyed = (text: string) => createHmac('sha256', salted).update(text).digest();
  const stored = createHash('sha256').update(keyed('Client Key')).digest();
  const [one, two, three] = [salt, stored, keyed('Server Key')].map((part) => part.toString('base64'));
  return `SCRAM-SHA-256$${iterations}:${one}$${two}:${three}`;
}

export function scramMatches(stored: string | undefined, password: string): boolean {
  const [, iterations, salt] = /^SCRAM-SHA-256\$(\d+):([A-Za-z0-9+/=]+)\$/.exec(stored ?? '') ?? [];
  return salt !== undefined && scramVerifier(password, Buffer.from(salt, 'base64'), Number(iterations)) === stored;
}

/** Letters and digits: safe in URIs, shells and configuration files. 190 bits. */
export function randomPassword(): string {
  return Array.from({ length: PASSWORD_LENGTH }, () => LETTERS[randomInt(LETTERS.length)]).join('');
}
