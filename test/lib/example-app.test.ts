import { parseManifests, runExampleApp } from '../support/example-app';
import { itWithSchemas, MINORS, schemaErrors } from '../support/schema-oracle';

describe('the TypeScript example', () => {
  const files = runExampleApp();

  it('writes one file for each chart, as cdk8s does without options', () => {
    expect([...files.keys()]).toEqual(['billing.k8s.yaml', 'orders.k8s.yaml']);
  });

  for (const minor of MINORS) {
    itWithSchemas(`fits Kubernetes ${minor}, because people start from it`, () => {
      expect(schemaErrors(minor, parseManifests(files.get('billing.k8s.yaml')!))).toEqual([]);
      // The larger cluster says that it needs 1.31.
      if (minor !== '1.27') expect(schemaErrors(minor, parseManifests(files.get('orders.k8s.yaml')!))).toEqual([]);
    });
  }

  it('shows a patch that arrives, because a field without a prop must not be out of reach', () => {
    const member = parseManifests(files.get('orders.k8s.yaml')!).find(({ kind, metadata }) => kind === 'StatefulSet' && metadata.name === 'orders-1')!;
    expect(member.spec.template.spec.priorityClassName).toBe('databases');
  });
});
