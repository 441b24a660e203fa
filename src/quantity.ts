/** Kubernetes quantities: `500m`, `4`, `16Gi`, `1.5G`, `2e9`. */

const FACTORS: Readonly<Record<string, number>> = {
  '': 1,
  'm': 1e-3,
  'k': 1e3,
  'M': 1e6,
  'G': 1e9,
  'T': 1e12,
  'P': 1e15,
  'E': 1e18,
  'Ki': 2 ** 10,
  'Mi': 2 ** 20,
  'Gi': 2 ** 30,
  'Ti': 2 ** 40,
  'Pi': 2 ** 50,
  'Ei': 2 ** 60,
};

/** One mebibyte, in bytes. */
export const MIB = 2 ** 20;
/** One gibibyte, in bytes. */
export const GIB = 2 ** 30;

/** The value in base units (bytes, cores), or undefined where the text is not a positive, finite quantity. */
export function parseQuantity(text: string): number | undefined {
  const match = /^\+?(\d+(?:\.\d*)?|\.\d+)(?:([eE][+-]?\d{1,3})|([mkMGTPE]|[KMGTPE]i))?$/.exec(text);
  if (!match) return undefined;
  const value = Number(match[1] + (match[2] ?? '')) * (FACTORS[match[3] ?? ''] ?? NaN);
  return Number.isFinite(value) && value > 0 ? value : undefined;
}

/** Bytes as PostgreSQL writes them in its configuration, rounded down to the unit: `4GB`, `512MB`, `64kB`. */
export function postgresSize(bytes: number): string {
  if (bytes >= GIB && bytes % GIB === 0) return `${bytes / GIB}GB`;
  if (bytes >= MIB) return `${Math.floor(bytes / MIB)}MB`;
  return `${Math.max(1, Math.floor(bytes / 1024))}kB`;
}

const POSTGRES_UNITS: Readonly<Record<string, number>> = { B: 1, kB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30, TB: 2 ** 40 };

/**
 * Bytes of a PostgreSQL memory setting, with any spelling of its number; a bare one counts in the setting's own unit.
 */
export function parsePostgresSize(text: string, bareUnit: number): number | undefined {
  const match = /^\s*\+?(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)\s*(B|kB|MB|GB|TB)?\s*$/.exec(text);
  if (!match) return undefined;
  return Number(match[1]) * (match[2] ? POSTGRES_UNITS[match[2]]! : bareUnit);
}

/** Whole mebibytes as a Kubernetes quantity in the form that the API server gives back: `2Gi`, `1280Mi`. */
export function byteQuantity(bytes: number): string {
  return bytes % GIB === 0 ? `${bytes / GIB}Gi` : `${Math.floor(bytes / MIB)}Mi`;
}

/** Bytes for people: `16Gi`, `1.5Gi`, `300Mi`. */
export function readableBytes(bytes: number): string {
  const [unit, factor] = bytes >= GIB ? ['Gi', GIB] as const : ['Mi', MIB] as const;
  return `${Math.round((bytes / factor) * 10) / 10}${unit}`;
}
