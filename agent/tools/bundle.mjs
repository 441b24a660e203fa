/** How the agent and its tests are bundled. */
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/**
 * What the Kubernetes library loads for proxies, kubeconfig files, clouds' logins and its own `fetch`. A Pod with a
 * service account uses none of it, and it would cost 13 MiB of memory.
 */
const ABSENT = ['form-data', 'hpagent', 'js-yaml', 'openid-client', 'socks', 'socks-proxy-agent', 'undici'];

export const BUNDLE = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  logLevel: 'warning',
  alias: Object.fromEntries(ABSENT.map((name) => [name, here('absent.cjs')])),
};
