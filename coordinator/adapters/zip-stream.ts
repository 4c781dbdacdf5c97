import { setImmediate } from "node:timers/promises";
import { Zip, ZipDeflate, ZipPassThrough } from "fflate";

/** The first day that a zip can name, so that the bytes depend on the contents alone. */
const FIRST_DAY = new Date(1980, 0, 1);
/** Text is packed. Weights hardly get smaller, and Parquet is packed already. */
const PACKED = /\.(?:txt|json|csv)$/;
/** Packing one takes a few milliseconds, in which the thread does nothing else. */
const SLICE_BYTES = 65_536;

/**
 * A zip of `files`, of which one at a time is in memory. Each is asked for once its reader has taken those before. Reading
 * fails if a file cannot be made.
 */
export function zipStream(
  files: AsyncIterable<readonly [path: string, bytes: Uint8Array<ArrayBuffer>]>,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const coming = files[Symbol.asyncIterator]();
  let zip: Zip;
  let isGone = false;
  return new ReadableStream({
    start: (controller) => {
      zip = new Zip((error, chunk, isLast) => {
        if (isGone) return;
        if (error !== null) return controller.error(error);
        if (chunk.length > 0) controller.enqueue(chunk);
        if (isLast) controller.close();
      });
    },
    pull: async () => {
      const { done, value } = await coming.next();
      if (done === true) return zip.end();
      const [path, bytes] = value;
      const file = PACKED.test(path) ? new ZipDeflate(path, { level: 6 }) : new ZipPassThrough(path);
      file.mtime = FIRST_DAY;
      zip.add(file);
      for (let start = 0; start === 0 || start < bytes.length; start += SLICE_BYTES) {
        const end = start + SLICE_BYTES;
        file.push(bytes.subarray(start, end), end >= bytes.length);
        await setImmediate();
        if (isGone) return;
      }
    },
    cancel: async () => {
      isGone = true;
      await coming.return?.();
    },
  });
}
