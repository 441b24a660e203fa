import { Chart } from 'cdk8s';
import { Construct } from 'constructs';
import { createCluster } from './create-cluster';
import { readClusters } from './document/read';
import { EverestError } from './errors';
import { MariaDbCluster } from './mariadb-cluster';
import { PostgresCluster } from './postgres-cluster';
import { PxcCluster } from './pxc-cluster';

/** How a `DatabaseCluster` document is read. */
export interface FromYamlOptions {
  /**
   * What errors call the text, such as its file's name.
   *
   * @default document
   */
  readonly fileName?: string;
}

/**
 * The clusters of `DatabaseCluster` documents, `everest.io/v1alpha1` or OpenEverest's `everest.percona.com/v1alpha1`:
 * for people who write YAML and get the same.
 */
export class DatabaseCluster extends Construct {
  /**
   * Reads one or several documents and creates a cluster for each. Every field that is not supported is an error.
   *
   * @param yaml text with the documents
   */
  public static fromYaml(scope: Construct, id: string, yaml: string, options: FromYamlOptions = {}): DatabaseCluster {
    return new DatabaseCluster(scope, id, String(yaml), options);
  }

  /** The clusters with the engine `postgresql`, in the order of the documents. */
  public readonly clusters: PostgresCluster[];

  /** The clusters with the engine `mariadb`. */
  public readonly mariaDbClusters: MariaDbCluster[];

  /** The clusters with the engine `percona-xtradb-cluster`. */
  public readonly pxcClusters: PxcCluster[];

  private constructor(scope: Construct, id: string, yaml: string, options: FromYamlOptions) {
    super(scope, id);
    const { clusters, findings } = readClusters(yaml, { file: options.fileName, namespace: Chart.of(this).namespace });
    if (findings.length > 0) throw new EverestError(findings, this.node.path);
    const ids = clusters.map(({ name, namespace }) => `${namespace}-${name}`);
    // A second cluster of one name gets an id of its own, so that the error about it is ours and not one about ids.
    const created = clusters.map((document, index) =>
      createCluster(this, ids.indexOf(ids[index]!) === index ? ids[index]! : `${ids[index]}-${index}`, document).cluster);
    this.clusters = created.filter((cluster) => cluster instanceof PostgresCluster);
    this.mariaDbClusters = created.filter((cluster) => cluster instanceof MariaDbCluster);
    this.pxcClusters = created.filter((cluster) => cluster instanceof PxcCluster);
  }
}
