/** Deletion of Pods, by a person's account. */
import { CoreV1ApiRequestFactory } from '@kubernetes/client-node/dist/gen/apis/CoreV1Api.js';
import { createConfiguration } from '@kubernetes/client-node/dist/gen/configuration.js';
import { ServerConfiguration } from '@kubernetes/client-node/dist/gen/servers.js';
import { preconditioned } from './delete-options.js';
import type { KubeClient } from './kube-client.js';
import type { Pods } from '../ports/pods.js';

export class KubePods implements Pods {
  private readonly core: CoreV1ApiRequestFactory;

  constructor(private readonly kube: KubeClient, server: string, private readonly namespace: string) {
    this.core = new CoreV1ApiRequestFactory(createConfiguration({ baseServer: new ServerConfiguration(server, {}) }));
  }

  async delete(name: string, uid: string): Promise<void> {
    const request = await this.core.deleteNamespacedPod(name, this.namespace);
    await this.kube.call({ verb: 'delete', resource: 'pods', name }, Promise.resolve(preconditioned(request, uid)));
  }
}
