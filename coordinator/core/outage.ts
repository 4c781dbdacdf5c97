import type { RunNotice } from "#shared/protocol/api.ts";
import { type ErrorCode, type WireError, wireError } from "#shared/protocol/errors.ts";
import { type StoreTrouble, storeTrouble } from "./store-trouble.ts";

/*
 * A store or a disk that is out of reach is nobody's fault and passes: it is waited for, and whoever asks meanwhile is
 * told to come back. Rule R43.
 */

/** A file of the blob store that a run needs is not what it was, or is not there; it can be put back. */
export class FileLost extends Error {
  constructor(hash: string, how: "damaged" | "gone") {
    const state = how === "gone" ? "is gone" : "is damaged: its bytes have another SHA-256";
    super(
      `The stored file ${hash} ${state}. Restore it from a backup as blobs/${hash.slice(0, 2)}/${hash} in the data folder.`,
    );
  }
}

const CODES: Readonly<Record<StoreTrouble, ErrorCode>> = { full: "STORAGE_FULL", away: "UNAVAILABLE" };
const SENTENCES: Readonly<Record<StoreTrouble, string>> = {
  full: "The coordinator's disk is full. Nothing was counted. It goes on by itself when there is room; try again later.",
  away: "The coordinator's database or disk does not answer for now. Nothing was counted. Try again in a moment.",
};

const NOTICES: Readonly<Record<StoreTrouble, string>> = {
  full: "The coordinator's disk, or its database's, is full. Make room.",
  away: "The coordinator's database or disk does not answer. See its log for the reason.",
};

/** Below the disk's floor: the same as a full disk, before a write has failed. */
export class DiskLow extends Error {
  readonly code = "ENOSPC";
  constructor() {
    super("the data folder's disk has less room than the coordinator keeps free");
  }
}

/** What a peer is told of an error that waiting mends; null for a fault. */
export function outageCode(error: unknown): ErrorCode | null {
  if (error instanceof FileLost) return "FILE_LOST";
  const trouble = storeTrouble(error);
  return trouble === null ? null : CODES[trouble];
}

/** What the operator of a run that waits is told; null for a fault. */
export function noticeOf(error: unknown): RunNotice | null {
  const code = outageCode(error);
  if (code === null) return null;
  const sentence = error instanceof FileLost ? error.message : NOTICES[storeTrouble(error) ?? "away"];
  return { code, message: `${sentence} The run waits and goes on by itself then.` };
}

/** As `outageCode`, whole; INTERNAL for a fault. */
export function wireErrorOf(error: unknown): WireError {
  if (error instanceof FileLost) return wireError("FILE_LOST");
  const trouble = storeTrouble(error);
  return trouble === null ? wireError("INTERNAL") : wireError(CODES[trouble], SENTENCES[trouble]);
}
