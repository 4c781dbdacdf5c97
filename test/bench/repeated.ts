import type { ByteSource } from "#shared/archive/byte-source.ts";

/* Large tables that are made as they are read, and what reading one costs at least. */

const PIECE_BYTE_COUNT = 1_000_000;

/** `head`, then `block` again and again until there are about `byteCount` bytes, without one array for all. */
export function repeated(head: Uint8Array, block: Uint8Array, byteCount: number): ByteSource {
  const count = Math.ceil((byteCount - head.length) / block.length);
  return {
    byteCount: head.length + count * block.length,
    read: async (from, to) => {
      const piece = new Uint8Array(to - from);
      for (let at = from; at < to; ) {
        const place = at < head.length ? at : (at - head.length) % block.length;
        const part = (at < head.length ? head : block).subarray(place, place + to - at);
        piece.set(part, at - from);
        at += part.length;
      }
      return piece;
    },
  };
}

/** Decodes a table and splits it at line ends and commas, and looks at nothing. Milliseconds, also for its beginning. */
export async function splitAlone(
  source: ByteSource,
  firstByteCount: number,
): Promise<{ readonly firstMs: number; readonly wholeMs: number }> {
  const started = performance.now();
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  let cells = 0;
  let firstMs = Number.NaN;
  for (let from = 0; from < source.byteCount; from += PIECE_BYTE_COUNT) {
    const to = Math.min(source.byteCount, from + PIECE_BYTE_COUNT);
    const bytes = await source.read(from, to);
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) cells += line.split(",").length;
    if (Number.isNaN(firstMs) && to >= firstByteCount) firstMs = performance.now() - started;
  }
  if (cells === 0) throw new Error("nothing was split");
  return { firstMs, wholeMs: performance.now() - started };
}
