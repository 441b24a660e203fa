/** Every suite by its name; later parts of the project add theirs here. */
import type { ManifestSource } from '../kit/manifests';
import type { Suite } from '../kit/suite';
import { manifestsSuite } from './manifests';
import { smokeSuite } from './smoke';

export const SUITES: Readonly<Record<string, (manifests: ManifestSource) => Suite>> = {
  smoke: smokeSuite,
  manifests: manifestsSuite,
};
