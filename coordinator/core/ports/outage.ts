import type { RunNotice } from "#shared/protocol/api.ts";
import { type ErrorCode, type WireError, wireError } from "#shared/protocol/errors.ts";
import { type StoreTrouble, storeTrouble } from "./store-trouble.ts";

/*
 * Outages: a store or disk that is unavailable is nobody's fault and temporary. The coordinator waits for it,
 * and callers are told to come back. Rule R43.
 */

/** A blob that a run needs is damaged or missing. It can be restored. */
export class FileLost extends Error {
  constructor(hash: string, how: "damaged" | "gone") {
    const state = how === "gone" ? "is gone" : "is damaged: its SHA-256 does not match";
    super(
      `The stored file ${hash} ${state}. Restore it from a backup as blobs/${hash.slice(0, 2)}/${hash} in the data folder.`,
    );
  }
}

const CODES: Readonly<Record<StoreTrouble, ErrorCode>> = { full: "STORAGE_FULL", away: "UNAVAILABLE" };
const SENTENCES: Readonly<Record<StoreTrouble, string>> = {
  full: "The coordinator's disk is full. Nothing was counted. It resumes by itself once there is room. Try again later.",
  away: "The coordinator's database or disk is not answering right now. Nothing was counted. Try again in a moment.",
};

const NOTICES: Readonly<Record<StoreTrouble, string>> = {
  full: "The coordinator's disk, or its database's, is full, or its files have reached the quota. Make room, or raise --quota-gb.",
  away: "The coordinator's database or disk does not answer. See its log for the reason.",
};

/** Less space than the disk's floor. Handled like a full disk, before any write has failed. */
export class DiskLow extends Error {
  readonly code = "ENOSPC";
  constructor() {
    super(
      "the data folder's disk has less free space than the coordinator reserves, or its files have reached the quota",
    );
  }
}

/** The public log has not published an entry that devices must see. Handled like a disk that does not answer. */
export class LogBehind extends Error {
  readonly code = "ETIMEDOUT";
  /** @param witnesses  How the witnesses stand that must have signed, in sentences; null if none must. */
  constructor(witnesses: string | null) {
    super(
      witnesses === null
        ? "The public log has not published the newest entries, which devices demand. See its state in /readyz."
        : `Too few witnesses have signed the newest entries of the public log, which devices of this task demand. ${witnesses}`,
    );
  }
}

/** Code that a peer is told for an outage; null for a fault. */
export function outageCode(error: unknown): ErrorCode | null {
  if (error instanceof FileLost) return "FILE_LOST";
  const trouble = storeTrouble(error);
  return trouble === null ? null : CODES[trouble];
}

/** Notice for the operator of a waiting run; null for a fault. */
export function noticeOf(error: unknown): RunNotice | null {
  const code = outageCode(error);
  if (code === null) return null;
  const says = error instanceof FileLost || error instanceof LogBehind;
  const sentence = says ? error.message : NOTICES[storeTrouble(error) ?? "away"];
  return { code, message: `${sentence} The run waits and resumes by itself afterwards.` };
}

/** The peer's error for an outage; INTERNAL for a fault. */
export function wireErrorOf(error: unknown): WireError {
  if (error instanceof FileLost) return wireError("FILE_LOST");
  const trouble = storeTrouble(error);
  return trouble === null ? wireError("INTERNAL") : wireError(CODES[trouble], SENTENCES[trouble]);
}
