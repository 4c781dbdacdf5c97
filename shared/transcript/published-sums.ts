import { bytesToWords } from "../codec/vector-bytes.ts";
import { ok } from "../kernel/result.ts";
import type { VectorLayout } from "../vector/layout.ts";
import { publishedLength } from "../vector/publish.ts";
import { type Checked, fault, withheld } from "./fault.ts";

/** SHA-256 over pieces as they arrive. */
export interface Digest {
  update(bytes: Uint8Array): void;
  hex(): string;
}

/** Reads the published numbers session by session as the bytes arrive. Holds one session in memory. */
export class SessionSums {
  readonly #pieces: AsyncIterator<Uint8Array>;
  readonly #digest: Digest;
  readonly #byteCount: number;
  #left: Uint8Array = new Uint8Array(0);
  #began = false;

  constructor(layout: VectorLayout, pieces: AsyncIterable<Uint8Array>, digest: Digest) {
    this.#pieces = pieces[Symbol.asyncIterator]();
    this.#digest = digest;
    this.#byteCount = 4 * publishedLength(layout);
  }

  async next(): Promise<Checked<Int32Array<ArrayBuffer>>> {
    const bytes = new Uint8Array(this.#byteCount);
    let filled = 0;
    while (filled < bytes.length) {
      const piece = this.#left.length > 0 ? this.#left : await this.#read();
      if (piece === null)
        return this.#began
          ? fault("SUM_HASH", "The published sum ends early.")
          : withheld("The published sum");
      const taken = piece.subarray(0, bytes.length - filled);
      bytes.set(taken, filled);
      filled += taken.length;
      this.#left = piece.subarray(taken.length);
    }
    const words = bytesToWords(bytes);
    return ok(new Int32Array(words.buffer, words.byteOffset, words.length));
  }

  async #read(): Promise<Uint8Array | null> {
    const { done, value } = await this.#pieces.next();
    if (done === true) return null;
    this.#began = true;
    this.#digest.update(value);
    return value;
  }

  /** The digest of all bytes; null if there are too many. */
  async end(): Promise<string | null> {
    return this.#left.length > 0 || (await this.#read()) !== null ? null : this.#digest.hex();
  }
}

/** Checks the hash of all that was read, after the last session. @param hash  That the round's record names. */
export async function checkSumHash(sum: SessionSums, hash: string): Promise<Checked<void>> {
  const digest = await sum.end();
  if (digest === hash) return ok(undefined);
  return fault(
    "SUM_HASH",
    `The published sum has ${digest === null ? "too many bytes" : `the hash ${digest}, not ${hash}`}.`,
  );
}
