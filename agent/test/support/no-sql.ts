/** For tests in which no member may be asked by SQL. */
import type { Hands } from '../../src/execute/executor.js';

export const noSql: Hands['sql'] = { session: () => Promise.reject(new Error('no SQL in this test')) };
