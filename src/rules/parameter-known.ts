import { suggestion } from '../closest';
import type { PostgresRule } from './rule';
import { postgresSettings } from '../render/postgres-settings';

const NAME = /^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_$]*)?$/;

export const parameterKnown: PostgresRule = {
  code: 'EV1302',
  title: 'A setting that PostgreSQL does not know',
  cause: 'A name in parameters is not in postgresql.conf of PostgreSQL 13 to 17 and not of an extension (extension.setting), or stands twice.',
  consequence: 'PostgreSQL would refuse to start with it',
  fix: 'Correct the name',
  check: ({ props }) => Object.keys(props.parameters ?? {}).flatMap((name, index, names) => {
    const path = ['parameters', name];
    if (!NAME.test(name)) return [{ path, problem: `${JSON.stringify(name)} is not a name of a setting` }];
    const first = names.findIndex((other) => other.toLowerCase() === name.toLowerCase());
    if (first !== index) {
      return [{
        path, problem: `${name} is the same setting as ${names[first]}`,
        consequence: 'Which of the two values counts would be chance', fix: 'Leave one of them out',
      }];
    }
    if (name.includes('.') || postgresSettings().has(name.toLowerCase())) return [];
    return [{ path, problem: `PostgreSQL has no setting ${name}${suggestion(name, postgresSettings().keys())}` }];
  }),
};
