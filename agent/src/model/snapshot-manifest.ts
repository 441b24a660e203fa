/** The VolumeSnapshot that a Job asks for. */
import type { ContractDocument } from '../../../src/contract/document.js';
import { clusterLabels, COMPONENT, LABEL } from '../../../src/contract/labels.js';
import { SNAPSHOT_API } from '../../../src/contract/snapshot.js';

interface Wanted {
  readonly schedule: string;
  readonly snapshot?: { readonly className?: string };
}

/** It has no owner: it stays when the Job, the schedule or the cluster goes. */
export function snapshotManifest({ cluster, engine, members }: ContractDocument, { schedule, snapshot }: Wanted,
  { name, pod }: { readonly name: string; readonly pod: string }): object {
  const member = members.find((each) => each.pod === pod)!;
  const labels = {
    ...clusterLabels(cluster, engine),
    [LABEL.component]: COMPONENT.backup, [LABEL.schedule]: schedule, [LABEL.member]: member.name,
  };
  return {
    apiVersion: `${SNAPSHOT_API.group}/${SNAPSHOT_API.version}`, kind: SNAPSHOT_API.kind, metadata: { name, labels },
    spec: {
      source: { persistentVolumeClaimName: member.volumes[0] },
      ...(snapshot?.className === undefined ? {} : { volumeSnapshotClassName: snapshot.className }),
    },
  };
}
