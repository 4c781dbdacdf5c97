import type { OperationsView } from "#shared/protocol/access-api.ts";
import type { Status } from "#shared/protocol/api.ts";
import { formatAgo, formatDay, formatSize } from "./format.ts";

/* How the coordinator's machine is. */

const CHECKS = new Map<string, readonly [term: string, well: string, ill: string]>([
  ["running", ["Coordinator", "running", "starting or stopping"]],
  ["database", ["Database", "answers", "does not answer in time"]],
  ["disk", ["Disk", "has room", "too full: no new round opens until there is room"]],
  [
    "lock",
    [
      "Alone",
      "the only coordinator of its database",
      "lost its lock: another coordinator may use the database",
    ],
  ],
  ["log", ["Public log", "signs its entries", "halted: rounds wait. npm run log -- fsck says why"]],
]);

/** A check of `/readyz`. A coordinator of another version may have others. */
export function checkWords(name: string, isWell: boolean): { readonly term: string; readonly words: string } {
  const [term, well, ill] = CHECKS.get(name) ?? [name, "well", "fails"];
  return { term, words: isWell ? well : ill };
}

const databaseWords = (database: Status["database"]): string =>
  database === "embedded" ? "SQLite. Every commit is on disk before it counts." : "PostgreSQL.";

/** A fact about the machine. */
export interface OperationsFact {
  readonly term: string;
  readonly words: string;
  readonly isAlarm?: boolean;
}

/** A backup older than this is worth a look. */
const BACKUP_LATE_MS = 26 * 3_600_000;

export function isBackupLate(last: NonNullable<OperationsView["lastBackup"]>, nowUnixMs: number): boolean {
  return nowUnixMs - Date.parse(last.at) > BACKUP_LATE_MS;
}

export function stateFacts(view: OperationsView, nowUnixMs = Date.now()): readonly OperationsFact[] {
  const { disk, files, memory, lastBackup, address } = view;
  return [
    { term: "Storage", words: databaseWords(view.database) },
    diskFact(disk),
    filesFact(files),
    backupFact(lastBackup, nowUnixMs),
    { term: "Memory", words: formatSize(memory.residentByteCount) },
    { term: "Address", words: `${address.url}${address.isBehindProxy ? ", behind a proxy" : ""}` },
    ...(address.certificateEndsAt === null
      ? []
      : [{ term: "Certificate", words: `good until ${formatDay(address.certificateEndsAt, nowUnixMs)}` }]),
  ];
}

function diskFact({ freeByteCount, floorByteCount }: OperationsView["disk"]): OperationsFact {
  const term = "Free space";
  const floor = `Below ${formatSize(floorByteCount)} no new round opens.`;
  if (freeByteCount === null) return { term, words: "does not say how much is free", isAlarm: true };
  return {
    term,
    words: `${formatSize(freeByteCount)} free. ${floor}`,
    isAlarm: freeByteCount < floorByteCount,
  };
}

function filesFact({ usedByteCount, quotaByteCount }: OperationsView["files"]): OperationsFact {
  const term = "Models, uploads";
  const used = formatSize(usedByteCount);
  if (quotaByteCount === null) return { term, words: `${used}, without a quota` };
  const words = `${used} of ${formatSize(quotaByteCount)}. At the quota no new round opens.`;
  return { term, words, isAlarm: usedByteCount >= quotaByteCount };
}

function backupFact(last: OperationsView["lastBackup"], nowUnixMs: number): OperationsFact {
  const term = "Last backup";
  if (last === null) return { term, words: "none yet", isAlarm: true };
  const words = `${formatAgo(last.at, nowUnixMs)}, ${formatSize(last.byteCount)}`;
  return { term, words, isAlarm: isBackupLate(last, nowUnixMs) };
}

export function limitFacts({ limits }: OperationsView): readonly OperationsFact[] {
  const { devicesPerAddress, joinsPerMinutePerAddress, requestsPerSecondPerAddress } = limits;
  return [
    { term: "Devices", words: `at most ${devicesPerAddress} connected from one address` },
    {
      term: "Joins",
      words: `${joinsPerMinutePerAddress} new devices a minute from one address, after a first burst`,
    },
    { term: "Sign-in", words: "5 tries in 15 minutes for an account" },
    { term: "API", words: `${requestsPerSecondPerAddress} requests a second from one address` },
  ];
}
