import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Chart, Yaml } from 'cdk8s';
import { createCluster } from '../create-cluster';
import { badInvocation, fileProblem } from './failure';
import { checkChanges, readManifests } from './previous';
import { parseOverride } from '../document/overrides';
import { readClusters, readReferences, type ClusterDocument } from '../document/read';
import { mergeReferences } from '../document/references';
import type { Override } from '../document/yaml-source';
import { EverestError, type Finding } from '../errors';
import type { Manifest } from '../parts/manifest';

export interface SynthOptions {
  readonly files: readonly string[];
  readonly output?: string;
  readonly set: readonly string[];
  readonly namespace?: string;
  readonly previous?: string;
}

interface SynthesizedCluster {
  readonly document: ClusterDocument;
  readonly manifests: Manifest[];
}

/** A file of the output, whole. */
interface OutputFile {
  readonly name: string;
  readonly text: string;
}

/** `-` is standard input. */
function readText(file: string): { text: string } | Finding {
  try {
    return { text: readFileSync(file === '-' ? 0 : file, 'utf8') };
  } catch (error) {
    return fileProblem(file === '-' ? 'standard input' : file, error);
  }
}

function overridesOf(texts: readonly string[]): { overrides: Override[]; findings: Finding[] } {
  const parsed = texts.map((text) => ({ text, override: parseOverride(text) }));
  return {
    overrides: parsed.flatMap(({ override }) => (override ? [override] : [])),
    findings: parsed.filter(({ override }) => !override)
      .map(({ text }) => badInvocation(`--set ${text} is not path=value`, 'Write, say, --set spec.storage.size=1Gi')),
  };
}

function readAll(options: SynthOptions): { clusters: ClusterDocument[]; findings: Finding[] } {
  const { overrides, findings } = overridesOf(options.set);
  if (findings.length > 0) return { clusters: [], findings };
  const sources = options.files.map((file) => ({ file: file === '-' ? 'stdin' : file, source: readText(file) }));
  // A storage may be described in another file than its clusters.
  const references = mergeReferences(...sources.flatMap(({ source }) => ('text' in source ? [readReferences(source.text)] : [])));
  const results = sources.map(({ file, source }) => {
    if ('code' in source) return { clusters: [], findings: [source] };
    return readClusters(source.text, { file, overrides, namespace: options.namespace, references });
  });
  return {
    clusters: results.flatMap(({ clusters }) => clusters),
    findings: results.flatMap((result) => result.findings),
  };
}

/** The objects of each cluster, or why two of them cannot be together. */
function synthesize(clusters: readonly ClusterDocument[]): { synthesized: SynthesizedCluster[]; findings: Finding[] } {
  const app = new App();
  const findings: Finding[] = [];
  const synthesized = clusters.flatMap((document, index): SynthesizedCluster[] => {
    const chart = new Chart(app, `document ${index + 1} (${document.position})`);
    try {
      const { cluster, pooler } = createCluster(chart, document.name, document);
      const objects = [...cluster.objects, ...pooler?.objects ?? []];
      return [{ document, manifests: objects.map((object) => object.toJson() as Manifest) }];
    } catch (error) {
      if (!(error instanceof EverestError)) throw error;
      findings.push(...error.findings.map((finding) => ({ ...finding, position: document.position })));
      return [];
    }
  });
  return { synthesized, findings };
}

function isVolume(manifest: Manifest): boolean {
  return manifest.kind === 'PersistentVolumeClaim';
}

/**
 * Volumes have a file of their own, so that `kubectl delete -f` of the other one leaves the data in place. Neither
 * namespaces nor names hold dots, so no two clusters share a file.
 */
function outputFiles({ document, manifests }: SynthesizedCluster): OutputFile[] {
  const name = `${document.namespace}.${document.name}`;
  return [
    { name: `${name}.volumes.yaml`, text: Yaml.stringify(...manifests.filter(isVolume)) },
    { name: `${name}.yaml`, text: Yaml.stringify(...manifests.filter((manifest) => !isVolume(manifest))) },
  ];
}

/** Each file appears whole or not at all. */
function writeFiles(folder: string, files: readonly OutputFile[]): Finding[] {
  try {
    mkdirSync(folder, { recursive: true });
    const staged = files.map((file) => ({ ...file, temporary: join(folder, `.${file.name}.tmp`) }));
    for (const { temporary, text } of staged) writeFileSync(temporary, text);
    for (const { temporary, name } of staged) renameSync(temporary, join(folder, name));
    return [];
  } catch (error) {
    return [fileProblem(folder, error)];
  }
}

/** What is there already under the same names: given by --previous, else what lies in the output folder. */
function changeFindings(options: SynthOptions, synthesized: readonly SynthesizedCluster[]): Finding[] {
  const path = options.previous ?? options.output;
  if (path === undefined) return [];
  try {
    return checkChanges(readManifests(path), synthesized.flatMap(({ manifests }) => manifests));
  } catch (error) {
    return [fileProblem(path, error)];
  }
}

/** Text for standard output, or files in a folder; with any finding neither. */
export function synth(options: SynthOptions): { stdout: string; written: string[]; findings: Finding[] } {
  const failed = (findings: Finding[]) => ({ stdout: '', written: [], findings });
  if (options.files.length === 0) return failed([badInvocation('synth needs a file', 'Name a file, or - for standard input')]);
  const { clusters, findings } = readAll(options);
  if (findings.length > 0) return failed(findings);
  const { synthesized, findings: clashes } = synthesize(clusters);
  if (clashes.length > 0) return failed(clashes);
  const changes = changeFindings(options, synthesized);
  if (changes.length > 0) return failed(changes);
  if (options.output === undefined) {
    return { stdout: Yaml.stringify(...synthesized.flatMap(({ manifests }) => manifests)), written: [], findings: [] };
  }
  const files = synthesized.flatMap(outputFiles);
  const problems = writeFiles(options.output, files);
  if (problems.length > 0) return failed(problems);
  return { stdout: '', written: files.map(({ name }) => join(options.output!, name)), findings: [] };
}
