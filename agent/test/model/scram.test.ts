import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { createHash, createHmac } from 'node:crypto';
import { test } from 'node:test';
import { randomPassword, saslPrep, scramMatches, scramVerifier } from '../../src/model/scram.js';

/** RFC 7677, section 3: user "user", password "pencil". */
const RFC = {
  salt: 'W22ZaJ0SNY7soEsUEjb6gQ==', iterations: 4096,
  proof: 'dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=', signature: '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
  messages: 'n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,'
    + 'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
};
const salt = Buffer.from(RFC.salt, 'base64');

function hmac(key: Buffer): Buffer {
  return createHmac('sha256', key).update(RFC.messages).digest();
}

test('gives the keys of RFC 7677, so that every client can log in', () => {
  const [, stored, server] = /\$([^:$]+):([^:$]+)$/.exec(scramVerifier('pencil', salt, RFC.iterations))!;
  assert.equal(hmac(Buffer.from(server!, 'base64')).toString('base64'), RFC.signature);
  // The proof of the client, taken back, is the key whose hash is stored.
  const signature = hmac(Buffer.from(stored!, 'base64'));
  // eslint-disable-next-line no-bitwise -- the RFC's own operation
  const clientKey = Buffer.from(RFC.proof, 'base64').map((byte, index) => byte ^ signature[index]!);
  assert.equal(createHash('sha256').update(clientKey).digest('base64'), stored);
});

test('writes the same text as the members do', () => {
  assert.equal(scramVerifier('pencil', salt), 'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=');
});

test('knows its own password and no other', () => {
  const stored = scramVerifier('secret');
  assert.equal(scramMatches(stored, 'secret'), true);
  assert.equal(scramMatches(stored, 'Secret'), false);
});

for (const stored of [undefined, '', 'md5aabbcc', 'SCRAM-SHA-256$', 'secret']) {
  test(`takes ${JSON.stringify(stored)} for no verifier, so that it is replaced`, () => assert.equal(scramMatches(stored, 'secret'), false));
}

for (const [given, prepared] of [
  ['I\u00adX', 'IX'], ['user', 'user'], ['\u00aa', 'a'], ['\u2168', 'IX'], ['a\u00a0b', 'a b'], ['a\u0007b', 'a\u0007b'], ['é\u0007', 'é\u0007'], ['\u00ad', '\u00ad'],
] as const) {
  test(`prepares ${JSON.stringify(given)} as RFC 4013 and PostgreSQL do`, () => assert.equal(saslPrep(given), prepared));
}

test('makes passwords that need no escape anywhere, and no two alike', () => {
  const made = Array.from({ length: 50 }, randomPassword);
  assert.equal(new Set(made).size, 50);
  made.forEach((password) => assert.match(password, /^[A-Za-z0-9]{32}$/));
});
