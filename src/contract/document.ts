import type { DeclaredDatabase, DeclaredRole } from './declared-sql';

/**
 * The contract: what the synthesized manifests promise to whatever works on the living cluster.
 * It travels as JSON in the ConfigMap `<cluster>-contract`, found by its labels `everest.io/contract` and
 * `everest.io/agent`.
 * Readers refuse a version that they do not know.
 */
export const CONTRACT_VERSION = 1;

/** pgBackRest's name for the one cluster of a repository. */
export const STANZA = 'db';

export interface ContractDocument {
  readonly contractVersion: number;
  readonly engine: 'postgresql';
  readonly cluster: string;
  readonly namespace: string;
  readonly engineVersion: string;
  readonly members: ContractMember[];
  readonly agentLogin: AgentLogin;
  /** Asynchronous mode: a silent primary is given up before its lease ends. */
  readonly preferAvailability: boolean;
  readonly databases: DeclaredDatabase[];
  /** Owners included. */
  readonly roles: DeclaredRole[];
  readonly patroni: PatroniDynamicConfiguration;
  /** None: nothing is archived. */
  readonly backup?: ContractBackup;
}

/** What is promised about backups. Their configuration is pgBackRest's own, in the members. */
export interface ContractBackup {
  readonly stanza: typeof STANZA;
  /** `storage` is for people: `s3://bucket/shop/orders`. */
  readonly repositories: Array<{ readonly key: number; readonly storage: string }>;
  readonly schedules: ContractSchedule[];
  /** Written rows wait at most so long before their write-ahead log is sent. */
  readonly archiveTimeoutSeconds: number;
}

export interface ContractSchedule {
  readonly name: string;
  /** `snapshot`: of a member's volume, which does not go to the repository; its log does. */
  readonly type: 'full' | 'differential' | 'incremental' | 'snapshot';
  readonly cron: string;
  readonly timeZone: string;
  readonly suspended: boolean;
  /** Key of the repository. */
  readonly repository: number;
  readonly target: 'standby' | 'primary';
}

/** How the agent logs in to members over the network. */
export interface AgentLogin {
  readonly role: string;
  readonly secret: string;
  readonly key: string;
}

export interface ContractMember {
  readonly name: string;
  readonly pod: string;
  readonly group: string;
  /** False: never a candidate for primary and never waited for by a commit. */
  readonly promotable: boolean;
  /** Volume claims that hold this member's data; only a person deletes them. */
  readonly volumes: string[];
}

/** Patroni's dynamic configuration as it should be (`PATCH /config` takes it as it stands). */
export interface PatroniDynamicConfiguration {
  readonly ttl: number;
  readonly loop_wait: number;
  readonly retry_timeout: number;
  readonly maximum_lag_on_failover: number;
  readonly check_timeline: boolean;
  readonly failsafe_mode: boolean;
  readonly synchronous_mode: boolean | 'quorum';
  readonly synchronous_mode_strict: boolean;
  readonly synchronous_node_count: number;
  /** Absent: nobody says whether the cluster follows another one. Null: it does not, and leads. */
  readonly standby_cluster?: StandbyConfiguration | null;
  readonly postgresql: {
    readonly use_pg_rewind: boolean;
    readonly use_slots: boolean;
    readonly parameters: Record<string, string>;
    readonly pg_hba: string[];
    readonly pg_ident: string[];
  };
}

/** How a standby cluster is fed, in Patroni's words. */
export interface StandbyConfiguration {
  readonly host?: string;
  readonly port?: number;
  readonly restore_command?: string;
  readonly create_replica_methods: string[];
}

/** What member.py reads: which Secrets hold (or shall hold) which passwords, and what exists from the start. */
export interface MemberDocument {
  readonly name: string;
  /** Pods of all members. */
  readonly members: string[];
  readonly dataDirectory: string;
  /** Where the write-ahead log has a volume of its own. */
  readonly walDirectory?: string;
  readonly binDirectory: string;
  /** Major version of PostgreSQL. */
  readonly major: string;
  /** An agent looks after the cluster: before its Pod stops, a primary first gives it time to hand over. */
  readonly agent: boolean;
  readonly credentials: {
    readonly secret: string;
    readonly generate: boolean;
    readonly keys: { readonly superuser: string; readonly replication: string; readonly rewind: string };
    readonly roles: { readonly superuser: string; readonly replication: string; readonly rewind: string };
    /**
     * Role by which poolers look up passwords; it exists whether there is a pooler or not, so that one can come later.
     */
    readonly pooler: { readonly role: string; readonly key: string; readonly userlistKey: string };
    /** The agent's role; it exists from the start too, and pg_hba keeps it out while there is no agent. */
    readonly agent: { readonly role: string; readonly key: string };
  };
  readonly owners: MemberDocumentOwner[];
  readonly databases: Array<{ readonly name: string; readonly owner: string }>;
  readonly socketDirectory: string;
  readonly backup?: MemberDocumentBackup;
  /** Where the first data come from. */
  readonly recovery?: MemberDocumentRecovery;
  /** Done once on each volume. */
  readonly replacement?: Replacement;
  /** The cluster that this one follows; while it stands here, standbys archive nothing that they receive. */
  readonly standby?: Partial<MemberDocumentSource>;
}

/** What members need beside pgbackrest.conf, which holds no secret. */
export interface MemberDocumentBackup {
  readonly stanza: typeof STANZA;
  readonly repositories: MemberDocumentRepository[];
  /** System identifier of the cluster whose backups a new one may supersede. */
  readonly superseding?: string;
}

/** Up to which moment a cluster is recovered: what PostgreSQL is told, and what decides on the backup to begin with. */
export interface RecoveryGoal {
  readonly type: 'latest' | 'time' | 'lsn' | 'xid' | 'name';
  /** Times as PostgreSQL reads them, with an offset. */
  readonly value: string;
  readonly exclusive: boolean;
  readonly timeline?: number;
  /** The newest backup before this time is the beginning. */
  readonly after?: string;
}

/** A restore in place. */
export interface Replacement {
  readonly name: string;
  /** It is taken back. */
  readonly putBack: boolean;
}

/** A repository that is only read. */
export interface MemberDocumentSource {
  readonly stanza: typeof STANZA;
  readonly repository: MemberDocumentRepository;
  /** Of pgBackRest, with their prefix `repo1-`. */
  readonly options: Record<string, string>;
}

export interface MemberDocumentRecovery extends MemberDocumentSource {
  readonly goal: RecoveryGoal;
  readonly keepPasswords: boolean;
  /** The data wait at the target, to be read, until this is false. */
  readonly pauseAtTarget: boolean;
  /** The first member's volume is made of this VolumeSnapshot, and has this size. */
  readonly snapshot?: { readonly name: string; readonly size: string };
}

export interface MemberDocumentRepository {
  readonly key: number;
  /** For people. */
  readonly storage: string;
  readonly secrets: RepositorySecret[];
  readonly files: RepositoryFile[];
  readonly pass?: { readonly secret: string; readonly key: string; readonly generate: boolean };
}

/** An option of pgBackRest (without `repo1-`) whose value is in a Secret. */
export interface RepositorySecret {
  readonly option: string;
  readonly secret: string;
  readonly key: string;
  /** Without it the option has a default (member.py, described). */
  readonly optional?: boolean;
}

/** An option of pgBackRest that names a file with what an object holds. */
export interface RepositoryFile {
  readonly option: string;
  readonly resource: 'configmaps' | 'secrets';
  readonly name: string;
  readonly key: string;
}

export interface MemberDocumentOwner {
  readonly role: string;
  /** Logins that may take turns for it; the Secret's `user` says which one the password is of. */
  readonly logins: string[];
  readonly secret: string;
  readonly generate: boolean;
  readonly connection: { readonly host: string; readonly port: string; readonly dbname: string };
}
