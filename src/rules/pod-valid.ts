import type { Placement } from '../placement';
import type { Resources } from '../resources';
import { referenceProblem } from './image-valid';
import { limitViolations } from './limits-above-requests';
import { placementViolations } from './placement-valid';
import { amountViolations } from './quantity-valid';
import type { Violation } from './rule';

/** What poolers and agents let people say about their Pods. */
interface PodOptions {
  readonly image: string;
  readonly resources?: Resources;
  readonly placement?: Placement;
}

/** The same checks as for members, for Pods that are no members. */
export function podViolations({ image, resources, placement }: PodOptions): Violation[] {
  const problem = referenceProblem({ image });
  return [
    ...(problem ? [{ path: ['image'], problem }] : []),
    ...amountViolations(['resources'], resources),
    ...limitViolations(['resources'], resources),
    ...placementViolations(['placement'], placement),
  ];
}
