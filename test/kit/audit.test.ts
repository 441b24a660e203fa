import { parseAudit, refused, requests, rightOf, unusedRights, type AuditEntry } from '../e2e/kit/audit';

interface More {
  readonly name?: string;
  readonly stage?: string;
  readonly code?: number;
  readonly subresource?: string;
}

function entry(verb: string, resource: string, more: More = {}): AuditEntry {
  const { name, stage = 'ResponseComplete', code = 200, subresource } = more;
  const objectRef = { resource, ...(name ? { name } : {}), ...(subresource ? { subresource } : {}) };
  return { verb, stage, objectRef, responseStatus: { code }, user: { username: 'somebody' }, requestReceivedTimestamp: '' };
}

describe('the audit log', () => {
  it('is read without its last line while the API server is writing that', () => {
    expect(parseAudit('{"verb":"get"}\n{"verb":"li')).toEqual([{ verb: 'get' }]);
  });

  it('counts a watch once, because it is told of at its start and at its end', () => {
    const log = [entry('watch', 'pods', { stage: 'ResponseStarted' }), entry('watch', 'pods'), entry('get', 'pods')];
    expect(requests(log)).toHaveLength(2);
  });

  it('counts a watch that was refused, although it never started', () => {
    expect(requests([entry('watch', 'pods', { code: 403 })]).filter(refused)).toHaveLength(1);
  });
});

describe('unused rights', () => {
  const rules = [
    { apiGroups: [''], resources: ['pods'], verbs: ['get', 'patch'] },
    { apiGroups: [''], resources: ['pods/eviction'], resourceNames: ['orders-1-0', 'orders-2-0'], verbs: ['create'] },
  ];

  it('are verbs that no request needed, with the names that they are bound to', () => {
    expect(unusedRights(rules, [entry('get', 'pods')])).toEqual(['create pods/eviction (orders-1-0, orders-2-0)', 'patch pods']);
  });

  it('end with one request for one of the named objects, because the others are of the same kind', () => {
    const evicted = entry('create', 'pods', { subresource: 'eviction', name: 'orders-2-0' });
    expect(rightOf(evicted)).toBe('create pods/eviction');
    expect(unusedRights(rules, [entry('get', 'pods'), entry('patch', 'pods'), evicted])).toEqual([]);
  });

  it('do not end with a request for another object', () => {
    const other = entry('create', 'pods', { subresource: 'eviction', name: 'billing-1-0' });
    expect(unusedRights(rules, [other])).toContain('create pods/eviction (orders-1-0, orders-2-0)');
  });
});
