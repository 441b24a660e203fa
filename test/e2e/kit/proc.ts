/** What a process has used, as Linux tells it. */

/** Unit of the times in /proc, on every Linux that Kubernetes runs on. */
const TICKS_PER_S = 100;

export interface Usage {
  readonly cpuSeconds: number;
  readonly mebibytes: number;
}

/** From /proc/PID/stat and /proc/PID/status, one after the other. */
export function parseUsage(text: string): Usage {
  const [stat = '', ...status] = text.split('\n');
  // The name, in brackets, may hold blanks; utime and stime are the 14th and 15th field, the 12th and 13th after it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const rss = /^VmRSS:\s+(\d+) kB$/m.exec(status.join('\n'))?.[1];
  return { cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S, mebibytes: Number(rss) / 1024 };
}
