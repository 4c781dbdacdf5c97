import { createReadStream } from "node:fs";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import type { ByteSource } from "#shared/archive/byte-source.ts";
import { forwardSource } from "#shared/archive/forward-source.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";

const PIECE_BYTES = 2 ** 18;

/**
 * The unpacked bytes of a gzip file, read in parts. One after the other, two gzip files are one gzip file of both contents
 * (RFC 1952, section 2.2). It is unpacked once to find its length and to check its checksums, then as it is read.
 *
 * Errors: `too-large` if it unpacks to more than `byteCountMax`; it is then unpacked no further.
 * @throws if the file cannot be read.
 */
export async function openGunzipSource(
  path: string,
  byteCountMax: number,
): Promise<Result<ByteSource & { close(): Promise<void> }, "too-large" | "damaged">> {
  let byteCount = 0;
  try {
    for await (const piece of unpack(path)) {
      byteCount += piece.length;
      if (byteCount > byteCountMax) return err("too-large");
    }
  } catch (error) {
    // Errors of zlib, and of no file system.
    if (error instanceof Error && "code" in error && String(error.code).startsWith("Z_"))
      return err("damaged");
    throw error;
  }
  return ok(forwardSource(byteCount, () => unpack(path)));
}

function unpack(path: string): AsyncIterable<Uint8Array> {
  const unpacked = createGunzip({ chunkSize: PIECE_BYTES });
  // Errors of the file reach whoever reads `unpacked`, so that nothing is left to do at the end.
  pipeline(createReadStream(path, { highWaterMark: PIECE_BYTES }), unpacked, () => undefined);
  return unpacked;
}
