import { isLabelValue, isQualifiedName } from './names';
import type { PostgresRule, Violation } from './rule';

type StringMap = { readonly [key: string]: string };

function brokenKeys(field: string, map: StringMap = {}): Violation[] {
  return Object.keys(map).filter((key) => !isQualifiedName(key)).map((key) => ({
    path: [field, key],
    problem: `${JSON.stringify(key)} is not a key that Kubernetes takes`,
    fix: 'Use letters, digits, "-", "_" and "." (at most 63), with an optional DNS prefix and "/"',
  }));
}

function brokenValues(field: string, map: StringMap = {}): Violation[] {
  return Object.entries(map).filter(([, value]) => !isLabelValue(value)).map(([key, value]) => ({
    path: [field, key],
    problem: `the value ${JSON.stringify(value)} is not one that a label can have`,
    fix: 'Use at most 63 letters, digits, "-", "_" and ".", or an annotation',
  }));
}

export const metadataValid: PostgresRule = {
  code: 'EV1105',
  title: 'A label or annotation that Kubernetes would refuse',
  cause: 'A key or value in labels, annotations, serviceAnnotations or replicaServiceAnnotations has characters or a length that are not allowed.',
  consequence: 'Kubernetes would refuse the objects',
  fix: 'Correct the key or the value',
  check: ({ props }) => [
    ...(['labels', 'annotations', 'serviceAnnotations', 'replicaServiceAnnotations'] as const).flatMap((field) => brokenKeys(field, props[field])),
    ...brokenValues('labels', props.labels),
  ],
};
