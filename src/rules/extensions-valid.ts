import { SQL_NAME } from './names';
import type { PostgresRule, Violation } from './rule';
import { closest } from '../closest';
import type { PostgresExtension } from '../database';
import type { PostgresClusterProps } from '../postgres-cluster-props';
import { FIXED_SETTINGS } from '../resolve/parameters';
import { pickImage } from '../resolve/postgres';

/** What Debian's postgresql-17 brings: contrib, and nothing else. Read from the image. */
const IN_STANDARD_IMAGE = (
  'amcheck autoinc bloom btree_gin btree_gist citext cube dblink dict_int dict_xsyn earthdistance file_fdw fuzzystrmatch hstore '
  + 'insert_username intagg intarray isn lo ltree moddatetime pageinspect pg_buffercache pg_freespacemap pg_prewarm pg_stat_statements '
  + 'pg_surgery pg_trgm pg_visibility pg_walinspect pgcrypto pgrowlocks pgstattuple plpgsql postgres_fdw refint seg sslinfo tablefunc tcn '
  + 'tsm_system_rows tsm_system_time unaccent uuid-ossp xml2'
).split(' ');
/** The image of `images/postgres`, from any registry. What others have is not known here; the agent reports it. */
const STANDARD_IMAGE = /(^|\/)cdk8s-everest\/postgres:17(\.|$)/;
/** Extensions whose library must be there when the server starts, or they answer with errors only. */
const PRELOADED: readonly string[] = ['pg_stat_statements', 'pg_cron', 'pgaudit', 'timescaledb', 'pg_squeeze', 'citus'];
/** As in control files: letters, digits, `_` and `-`. */
const EXTENSION_NAME = /^[a-z][a-z0-9_-]{0,62}$/;
const VERSION = /^[0-9A-Za-z][0-9A-Za-z_.]*$/;

function spelling(name: string): string | undefined {
  return EXTENSION_NAME.test(name) ? undefined : `the extension is ${JSON.stringify(name)}`;
}

function absent(name: string, props: PostgresClusterProps): string | undefined {
  const image = pickImage(props)?.image ?? '';
  if (!STANDARD_IMAGE.test(image) || IN_STANDARD_IMAGE.includes(name)) return undefined;
  const meant = closest(name, IN_STANDARD_IMAGE);
  return `the image ${image} has no extension ${name}${meant ? `; did you mean ${meant}?` : ''}`;
}

/** As the server will have it; the names of settings know no case. */
function preloadLibraries({ parameters = {} }: PostgresClusterProps): string {
  const given = Object.entries(parameters).find(([name]) => name.toLowerCase() === 'shared_preload_libraries');
  return given?.[1] ?? FIXED_SETTINGS.shared_preload_libraries!;
}

function unloaded({ name }: PostgresExtension, props: PostgresClusterProps): Violation[] {
  const libraries = preloadLibraries(props);
  const loaded = libraries.split(',').map((library) => library.trim().replace(/^["']|["']$/g, ''));
  if (!PRELOADED.includes(name) || loaded.includes(name)) return [];
  return [{
    path: ['name'],
    problem: `${name} works only when the server loads it at its start, and shared_preload_libraries is ${JSON.stringify(libraries)}`,
    consequence: 'The extension would be there, and every use of it an error',
    fix: `Set parameters.shared_preload_libraries to ${JSON.stringify([...loaded.filter(Boolean), name].join(','))}; members then need a restart`,
  }];
}

function extensionViolations(extension: PostgresExtension, twice: boolean,
  props: PostgresClusterProps): Violation[] {
  const { name, version, schema } = extension;
  const problem = spelling(name) ?? (twice ? `the extension ${name} stands twice` : absent(name, props));
  return [
    ...(problem === undefined ? unloaded(extension, props) : [{ path: ['name'], problem }]),
    ...(version === undefined || VERSION.test(version)
      ? [] : [{ path: ['version'], problem: `the version of ${name} is ${JSON.stringify(version)}` }]),
    ...(schema === undefined || (SQL_NAME.test(schema) && !schema.startsWith('pg_'))
      ? [] : [{ path: ['schema'], problem: `the schema of ${name} is ${JSON.stringify(schema)}` }]),
  ];
}

export const extensionsValid: PostgresRule = {
  code: 'EV1309',
  title: 'An extension that cannot be made',
  cause: 'An extension is misspelled, stands twice, is not in the standard image, or needs a library that the server does not load.',
  consequence: 'CREATE EXTENSION would fail on the living cluster, or the extension would not work',
  fix: 'Correct the name, or use an image that has it (image)',
  check: ({ props }) => (props.databases ?? []).flatMap(({ extensions = [] }, database) =>
    extensions.flatMap((extension, index) => {
      const twice = extensions.findIndex(({ name }) => name === extension.name) !== index;
      return extensionViolations(extension, twice, props)
        .map((found) => ({ ...found, path: ['databases', database, 'extensions', index, ...found.path] }));
    })),
};
