/** What service accounts did, by the API server's audit log, against what their Roles allow. */

export interface AuditEntry {
  readonly stage: string;
  readonly verb: string;
  readonly user: { readonly username: string; readonly extra?: Readonly<Record<string, readonly string[]>> };
  readonly objectRef?: {
    readonly resource?: string; readonly subresource?: string; readonly namespace?: string; readonly name?: string;
    readonly apiGroup?: string;
  };
  readonly responseStatus?: { readonly code?: number };
  readonly requestReceivedTimestamp: string;
}

export interface RoleRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** Whole lines only: the last one may be half written. */
export function parseAudit(text: string): AuditEntry[] {
  return text.slice(0, text.lastIndexOf('\n') + 1).split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as AuditEntry);
}

/** One entry for each request: a watch tells of its start and of its end. */
export function requests(entries: readonly AuditEntry[]): AuditEntry[] {
  const counts = (entry: AuditEntry) => entry.stage === (entry.verb === 'watch' ? 'ResponseStarted' : 'ResponseComplete');
  return entries.filter((entry) => counts(entry) || refused(entry));
}

export function refused({ responseStatus }: AuditEntry): boolean {
  return responseStatus?.code === 403;
}

interface Right {
  readonly right: string;
  readonly names: readonly string[] | undefined;
}

/** Such as `patch configmaps` or `create pods/eviction`. */
export function rightOf({ verb, objectRef }: AuditEntry): string {
  const { resource = '?', subresource } = objectRef ?? {};
  return `${verb} ${subresource ? `${resource}/${subresource}` : resource}`;
}

/** Every verb on every resource that the rules give, one for each rule that gives it. */
function rightsGiven(rules: readonly RoleRule[]): Right[] {
  return rules.flatMap(({ resources, verbs, resourceNames }) =>
    resources.flatMap((resource) => verbs.map((verb) => ({ right: `${verb} ${resource}`, names: resourceNames }))));
}

/** Rights that no request needed. A right on named objects counts as used when one of its objects was asked for. */
export function unusedRights(rules: readonly RoleRule[], entries: readonly AuditEntry[]): string[] {
  const used = (right: string, names: readonly string[] | undefined) => entries.some((entry) =>
    rightOf(entry) === right && (names === undefined || names.includes(entry.objectRef?.name ?? '')));
  const unused = rightsGiven(rules).filter(({ right, names }) => !used(right, names));
  return [...new Set(unused.map(({ right, names }) => (names ? `${right} (${names.join(', ')})` : right)))].sort();
}
