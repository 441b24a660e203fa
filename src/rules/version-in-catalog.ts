import type { PostgresRule } from './rule';

export const versionInCatalog: PostgresRule = {
  code: 'EV1401',
  title: 'A version without an image',
  cause: 'The catalog has no image for the version, or it has no image at all.',
  consequence: 'There is nothing to run; another version in its place would be a guess with your data',
  fix: 'Choose a version of the catalog, or add an image of your own: image in a document, ImageCatalog.standard().withImages({ version, image }) in code (docs/guide/images.md)',
  check: ({ props, catalog }) => {
    if (props.image) return [];
    const versions = catalog.versions();
    if (versions.length === 0) return [{ path: ['imageCatalog'], problem: 'the catalog is empty' }];
    if (props.version === undefined || catalog.find(props.version)) return [];
    return [{ path: ['version'], problem: `the catalog has no PostgreSQL ${JSON.stringify(props.version)}; it has ${versions.join(', ')}` }];
  },
};
