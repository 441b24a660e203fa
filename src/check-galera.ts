import type { Finding } from './errors';
import type { GaleraClusterProps } from './galera-cluster-props';
import { ImageCatalog } from './image-catalog';
import type { PostgresClusterProps } from './postgres-cluster-props';
import { galeraGroup, type GaleraInput } from './resolve/galera';
import { GALERA_RULES } from './rules/galera-rules';
import { BACKUP_RULES, COMMON_RULES } from './rules/postgres-rules';
import type { GaleraRuleInput, PostgresRuleInput } from './rules/rule';
import { runRules } from './rules/run';
import { checkShape } from './shape/findings';
import { mariaDbPropsShape, pxcPropsShape } from './shape/galera-props';

/** What rules about any cluster read of the props. */
function sharedProps(props: GaleraClusterProps): PostgresClusterProps {
  const { labels, annotations, serviceAnnotations, replicaServiceAnnotations, resources, storage } = props;
  const { placement, podDisruption, network, imagePullSecrets, credentials, kubernetesVersion } = props;
  return {
    labels, annotations, serviceAnnotations, replicaServiceAnnotations, resources, storage,
    placement, podDisruption, network, imagePullSecrets, credentials, kubernetesVersion,
  };
}

function postgresInput(input: GaleraRuleInput): PostgresRuleInput {
  const { clusterName, namespace, props, group } = input;
  const count = group.members.length;
  return {
    clusterName, namespace, groups: [group], members: count, promotable: count,
    props: sharedProps(props), catalog: ImageCatalog.standard(),
  };
}

/** Everything that is wrong with the props of a Galera cluster. */
export function checkGalera(clusterName: string, namespace: string, input: GaleraInput): Finding[] {
  const shape = checkShape(input.engine === 'mariadb' ? mariaDbPropsShape : pxcPropsShape, input.props);
  if (shape.length > 0) return shape;
  const ruleInput: GaleraRuleInput = { ...input, clusterName, namespace, group: galeraGroup(clusterName, input.props) };
  const shared = postgresInput(ruleInput);
  return [
    ...runRules(COMMON_RULES, shared), ...runRules(GALERA_RULES, ruleInput),
    ...runRules(BACKUP_RULES, { ...shared, props: { ...shared.props, backup: input.props.backup } }),
  ];
}
