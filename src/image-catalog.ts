/**
 * A container image that members can run. What must be inside is written down in docs/adr/0003-image-contract.md:
 * PostgreSQL, Patroni 4 or newer, pgBackRest, and Python 3 with psycopg.
 */
export interface PostgresImage {
  /** Reference, with a tag or a digest: `cdk8s-everest/postgres:17.11`. */
  readonly image: string;

  /** Version of PostgreSQL inside, such as `17.11`. */
  readonly version: string;

  /**
   * Digest that `image` must have, such as `sha256:…`. It is added to the reference, so that a moved tag changes
   * nothing.
   *
   * @default - none: the tag decides
   */
  readonly digest?: string;

  /**
   * User and group of the processes.
   *
   * @default 10026
   */
  readonly uid?: number;

  /**
   * Folder of PostgreSQL's programs.
   *
   * @default - /usr/lib/postgresql/<major>/bin
   */
  readonly binDirectory?: string;

  /**
   * Path of tini inside. Members run it with `-s`, so that PostgreSQL ends when Patroni does.
   *
   * @default /usr/bin/tini
   */
  readonly tini?: string;

  /**
   * Operating system and the version of its collations, such as `debian-13/glibc-2.41`. Indexes on text are only valid
   * for one of them; with another one they have to be rebuilt.
   *
   * @default - unknown: the check is left out
   */
  readonly collationFingerprint?: string;

  /**
   * SPDX expression of what is inside.
   *
   * @default - unknown
   */
  readonly license?: string;

  /**
   * Where the image is built from.
   *
   * @default - unknown
   */
  readonly source?: string;
}

/** The image that this project builds from `images/postgres` for one version. */
function ownImage(version: string): PostgresImage {
  return {
    version,
    image: `cdk8s-everest/postgres:${version}`,
    collationFingerprint: 'debian-13/glibc-2.41',
    license: 'PostgreSQL AND MIT AND Apache-2.0',
    source: 'images/postgres',
  };
}

/**
 * Which image serves which version of PostgreSQL.
 */
export class ImageCatalog {
  /**
   * The images of this project. `images/postgres` builds 17.11 from Debian's packages; for 14.5 it needs a base image
   * with PostgreSQL 14.5 packages, and was not run.
   */
  public static standard(): ImageCatalog {
    return new ImageCatalog([ownImage('14.5'), ownImage('17.11')]);
  }

  /** A catalog of images of your own; the last one for a version counts. */
  public static of(...images: PostgresImage[]): ImageCatalog {
    return new ImageCatalog(images);
  }

  private constructor(private readonly entries: PostgresImage[]) {}

  /** This catalog and more images. */
  public withImages(...images: PostgresImage[]): ImageCatalog {
    return new ImageCatalog([...this.entries, ...images]);
  }

  /**
   * This catalog with every reference behind a mirror: `mirror.example/team` gives
   * `mirror.example/team/cdk8s-everest/postgres:17.11`.
   */
  public withRegistry(prefix: string): ImageCatalog {
    const base = prefix.replace(/\/+$/, '');
    return new ImageCatalog(this.entries.map((entry) => ({ ...entry, image: `${base}/${entry.image}` })));
  }

  /** Versions in the catalog, oldest first. */
  public versions(): string[] {
    return [...new Set(this.entries.map((entry) => entry.version))].sort(compareVersions);
  }

  /**
   * The image of exactly this version, or the newest one of a major version such as `17`; undefined where there is
   * none.
   */
  public find(version: string): PostgresImage | undefined {
    const newest = this.versions().filter((known) => known === version || known.split('.')[0] === version).pop();
    return this.entries.filter((entry) => entry.version === newest).pop();
  }

  /**
   * @internal
   */
  public _entries(): readonly PostgresImage[] {
    return this.entries;
  }
}

/** One for all comparisons: to make one takes longer than to compare. */
const COLLATOR = new Intl.Collator('en', { numeric: true });

function compareVersions(a: string, b: string): number {
  return COLLATOR.compare(a, b);
}
