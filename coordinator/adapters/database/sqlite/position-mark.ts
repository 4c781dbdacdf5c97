import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { isErrorCode } from "../../system-errors.ts";

/*
 * The log's position, in a file beside the database. It reveals a database that lost its write-ahead log or
 * was replaced by an older copy. It is written after each commit without syncing, so a power cut may leave an
 * older number, but never one newer than the last commit.
 */

const DIGITS = 16;

export class PositionMark {
  readonly #file: number;
  readonly #bytes = Buffer.alloc(DIGITS + 1, "\n");

  /** @throws the file system's error. */
  constructor(path: string) {
    // Creates the file if it is missing. Opening for appending leaves existing content alone.
    closeSync(openSync(path, "a"));
    this.#file = openSync(path, "r+");
  }

  write(position: number): void {
    this.#bytes.write(markText(position), "latin1");
    try {
      writeSync(this.#file, this.#bytes, 0, this.#bytes.length, 0);
    } catch {
      // The commit stands without its mark. An older number only detects less.
    }
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** Content of a mark. */
export function markText(position: number): string {
  return `${String(position).padStart(DIGITS, "0")}\n`;
}

/** Path of the mark in a data folder. */
export function markPath(dataDir: string): string {
  return join(dataDir, "chorus.position");
}

/** The last position that the folder recorded, or 0. */
export function readMark(path: string): number {
  try {
    const text = readFileSync(path, "latin1").trim();
    return /^\d{1,16}$/.test(text) ? Number(text) : 0;
  } catch (error) {
    if (isErrorCode(error, "ENOENT")) return 0;
    throw error;
  }
}
