import { App, Chart, Testing } from 'cdk8s';
import { parseAllDocuments, stringify } from 'yaml';
import { blocksIn, nameOf, type Block } from './pages';
import { DatabaseCluster } from '../../src';
import { EverestError } from '../../src/errors';
import { itWithSchemas, MINORS, schemaErrors } from '../support/schema-oracle';

/*
 * Every yaml block parses. A DatabaseCluster gives manifests (`fails=EV1203`: that error instead); `fixture=document`
 * marks a part of one, which is laid over the smallest document. Objects of Kubernetes fit its schemas.
 */
type Tree = Record<string, unknown>;

const SMALLEST: Tree = {
  apiVersion: 'everest.io/v1alpha1',
  kind: 'DatabaseCluster',
  metadata: { name: 'orders', namespace: 'shop' },
  spec: { engine: 'postgresql', storage: { size: '100Gi' } },
};
/** Kinds of other projects, which the schemas of Kubernetes do not have. */
const FOREIGN = /^(argoproj\.io|kustomize\.toolkit\.fluxcd\.io|source\.toolkit\.fluxcd\.io|kustomize\.config\.k8s\.io)\//;

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function overlay(base: Tree, over: Tree): Tree {
  const keys = [...new Set([...Object.keys(base), ...Object.keys(over)])];
  return Object.fromEntries(keys.map((key) => {
    const [below, above] = [base[key], over[key]];
    if (above === undefined) return [key, below];
    return [key, isTree(below) && isTree(above) ? overlay(below, above) : above];
  }));
}

function documentsOf({ text, info }: Block): Tree[] {
  const documents = parseAllDocuments(text).map((document) => {
    if (document.errors.length > 0) throw document.errors[0]!;
    return document.toJS() as Tree;
  });
  return info.fixture === 'document' ? documents.map((document) => overlay(SMALLEST, document)) : documents;
}

function codesOf(text: string): string[] {
  try {
    const chart = new Chart(new App({ outdir: 'never-written' }), 'chart');
    DatabaseCluster.fromYaml(chart, 'clusters', text);
    Testing.synth(chart);
    return [];
  } catch (error) {
    if (error instanceof EverestError) return error.codes;
    throw error;
  }
}

const blocks = blocksIn('yaml');
const isOurs = (block: Block) => block.info.fixture === 'document' || /^kind: DatabaseCluster$/m.test(block.text);

describe('YAML of the pages', () => {
  it.each(blocks.filter(isOurs).map((block) => [nameOf(block), block] as const))('%s gives manifests, or the error that it announces', (_, block) => {
    const text = block.info.fixture === 'document' ? documentsOf(block).map((document) => stringify(document)).join('---\n') : block.text;
    expect(codesOf(text)).toEqual(block.info.fails ? block.info.fails.split(',') : []);
  });

  it.each(blocks.map((block) => [nameOf(block), block] as const))('%s parses', (_, block) => {
    expect(documentsOf(block).every(isTree)).toBe(true);
  });

  itWithSchemas('objects of Kubernetes are valid in all versions', () => {
    const objects = blocks.filter((block) => !isOurs(block)).flatMap(documentsOf)
      .filter(({ apiVersion, kind }) => typeof kind === 'string' && !FOREIGN.test(String(apiVersion)));
    expect(objects.length).toBeGreaterThan(0);
    expect(MINORS.flatMap((minor) => schemaErrors(minor, objects))).toEqual([]);
  });
});
