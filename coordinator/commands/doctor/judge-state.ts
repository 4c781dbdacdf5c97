import type { LockRefusal } from "#shared/node/lock.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import type { DatabaseReport } from "../../adapters/database/report.ts";
import type { Finding } from "./finding.ts";

/* Judges what was found of a coordinator's state. Pure: the facts are collected in look.ts. */

/** Old enough that a machine with a later date has been set, new enough that one in 1970 is noticed. */
const EARLIEST_UNIX_MS = Date.UTC(2026, 0, 1);
const CLOCK_TOLERANCE_MS = 60_000;
const NODE_MAJOR = 24;
/** Below ten times the floor somebody should look. */
const ROOMY = 10;
const MB = 1e6;

export function judgeNode(version: string): Finding {
  const major = Number(version.split(".")[0]);
  if (major >= NODE_MAJOR) return { level: "ok", about: "Node", says: version };
  const says = `${version}; Chorus is tested with ${NODE_MAJOR}. Start it with npm run, which uses the one that npm ci installed.`;
  return { level: "look", about: "Node", says };
}

export interface FolderLook {
  readonly path: string;
  /** Null if there is nothing. */
  readonly found: {
    readonly isFolder: boolean;
    /** Permission bits. */
    readonly mode: number;
    readonly ownerUid: number;
    readonly isWritable: boolean;
  } | null;
  /** This process's user; null on systems without. */
  readonly uid: number | null;
  /** On the disk of the folder, or of where it would be made; null if unknown. */
  readonly freeByteCount: number | null;
  /** Name of the network file system it is on. */
  readonly network: string | null;
  readonly usesSqlite: boolean;
}

export function judgeFolder({ path, found, uid }: FolderLook): Finding {
  const about = "data folder";
  if (found === null)
    return { level: "look", about, says: `${path} does not exist yet; the first start makes it.` };
  if (!found.isFolder)
    return { level: "wrong", about, says: `${path} is a file. Name a folder with --data.` };
  if (!found.isWritable)
    return {
      level: "wrong",
      about,
      says: `This user cannot write to ${path}. Start as the user with id ${found.ownerUid}, or change its owner.`,
    };
  if (uid !== null && found.ownerUid !== uid)
    return {
      level: "look",
      about,
      says: `${path} belongs to the user with id ${found.ownerUid}, not to this one (${uid}). Run the coordinator and its commands as that user.`,
    };
  if ((found.mode & 0o077) !== 0)
    return {
      level: "look",
      about,
      says: `Other users of this machine can look into ${path}. Make it private: chmod 700 ${path}`,
    };
  return { level: "ok", about, says: path };
}

export function judgeDisk({ freeByteCount, path }: FolderLook): Finding {
  const about = "disk";
  if (freeByteCount === null)
    return { level: "look", about, says: `The disk of ${path} does not tell its free space.` };
  const free = `${Math.floor(freeByteCount / MB)} MB free`;
  const floor = LIMITS.diskFreeByteCountMin;
  if (freeByteCount < floor)
    return {
      level: "wrong",
      about,
      says: `${free}, and no round opens below ${Math.floor(floor / MB)} MB. Make room.`,
    };
  if (freeByteCount < ROOMY * floor)
    return { level: "look", about, says: `${free}; no round opens below ${Math.floor(floor / MB)} MB.` };
  return { level: "ok", about, says: free };
}

export function judgeFileSystem({ network, usesSqlite, path }: FolderLook): Finding {
  const about = "file system";
  if (network === null) return { level: "ok", about, says: "local" };
  if (usesSqlite)
    return {
      level: "wrong",
      about,
      says: `${path} is on a network (${network}), where SQLite's locks do not work. Move it to a local disk, or use PostgreSQL.`,
    };
  return {
    level: "look",
    about,
    says: `${path} is on a network (${network}). The lock that keeps out a second coordinator may not work there.`,
  };
}

/** @param refusal  Null if nobody has the folder. */
export function judgeLock(refusal: LockRefusal | null): Finding {
  const about = "lock";
  if (refusal === null) return { level: "ok", about, says: "no coordinator has the folder" };
  if (refusal.type === "held")
    return {
      level: "ok",
      about,
      says: `a coordinator has the folder${refusal.holder === null ? "" : ` (${refusal.holder})`}`,
    };
  return {
    level: "wrong",
    about,
    says: `${refusal.path} cannot be used (${refusal.reason}). If it is damaged, stop everything that uses the folder and delete that file.`,
  };
}

export interface KeyLook {
  /** From the data folder, or as it was given. */
  readonly name: string;
  readonly mode: number;
  /** False if its content is not a key; null if that was not looked at. */
  readonly isKey: boolean | null;
}

/** @param needsIssuer  Whether the folder has been used, so that the issuer's key must be there. */
export function judgeKeys(keys: readonly KeyLook[], needsIssuer: boolean): readonly Finding[] {
  const about = "keys";
  const findings: Finding[] = [];
  if (needsIssuer && !keys.some(({ name }) => name === "issuer.key"))
    findings.push({
      level: "wrong",
      about,
      says: "issuer.key is missing. Restore it from a backup; without it every device must join again.",
    });
  for (const { name, mode, isKey } of keys) {
    if (isKey === false)
      findings.push({ level: "wrong", about, says: `${name} holds no key. Restore it from a backup.` });
    else if ((mode & 0o077) !== 0)
      findings.push({
        level: "wrong",
        about,
        says: `Other users of this machine can read ${name}: chmod 600 it. If any of them may have, replace the key.`,
      });
  }
  if (findings.length > 0) return findings;
  const says = keys.length === 0 ? "none yet" : keys.map(({ name }) => name).join(", ");
  return [{ level: "ok", about, says }];
}

/**
 * `new`: the first start makes it. `unusable`: cannot be opened, or does not belong to the folder.
 */
export type DatabaseLook =
  | { readonly kind: "new" }
  | { readonly kind: "unusable"; readonly sentence: string }
  | {
      readonly kind: "read";
      readonly name: string;
      readonly report: DatabaseReport;
      /** What an integrity check found; null if there was none. */
      readonly faults: readonly string[] | null;
      /** The folder's own record of the newest position; 0 if it has none. */
      readonly mark: number;
    };

export function judgeDatabase(look: DatabaseLook): readonly Finding[] {
  const about = "database";
  if (look.kind === "new") return [{ level: "ok", about, says: "none yet; the first start makes it" }];
  if (look.kind === "unusable") return [{ level: "wrong", about, says: look.sentence }];
  const { name, report, faults, mark } = look;
  const findings: Finding[] = [];
  if (faults !== null && faults.length > 0)
    findings.push({
      level: "wrong",
      about,
      says: `${name} is damaged (${faults[0]}). Stop the coordinator, check the disk, and restore a backup.`,
    });
  if (report.position < mark)
    findings.push({
      level: "wrong",
      about,
      says: `${name} lacks the last ${mark - report.position} events that its folder knows of. Restore folder and database together.`,
    });
  if (report.foreign.length > 0)
    findings.push({
      level: "wrong",
      about,
      says: `${name} was made by a newer version of Chorus (${report.foreign.join(", ")}). Start that version.`,
    });
  if (report.pending.length > 0)
    findings.push({
      level: "look",
      about,
      says: `${name} is of an earlier version; the next start brings it forward (${report.pending.join(", ")}). There is no way back but a backup: make one first.`,
    });
  if (findings.length > 0) return findings;
  return [
    {
      level: "ok",
      about,
      says: `${name}${faults === null ? "" : ", whole"}, ${report.position} events, ${report.schema ?? "no schema"}`,
    },
  ];
}

/** Rounds have deadlines by a clock that never steps back, but logs, tokens and certificates go by this one. */
export function judgeClock(nowUnixMs: number, newestEventUnixMs: number | null): Finding {
  const about = "clock";
  const now = new Date(nowUnixMs).toISOString();
  if (nowUnixMs < EARLIEST_UNIX_MS)
    return { level: "wrong", about, says: `It says ${now}, which is long past. Set it, best by NTP.` };
  const aheadMs = (newestEventUnixMs ?? 0) - nowUnixMs;
  if (aheadMs > CLOCK_TOLERANCE_MS)
    return {
      level: "wrong",
      about,
      says: `It says ${now}, but the newest event was ${Math.round(aheadMs / 1_000)} s later: it has stepped back. Set it, best by NTP. Rounds keep their deadlines and order; the times that people see, join tokens and certificates are off.`,
    };
  return { level: "ok", about, says: now };
}
