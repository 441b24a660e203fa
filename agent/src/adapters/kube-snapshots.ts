/** VolumeSnapshots by the Kubernetes API. */
import { CustomObjectsApiRequestFactory } from '@kubernetes/client-node/dist/gen/apis/CustomObjectsApi.js';
import { createConfiguration } from '@kubernetes/client-node/dist/gen/configuration.js';
import { ServerConfiguration } from '@kubernetes/client-node/dist/gen/servers.js';
import { PatchStrategy } from '@kubernetes/client-node/dist/patch.js';
import { preconditioned } from './delete-options.js';
import type { KubeClient } from './kube-client.js';
import { SNAPSHOT_API } from '../../../src/contract/snapshot.js';
import type { KubeObject } from '../ports/kube.js';
import type { Snapshots } from '../ports/snapshots.js';

const { group, version, plural: resource } = SNAPSHOT_API;

interface List {
  readonly items: KubeObject[];
}

export class KubeSnapshots implements Snapshots {
  private readonly api: CustomObjectsApiRequestFactory;

  constructor(private readonly kube: KubeClient, server: string, private readonly namespace: string) {
    const configuration = createConfiguration({ baseServer: new ServerConfiguration(server, {}) });
    this.api = new CustomObjectsApiRequestFactory(configuration);
  }

  async list(labelSelector: string): Promise<readonly KubeObject[]> {
    const request = await this.api.listNamespacedCustomObject(group, version, this.namespace, resource);
    request.setQueryParam('labelSelector', labelSelector);
    return (await this.kube.call<List>({ verb: 'list', resource }, Promise.resolve(request))).items;
  }

  get(name: string): Promise<KubeObject> {
    const building = this.api.getNamespacedCustomObject(group, version, this.namespace, resource, name);
    return this.kube.call({ verb: 'get', resource, name }, building);
  }

  create(body: object): Promise<KubeObject> {
    const building = this.api.createNamespacedCustomObject(group, version, this.namespace, resource, body);
    return this.kube.call({ verb: 'create', resource }, building);
  }

  async patch(name: string, body: object): Promise<KubeObject> {
    const request = await this.api.patchNamespacedCustomObject(group, version, this.namespace, resource, name, body);
    request.setHeaderParam('Content-Type', PatchStrategy.MergePatch);
    return this.kube.call({ verb: 'patch', resource, name }, Promise.resolve(request));
  }

  async delete(name: string, uid: string): Promise<void> {
    const request = await this.api.deleteNamespacedCustomObject(group, version, this.namespace, resource, name);
    await this.kube.call({ verb: 'delete', resource, name }, Promise.resolve(preconditioned(request, uid)));
  }
}
