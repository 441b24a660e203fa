import { z } from 'zod';
import { resourcesShape } from './pod';
import { placementShape } from './postgres-props';

/** The shape of EverestAgentProps. */
export const agentPropsShape = z.strictObject({
  agentName: z.string().optional(),
  namespace: z.string().optional(),
  image: z.string().optional(),
  watchNodes: z.boolean().optional(),
  resources: resourcesShape.optional(),
  placement: placementShape.optional(),
});
