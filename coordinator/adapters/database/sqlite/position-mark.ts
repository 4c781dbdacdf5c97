import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { isErrorCode } from "../../system-errors.ts";

/*
 * How far the event log has come, in a file of its own beside the database, so that a database that lost its log file
 * or was replaced by an older copy shows. Written after each commit and not synchronized: a power cut may leave an
 * older number, never a newer one than what was committed.
 */

const DIGITS = 16;

export class PositionMark {
  readonly #file: number;
  readonly #bytes = Buffer.alloc(DIGITS + 1, "\n");

  /** @throws the file system's error. */
  constructor(path: string) {
    // Makes the file if it is missing and leaves it as it is otherwise; appending cannot overwrite.
    closeSync(openSync(path, "a"));
    this.#file = openSync(path, "r+");
  }

  write(position: number): void {
    this.#bytes.write(String(position).padStart(DIGITS, "0"), "latin1");
    try {
      writeSync(this.#file, this.#bytes, 0, this.#bytes.length, 0);
    } catch {
      // The commit stands without its mark; an older number only shows less.
    }
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** Path of the mark in a data folder. */
export function markPath(dataDir: string): string {
  return join(dataDir, "chorus.position");
}

/** The position that the folder knows of; 0 if it knows none. */
export function readMark(path: string): number {
  try {
    const text = readFileSync(path, "latin1").trim();
    return /^\d{1,16}$/.test(text) ? Number(text) : 0;
  } catch (error) {
    if (isErrorCode(error, "ENOENT")) return 0;
    throw error;
  }
}
