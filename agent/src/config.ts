/** Settings of the process, from its environment. A wrong one ends the start with a sentence. */
export interface AgentConfig {
  readonly namespace: string;
  readonly podName: string;
  readonly nodeName: string | undefined;
  /** The agent's, as clusters name it, and that of its Lease. */
  readonly name: string;
  readonly port: number;
  /** The Role allows it to read nodes. */
  readonly watchNodes: boolean;
}

export class ConfigError extends Error {
  constructor(text: string) {
    super(text);
    this.name = 'ConfigError';
  }
}

function required(environment: NodeJS.ProcessEnv, name: string): string {
  const value = environment[name];
  if (!value) throw new ConfigError(`${name} is not set; the Deployment of the agent sets it`);
  return value;
}

function portOf(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new ConfigError(`AGENT_PORT is ${text}, which is no port`);
  return port;
}

export function readConfig(environment: NodeJS.ProcessEnv): AgentConfig {
  return {
    namespace: required(environment, 'POD_NAMESPACE'),
    podName: required(environment, 'POD_NAME'),
    nodeName: environment.NODE_NAME,
    name: required(environment, 'AGENT_NAME'),
    watchNodes: environment.AGENT_WATCH_NODES === 'true',
    port: portOf(environment.AGENT_PORT ?? '8080'),
  };
}
