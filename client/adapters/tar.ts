import { assert } from "#shared/kernel/assert.ts";
import { type Bytes, concatBytes, utf8 } from "#shared/kernel/bytes.ts";

const BLOCK_BYTES = 512;

export interface TarFile {
  /** At most 100 bytes of ASCII. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * Files as one uncompressed archive.
 *
 * @param modifiedAt  Unix milliseconds.
 * Source: POSIX.1-1988, ustar interchange format.
 */
export function tar(files: readonly TarFile[], modifiedAt: number): Bytes {
  const parts: Uint8Array[] = [];
  for (const { name, bytes } of files) {
    parts.push(
      header(name, bytes.length, modifiedAt),
      bytes,
      new Uint8Array(-bytes.length & (BLOCK_BYTES - 1)),
    );
  }
  return concatBytes([...parts, new Uint8Array(2 * BLOCK_BYTES)]);
}

function header(name: string, byteCount: number, modifiedAt: number): Uint8Array {
  assert(name.length <= 100, "a name of the archive fits its field");
  const block = new Uint8Array(BLOCK_BYTES);
  const put = (offset: number, text: string) => block.set(utf8(text), offset);
  const octal = (value: number, digits: number) => `${Math.floor(value).toString(8).padStart(digits, "0")}\0`;
  put(0, name);
  put(100, octal(0o644, 7));
  put(108, octal(0, 7));
  put(116, octal(0, 7));
  put(124, octal(byteCount, 11));
  put(136, octal(modifiedAt / 1_000, 11));
  put(148, " ".repeat(8));
  put(156, "0");
  put(257, "ustar\0");
  put(263, "00");
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(148, `${sum.toString(8).padStart(6, "0")}\0 `);
  return block;
}
