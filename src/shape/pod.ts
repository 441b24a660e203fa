import { z } from 'zod';
import { NetworkPeer } from '../network';
import { instance } from './instance';

const texts = z.record(z.string(), z.string());

const amounts = z.strictObject({ cpu: z.string().optional(), memory: z.string().optional() });

/** The shape of Resources. */
export const resourcesShape = z.strictObject({ requests: amounts.optional(), limits: amounts.optional() });

const selector = z.object({ matchLabels: texts.optional() }).optional();
const peerManifest = z.object({
  podSelector: selector, namespaceSelector: selector,
  ipBlock: z.object({ cidr: z.string() }).optional(),
});

/** A list of NetworkPeers. */
export const peerList = z.array(instance(NetworkPeer, z.object({ peer: peerManifest })));
