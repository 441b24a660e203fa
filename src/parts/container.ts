import type { ResolvedResources } from '../resolve/groups';

/** What Pod Security `restricted` asks of a container, and a root file system that nobody can write to. */
export function restrictedContainer(uid: number): Record<string, unknown> {
  return {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    privileged: false,
    readOnlyRootFilesystem: true,
    runAsNonRoot: true,
    runAsUser: uid,
    runAsGroup: uid,
  };
}

/** A variable with the value of one of the Pod's own fields. */
export function fieldEnvironment(name: string, fieldPath: string): Record<string, unknown> {
  return { name, valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath } } };
}

/** Resources with the node's disk beside them: logs and scratch files count there, and too much of it evicts a Pod. */
export function withEphemeral(resources: ResolvedResources, request: string, limit: string): Record<string, unknown> {
  return {
    requests: { ...resources.requests, 'ephemeral-storage': request },
    limits: { ...resources.limits, 'ephemeral-storage': limit },
  };
}
