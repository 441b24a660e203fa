/** The same for the agent's properties as test/support/property-seed.ts for the library's. */
import fc from 'fast-check';

const given = process.env.EVEREST_SEED ?? '1';

fc.configureGlobal({ seed: given === 'random' ? Date.now() % 2 ** 31 : Number(given) });
