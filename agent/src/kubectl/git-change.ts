/** The changes that a person reviews and commits: Git stays the truth, and no command writes what it owns. */
import type { Moment } from './arguments.js';

/** A name that was hardly used before, and tells the moment. */
export function nameFor({ type, value }: Moment): string {
  const digits = type === 'time' ? value.slice(0, 19).replace(/[-:]/g, '').replace('T', '-') : value.toLowerCase().replace('/', '-');
  return `restore-${digits}`;
}

export function gitChange(cluster: string, namespace: string, to: Moment): string {
  const name = nameFor(to);
  const call = to.type === 'time' ? 'time' : 'lsn';
  return `
Nothing has changed. For a restore in place, commit and apply this; for a copy, give a new cluster \`bootstrap\` without replacing.

In code, with \`present\` for the storage that the cluster has now, and \`next\` for the same one with the prefix ${name}:

  backup: { storage: next },
  bootstrap: Bootstrap.recover({
    from: RecoverySource.storage(present, { clusterName: '${cluster}' }),
    target: RecoveryTarget.${call}('${to.value}'),
    replacing: '${name}',
  }),

In a DatabaseCluster, with BackupStorages of these two names:

  backup: { storageName: next }
  bootstrap:
    recover:
      storageName: present
      clusterName: ${cluster}
      target: { ${call}: "${to.value}" }
      replacing: ${name}

With \`pauseAtTarget\` the data can be read before they are promoted.
Then: kubectl everest restore ${cluster} -n ${namespace} --id ${name}`;
}

export function notThere(cluster: string, namespace: string, name: string): string {
  return `The manifests of ${cluster} declare no restore in place ${name}. For the change that declares one: `
    + `kubectl everest restore ${cluster} -n ${namespace} --to MOMENT`;
}

export function wayBack(cluster: string, namespace: string, name: string): string {
  return `The manifests of ${cluster} do not declare the way back. Commit and apply this, with the storage that the cluster had before the restore:

  in code                 bootstrap: Bootstrap.putBack('${name}')
  in a DatabaseCluster    bootstrap: { putBack: ${name} }

Then: kubectl everest reject ${cluster} -n ${namespace} --id ${name}`;
}
