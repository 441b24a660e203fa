import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ROTATION_ANNOTATION, type DeclaredRotation } from '../../../src/contract/declared-sql.js';
import cases from '../../../test/support/rotation-cases.json' with { type: 'json' };
import { nextPasswordStep } from '../../src/decide/password.js';
import { scramVerifier } from '../../src/model/scram.js';
import type { ServerCatalog } from '../../src/model/sql-catalog.js';
import { CONNECTION, role } from '../support/declared.js';

interface Case {
  readonly case: string;
  readonly everySeconds?: number;
  readonly oldValidForSeconds?: number;
  readonly user: string;
  readonly age?: number;
  readonly asked?: boolean;
  readonly usable: readonly string[];
  readonly expected: readonly string[];
}

const NOW = Date.parse('2026-01-01T00:00:00Z');

function annotationsOf({ age, asked }: Case): Record<string, string> {
  return {
    ...(age === undefined ? {} : { [ROTATION_ANNOTATION.rotatedAt]: new Date(NOW - age * 1000).toISOString() }),
    ...(asked ? { [ROTATION_ANNOTATION.request]: 'now' } : {}),
  };
}

/** Members of Galera clusters decide the same way: test/scripts/test_galera_passwords.py. */
for (const each of cases as Case[]) {
  test(`rotation: ${each.case}`, () => {
    const { everySeconds, oldValidForSeconds } = each;
    const logins = ['app', 'app_a', 'app_b'].map((name) => (
      { name, verifier: each.usable.includes(name) ? scramVerifier('secret') : undefined }));
    const values = { ...CONNECTION, 'user': each.user, 'password': 'secret', 'uri': 'u', 'jdbc-uri': 'j' };
    const secret = { name: 'orders-app', resourceVersion: '1', values, annotations: annotationsOf(each) };
    const step = nextPasswordStep(role('app', { rotation: { everySeconds, oldValidForSeconds } as DeclaredRotation }), secret,
      { roles: logins } as unknown as ServerCatalog, NOW);
    const which = step.kind === 'rotate' ? [step.to] : step.kind === 'retire' ? [step.login] : [];
    assert.deepEqual([step.kind, ...which], each.expected);
  });
}
