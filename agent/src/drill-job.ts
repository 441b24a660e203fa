/**
 * The reporter of a restore drill: listens to the container that restores, judges, and writes the status and an Event.
 * A process that dies, or never starts, is told of as well.
 */
import type { ExitCode } from './backup-job.js';
import { EXIT } from './backup-job.js';
import { drillSentence, judgeDrill, lostDrill, withDrill, type ArchiveThen, type DrillOrder, type DrillReading } from './decide/drill-verdict.js';
import type { Log } from './log.js';
import { readArchiveStatus } from './model/backup-status.js';
import { readContract } from './model/contract.js';
import { DRILL_KEY, readDrillStatus, type DrillResult } from './model/drill-status.js';
import type { Clock } from './ports/clock.js';
import type { DrillFeed } from './ports/drill.js';
import type { Kube, KubeObject } from './ports/kube.js';
import { changeDocument } from './status-document.js';
import { StatusWriter } from './status-writer.js';
import type { DrillReport } from '../../src/contract/drill.js';
import { contractName, statusName } from '../../src/contract/names.js';

/** Both containers start together; the other one's image is larger. */
const START_LIMIT_MS = 900_000;

export interface DrillPorts {
  readonly kube: Kube;
  readonly clock: Clock;
  readonly log: Log;
  readonly feed: DrillFeed;
  readonly namespace: string;
  readonly say: (text: string) => void;
}

interface Message {
  readonly step?: string;
  readonly report?: DrillReport;
}

/** The step after the recovery. */
const RECOVERED = 'checks';

export class DrillJob {
  /** The status as it was when recovery had come to the end of the archive: what arrived later is not in the copy. */
  private atTheEnd: KubeObject | undefined;
  private contract: KubeObject | undefined;

  constructor(private readonly ports: DrillPorts, private readonly order: DrillOrder) {}

  async run(signal: AbortSignal): Promise<ExitCode> {
    const { clock, kube } = this.ports;
    const startedAt = clock.wall();
    this.contract = await this.read(contractName(this.order.cluster));
    const reading = await this.listen(signal);
    const result = 'report' in reading ? judgeDrill(this.order, reading.report, this.archive())
      : lostDrill(this.order, reading.without, { startedAt, endedAt: clock.wall() });
    this.ports.say(drillSentence(this.order.drill, result));
    const { cluster, drill } = this.order;
    const withResult = (object: KubeObject) => withDrill(readDrillStatus(object), drill, result, clock.wall());
    await changeDocument(kube, cluster, DRILL_KEY, withResult)
      .catch((problem: unknown) => this.ports.say(`The status could not be written: ${String(problem)}`));
    await this.tell(result);
    return result.done ? EXIT.done : EXIT.failed;
  }

  /** Only what the RPO is measured with depends on it. */
  private async read(name: string): Promise<KubeObject | undefined> {
    return this.ports.kube.get('configmaps', name).catch((problem: unknown) => {
      this.ports.say(`ConfigMap ${name} could not be read: ${String(problem)}`);
      return undefined;
    });
  }

  private archive(): ArchiveThen {
    const contract = this.contract && readContract(this.contract);
    const timeoutSeconds = contract?.ok ? contract.document.backup?.archiveTimeoutSeconds : undefined;
    return { status: readArchiveStatus(this.atTheEnd), timeoutSeconds };
  }

  private async listen(signal: AbortSignal): Promise<DrillReading> {
    let step: string | undefined;
    for await (const message of this.ports.feed.messages(START_LIMIT_MS, signal)) {
      const { step: next, report } = message as Message;
      if (report) return { report };
      if (next === RECOVERED) this.atTheEnd = await this.read(statusName(this.order.cluster));
      step = next ?? step;
    }
    if (signal.aborted) return { without: { stage: 'interrupted', text: step === undefined ? '' : `during ${step}` } };
    return { without: step === undefined ? { stage: 'not-started', text: '' } : { stage: 'died', text: `during ${step}` } };
  }

  private async tell(result: DrillResult): Promise<void> {
    const { kube, clock, log, namespace } = this.ports;
    const { cluster, drill } = this.order;
    const reason = result.done ? 'RestoreDrillPassed' : 'RestoreDrillFailed';
    const text = { reason, message: drillSentence(drill, result), warning: !result.done };
    await new StatusWriter({ kube, clock, log }, cluster).event(this.contract, text, namespace);
  }
}
