import type { PostgresRule } from './rule';
import { OLDEST_KUBERNETES } from '../resolve/postgres';

/** `Service.spec.trafficDistribution` came on by default with this minor version. */
const TRAFFIC_DISTRIBUTION_SINCE = 31;

export const kubernetesVersion: PostgresRule = {
  code: 'EV1405',
  title: 'A Kubernetes version that does not fit',
  cause: 'kubernetesVersion does not parse, is older than 1.27, or older than what another prop needs.',
  consequence: 'Kubernetes would refuse or, worse, drop the fields that it does not know',
  fix: 'Name the oldest Kubernetes version that the manifests must fit, such as 1.31',
  check: ({ props }) => {
    const given = props.kubernetesVersion ?? OLDEST_KUBERNETES;
    const minor = Number(/^1\.(\d{1,3})(\.\d+)?$/.exec(given)?.[1] ?? NaN);
    const path = ['kubernetesVersion'];
    if (Number.isNaN(minor)) return [{ path, problem: `kubernetesVersion is ${JSON.stringify(given)}` }];
    if (minor < 27) return [{ path, problem: `kubernetesVersion is ${given}; ${OLDEST_KUBERNETES} is the oldest that is supported` }];
    return props.preferSameZoneReads && minor < TRAFFIC_DISTRIBUTION_SINCE ? [{
      path: ['preferSameZoneReads'],
      problem: `preferSameZoneReads needs Kubernetes 1.${TRAFFIC_DISTRIBUTION_SINCE}, and kubernetesVersion is ${given}`,
      fix: `Set kubernetesVersion to 1.${TRAFFIC_DISTRIBUTION_SINCE} or newer where that is true, or leave preferSameZoneReads out`,
    }] : [];
  },
};
