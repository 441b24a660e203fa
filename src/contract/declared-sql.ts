/** Databases and roles as declared: what the agent keeps. */

export type AccessLevel = 'readOnly' | 'readWrite' | 'owner';

export interface DeclaredExtension {
  readonly name: string;
  readonly version?: string;
  readonly schema?: string;
}

export interface DeclaredSchema {
  readonly name: string;
  readonly owner: string;
}

export interface DeclaredDatabase {
  readonly name: string;
  readonly owner: string;
  readonly extensions: DeclaredExtension[];
  readonly schemas: DeclaredSchema[];
}

/** Secret with the password of a role. */
export interface DeclaredSecret {
  readonly name: string;
  /** False: somebody else's, only read. */
  readonly fill: boolean;
  /** What stands in it beside user and password, where it is filled. */
  readonly connection: { readonly host: string; readonly port: string; readonly dbname: string };
}

export interface DeclaredRotation {
  /** None: only on request. */
  readonly everySeconds?: number;
  /** None: until the next rotation. */
  readonly oldValidForSeconds?: number;
}

export interface DeclaredRole {
  readonly name: string;
  readonly login: boolean;
  readonly inRoles: string[];
  readonly grants: Array<{ readonly database: string; readonly access: AccessLevel }>;
  readonly connectionLimit?: number;
  /** Exactly the roles that log in have one. */
  readonly secret?: DeclaredSecret;
  readonly rotation?: DeclaredRotation;
}

/** The two logins of a role whose password rotates. */
export function rotationLogins(role: string): [string, string] {
  return [`${role}_a`, `${role}_b`];
}

/** Annotations on a role's Secret. */
export const ROTATION_ANNOTATION = {
  /** A person asks for a rotation, with any value; taken away when it is done. */
  request: 'everest.io/rotate',
  /** When the password was last replaced (RFC 3339). */
  rotatedAt: 'everest.io/rotated-at',
} as const;
