import { z } from 'zod';
import { PoolerTarget, PoolMode } from '../pooler';
import { instance } from './instance';
import { resourcesShape } from './pod';
import { placementShape } from './postgres-props';

/** The shape of PoolerOptions. */
export const poolerOptionsShape = z.strictObject({
  target: instance(PoolerTarget).optional(),
  name: z.string().optional(),
  instances: z.number().optional(),
  poolMode: instance(PoolMode).optional(),
  poolSize: z.number().optional(),
  maxClientConnections: z.number().optional(),
  image: z.string().optional(),
  resources: resourcesShape.optional(),
  placement: placementShape.optional(),
  serviceAnnotations: z.record(z.string(), z.string()).optional(),
});
