/** What is done for each cluster again and again, within a budget for all of them together. */
export interface Routine {
  /** With few clusters. */
  readonly everyMs: number;
  /** For all clusters together; the more there are, the longer each waits. */
  readonly mostPerSecond: number;
}

export function pauseOf({ everyMs, mostPerSecond }: Routine, clusters: number): number {
  return Math.max(everyMs, (clusters * 1000) / mostPerSecond);
}
