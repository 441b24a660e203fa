import type { Resources } from './resources';

/** The client of Percona Monitoring and Management (PMM) beside each member. It was not run. */
export interface PmmOptions {
  /**
   * Address of the PMM server, such as `https://pmm.monitoring.svc`. The client always speaks TLS, on port 443 where none
   * is given; with `http:` it does not check who has signed the certificate.
   */
  readonly url: string;

  /**
   * Image of the client, with a fixed tag or a digest.
   *
   * @default percona/pmm-client:3.8.0
   */
  readonly image?: string;

  /**
   * Secret with the key `token` (`secretKey`): a service token of the PMM server. While it is missing the members run
   * without monitoring; the client reads it when its container starts.
   *
   * @default - `<cluster>-pmm`
   */
  readonly secretName?: string;

  /**
   * Key in that Secret.
   *
   * @default token
   */
  readonly secretKey?: string;

  /**
   * CPU and memory of the client.
   *
   * @default - CPU 50m, memory 128Mi, at most 256Mi
   */
  readonly resources?: Resources;

  /**
   * Do not check the certificate of the PMM server.
   *
   * @default false
   */
  readonly insecureSkipTlsVerify?: boolean;
}
