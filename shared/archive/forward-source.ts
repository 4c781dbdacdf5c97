import type { ByteSource } from "./byte-source.ts";

/**
 * A source over bytes that can only be had from the beginning on, such as those of a packed file. Reads in ascending order
 * cost one pass; a read of what lies before the last one begins again. Memory is that of one chunk and of what is read.
 *
 * @param openChunks  All bytes in pieces, from the first. Called for each pass.
 * Reads reject if the chunks end too early.
 */
export function forwardSource(
  byteCount: number,
  openChunks: () => AsyncIterable<Uint8Array>,
): ByteSource & { close(): Promise<void> } {
  let chunks: AsyncIterator<Uint8Array> | null = null;
  /** The newest chunk, and where it begins. */
  let chunk: Uint8Array = new Uint8Array(0);
  let start = 0;
  const close = async () => {
    await chunks?.return?.();
    chunks = null;
  };
  return {
    byteCount,
    close,
    read: async (from, to) => {
      if (chunks === null || from < start) {
        await close();
        chunks = openChunks()[Symbol.asyncIterator]();
        [chunk, start] = [new Uint8Array(0), 0];
      }
      const bytes = new Uint8Array(to - from);
      for (let at = from; at < to; ) {
        const end = start + chunk.length;
        if (at >= end) {
          const next = await chunks.next();
          if (next.done === true) throw new Error("the unpacked bytes end too early");
          [chunk, start] = [next.value, end];
          continue;
        }
        const part = chunk.subarray(at - start, to - start);
        bytes.set(part, at - from);
        at += part.length;
      }
      return bytes;
    },
  };
}
