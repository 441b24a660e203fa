/** What a person's command does with Pods beyond what the agent may. */
export interface Pods {
  /** `uid` keeps a successor of that name safe. */
  delete(name: string, uid: string): Promise<void>;
}
