import { createTar } from "nanotar";
import { assert } from "#shared/kernel/assert.ts";
import { type Bytes, concatBytes } from "#shared/kernel/bytes.ts";

/** Two empty blocks. Source: POSIX.1-2017, pax, ustar interchange format. */
const END_BYTES = 1_024;

export interface TarFile {
  /** At most 100 bytes of ASCII. */
  readonly name: string;
  readonly data: Uint8Array;
}

/**
 * Packs files into one uncompressed archive that anyone may read and that names no user.
 *
 * @param modifiedAtMs  Unix milliseconds.
 */
export function tar(files: readonly TarFile[], modifiedAtMs: number): Bytes {
  // The library would truncate a longer name.
  for (const { name } of files) assert(name.length <= 100, "a name of the archive fits its field");
  const attrs = { mtime: modifiedAtMs, mode: "644", uid: 0, gid: 0 };
  // The library pads to whole records, but may leave out the two blocks that end an archive.
  return concatBytes([createTar([...files], { attrs }), new Uint8Array(END_BYTES)]);
}
