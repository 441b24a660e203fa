/** Jobs, CronJobs and logs: what people's own command needs of the API beyond what the agent does. */
import { createInterface } from 'node:readline';
import { BatchV1ApiRequestFactory } from '@kubernetes/client-node/dist/gen/apis/BatchV1Api.js';
import { CoreV1ApiRequestFactory } from '@kubernetes/client-node/dist/gen/apis/CoreV1Api.js';
import { createConfiguration } from '@kubernetes/client-node/dist/gen/configuration.js';
import { ServerConfiguration } from '@kubernetes/client-node/dist/gen/servers.js';
import { Deadline } from './deadline.js';
import type { KubeClient } from './kube-client.js';
import type { Jobs } from '../ports/jobs.js';
import { KubeError, type KubeObject } from '../ports/kube.js';

interface List {
  readonly items: KubeObject[];
}

export class KubeJobs implements Jobs {
  private readonly batch: BatchV1ApiRequestFactory;
  private readonly core: CoreV1ApiRequestFactory;

  constructor(private readonly kube: KubeClient, server: string, private readonly namespace: string) {
    const configuration = createConfiguration({ baseServer: new ServerConfiguration(server, {}) });
    this.batch = new BatchV1ApiRequestFactory(configuration);
    this.core = new CoreV1ApiRequestFactory(configuration);
  }

  async cronJob(name: string): Promise<KubeObject | undefined> {
    const { kube, batch, namespace } = this;
    try {
      return await kube.call({ verb: 'get', resource: 'cronjobs', name }, batch.readNamespacedCronJob(name, namespace));
    } catch (problem) {
      if (problem instanceof KubeError && problem.notFound) return undefined;
      throw problem;
    }
  }

  create(job: object): Promise<KubeObject> {
    const building = this.batch.createNamespacedJob(this.namespace, job);
    return this.kube.call({ verb: 'create', resource: 'jobs' }, building);
  }

  get(name: string): Promise<KubeObject> {
    return this.kube.call({ verb: 'get', resource: 'jobs', name }, this.batch.readNamespacedJob(name, this.namespace));
  }

  async podsOf(job: string): Promise<readonly KubeObject[]> {
    const building = this.core.listNamespacedPod(this.namespace);
    building.then((request) => request.setQueryParam('labelSelector', `job-name=${job}`), () => undefined);
    return (await this.kube.call<List>({ verb: 'list', resource: 'pods' }, building)).items;
  }

  async follow(pod: string, line: (text: string) => void, signal: AbortSignal): Promise<void> {
    const deadline = new Deadline(signal);
    const request = await this.core.readNamespacedPodLog(pod, this.namespace, undefined, true);
    try {
      const log = await this.kube.open({ verb: 'get', resource: 'pods/log', name: pod }, request, deadline);
      for await (const text of createInterface({ input: log, crlfDelay: Infinity })) line(text);
    } finally {
      deadline.end();
    }
  }
}
