/** The client of Percona Monitoring and Management (PMM) beside each member. It was not run. */
export interface PmmOptions {
  /** Address of the PMM server, such as `https://pmm.monitoring.svc`. */
  readonly url: string;

  /**
   * Image of the client, with a fixed tag or a digest.
   *
   * @default percona/pmm-client:3.8.0
   */
  readonly image?: string;

  /**
   * Secret with the key `token`: a service token of the PMM server.
   *
   * @default - `<cluster>-pmm`
   */
  readonly secretName?: string;

  /**
   * Do not check the certificate of the PMM server.
   *
   * @default false
   */
  readonly insecureSkipTlsVerify?: boolean;
}
