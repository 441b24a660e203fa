import type { Duration } from 'cdk8s';

/** Options of a rotation. */
export interface PasswordRotationOptions {
  /**
   * How long the password before stays valid after a rotation, within ten minutes. At least 10 minutes.
   *
   * @default - until the next rotation
   */
  readonly oldValidFor?: Duration;
}

/**
 * How the password of a role is replaced without a failed login: two login roles, `<role>_a` and `<role>_b`, take turns
 * and act as the role. The Secret names the one in use; the other one's password stays valid for applications that
 * have not read the Secret again.
 *
 * A change here restarts nothing. Taking the rotation away leaves the login that is in use.
 */
export class PasswordRotation {
  /**
   * Every so often, and whenever somebody annotates the Secret with `everest.io/rotate`.
   *
   * @param interval time from one rotation to the next; at least an hour
   */
  public static every(interval: Duration, options: PasswordRotationOptions = {}): PasswordRotation {
    return new PasswordRotation(interval, options?.oldValidFor);
  }

  /** Only when somebody annotates the Secret with `everest.io/rotate`. */
  public static onRequest(options: PasswordRotationOptions = {}): PasswordRotation {
    return new PasswordRotation(undefined, options?.oldValidFor);
  }

  private constructor(
    /** Time from one rotation to the next; none: only on request. */
    public readonly interval?: Duration,
    /** How long the password before stays valid; none: until the next rotation. */
    public readonly oldValidFor?: Duration,
  ) {}
}
