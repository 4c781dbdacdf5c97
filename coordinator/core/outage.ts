import { type ErrorCode, type WireError, wireError } from "#shared/protocol/errors.ts";
import { type StoreTrouble, storeTrouble } from "./store-trouble.ts";

/*
 * A store or a disk that is out of reach is nobody's fault and passes: it is waited for, and whoever asks meanwhile is
 * told to come back. Rule R43.
 */

const CODES: Readonly<Record<StoreTrouble, ErrorCode>> = { full: "STORAGE_FULL", away: "UNAVAILABLE" };
const SENTENCES: Readonly<Record<StoreTrouble, string>> = {
  full: "The coordinator's disk is full. Nothing was counted. It goes on by itself when there is room; try again later.",
  away: "The coordinator's database or disk does not answer for now. Nothing was counted. Try again in a moment.",
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
  const trouble = storeTrouble(error);
  return trouble === null ? null : CODES[trouble];
}

/** As `outageCode`, whole; INTERNAL for a fault. */
export function wireErrorOf(error: unknown): WireError {
  const trouble = storeTrouble(error);
  return trouble === null ? wireError("INTERNAL") : wireError(CODES[trouble], SENTENCES[trouble]);
}
