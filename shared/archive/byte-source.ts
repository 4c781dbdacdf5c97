import type { Result } from "../kernel/result.ts";

/** A file that is read in parts: a Blob of a page, or a file on a disk. */
export interface ByteSource {
  readonly byteCount: number;
  /** Bytes from `from` to before `to`, which are within the file. Rejects if they cannot be read. */
  read(from: number, to: number): Promise<Uint8Array>;
}

/** One file of a folder, of an archive, or of those that a person chose. */
export interface NamedFile {
  /** Below the folder or in the archive, with "/" between folders. */
  readonly path: string;
  /** Errors: the end of a sentence that starts with the file's name, such as `tooLarge`. */
  read(byteCountMax: number): Promise<Result<Uint8Array, string>>;
}

/** @returns the end of a sentence that starts with the file's name. */
export function tooLarge(byteCountMax: number): string {
  return `is larger than ${byteCountMax / 1e6} MB`;
}

/** A source over bytes in memory. */
export function sourceOf(bytes: Uint8Array): ByteSource {
  return { byteCount: bytes.length, read: async (from, to) => bytes.subarray(from, to) };
}

/** The bytes from `from` to before `to`, as a source of their own. */
export function sliceOf(source: ByteSource, from: number, to: number): ByteSource {
  return { byteCount: to - from, read: (first, end) => source.read(from + first, from + end) };
}

const WINDOW_BYTES = 4 * 2 ** 20;

/** Reads ahead, so that many small parts in ascending order cost few reads. */
export function readAhead(source: ByteSource): ByteSource {
  let start = 0;
  let window = new Uint8Array(0);
  return {
    byteCount: source.byteCount,
    read: async (from, to) => {
      if (from < start || to > start + window.length) {
        const end = Math.min(source.byteCount, Math.max(to, from + WINDOW_BYTES));
        window = new Uint8Array(await source.read(from, end));
        start = from;
      }
      return window.subarray(from - start, to - start);
    },
  };
}
