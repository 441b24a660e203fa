import { MEMBER_PATHS } from '../../../src/contract/backup';
import { FILES } from '../../../src/render/files';

test('the agent reads pgBackRest\'s configuration where the members have it', () => {
  expect(`${FILES.folder}/${FILES.pgbackrest}`).toBe(MEMBER_PATHS.pgbackrest);
});
