/** Deletion of Pods, by a person's account. */
import { CoreV1ApiRequestFactory } from '@kubernetes/client-node/dist/gen/apis/CoreV1Api.js';
import { createConfiguration } from '@kubernetes/client-node/dist/gen/configuration.js';
import { ServerConfiguration } from '@kubernetes/client-node/dist/gen/servers.js';
import type { KubeClient } from './kube-client.js';
import type { Pods } from '../ports/pods.js';

export class KubePods implements Pods {
  private readonly core: CoreV1ApiRequestFactory;

  constructor(private readonly kube: KubeClient, server: string, private readonly namespace: string) {
    this.core = new CoreV1ApiRequestFactory(createConfiguration({ baseServer: new ServerConfiguration(server, {}) }));
  }

  async delete(name: string, uid: string): Promise<void> {
    const request = await this.core.deleteNamespacedPod(name, this.namespace);
    request.setHeaderParam('Content-Type', 'application/json');
    const options = JSON.stringify({ apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid } });
    request.setBody(options);
    // Node.js tells no length by itself for this method, and the server would take the body for the next request.
    request.setHeaderParam('Content-Length', String(Buffer.byteLength(options)));
    await this.kube.call({ verb: 'delete', resource: 'pods', name }, Promise.resolve(request));
  }
}
