import { patroniObjectNames } from './contract/names';
import type { Finding } from './errors';
import { ImageCatalog } from './image-catalog';
import type { PostgresClusterProps } from './postgres-cluster-props';
import { resolveGroups } from './resolve/groups';
import { POSTGRES_RULES } from './rules/postgres-rules';
import type { PostgresRuleInput } from './rules/rule';
import { runRules } from './rules/run';
import { checkShape } from './shape/findings';
import { postgresPropsShape } from './shape/postgres-props';

function ruleInput(clusterName: string, namespace: string, props: PostgresClusterProps): PostgresRuleInput {
  const groups = resolveGroups(clusterName, props);
  const count = (chosen: typeof groups) => chosen.flatMap((group) => group.members).length;
  return {
    clusterName,
    namespace,
    props,
    groups,
    catalog: props.imageCatalog ?? ImageCatalog.standard(),
    members: count(groups),
    promotable: count(groups.filter((group) => group.promotable)),
  };
}

/** Everything that is wrong with the props of one cluster: first their shape, and where that is right, the rules. */
export function checkPostgres(clusterName: string, namespace: string, props: PostgresClusterProps): Finding[] {
  const shape = checkShape(postgresPropsShape, props);
  if (shape.length > 0) return shape;
  return runRules(POSTGRES_RULES, ruleInput(clusterName, namespace, props));
}

/** Objects that a cluster needs and that must not be in Git: `ConfigMap/orders-leader` … */
export function reservedObjects(clusterName: string): string[] {
  return patroniObjectNames(clusterName).map((name) => `ConfigMap/${name}`);
}
