import { patroniObjectNames } from './contract/names';
import type { Finding } from './errors';
import { ImageCatalog } from './image-catalog';
import type { PoolerOptions } from './pooler';
import type { PostgresClusterProps } from './postgres-cluster-props';
import { resolveGroups } from './resolve/groups';
import { resolvePostgres } from './resolve/postgres';
import { poolerValid } from './rules/pooler-valid';
import { POSTGRES_RULES } from './rules/postgres-rules';
import type { PostgresRuleInput } from './rules/rule';
import { runRules } from './rules/run';
import { checkShape } from './shape/findings';
import { poolerOptionsShape } from './shape/pooler-options';
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

/** Everything that is wrong with a pooler in front of a cluster in which nothing is wrong. */
export function checkPooler(clusterName: string, namespace: string, props: PostgresClusterProps,
  options: PoolerOptions): Finding[] {
  const shape = checkShape(poolerOptionsShape, options);
  if (shape.length > 0) return shape;
  return runRules([poolerValid], { cluster: resolvePostgres(clusterName, namespace, props), options });
}

/** Objects that a cluster needs and that must not be in Git: `ConfigMap/orders-leader` … */
export function reservedObjects(clusterName: string): string[] {
  return patroniObjectNames(clusterName).map((name) => `ConfigMap/${name}`);
}
