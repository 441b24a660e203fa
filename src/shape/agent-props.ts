import { z } from 'zod';
import { placementShape, resourcesShape } from './postgres-props';

/** The shape of EverestAgentProps. */
export const agentPropsShape = z.strictObject({
  agentName: z.string().optional(),
  namespace: z.string().optional(),
  image: z.string().optional(),
  watchNodes: z.boolean().optional(),
  resources: resourcesShape.optional(),
  placement: placementShape.optional(),
});
