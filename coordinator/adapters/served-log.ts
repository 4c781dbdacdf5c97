import type { ShownLog } from "#shared/audit/look.ts";
import { type Bytes, concatBytes, hexToBytes } from "#shared/kernel/bytes.ts";
import { logViewSchema } from "#shared/protocol/log-api.ts";
import type { TileReader } from "#shared/tlog/tiled-tree.ts";

/** A coordinator's public log as an outsider reads it over HTTP. Nothing of it is checked yet. */
export interface ServedLog {
  readonly shown: ShownLog;
  readonly read: TileReader;
}

/** Longest file that is read of a page or a log. */
const FILE_BYTES_MAX = 20_000_000;

/**
 * @param pinned  The log's key, or one from which its entries must lead to it; absent to take the coordinator's word.
 * @returns Null if the coordinator shows no log.
 * @throws Error with a sentence if it cannot be known.
 */
export async function servedLog(coordinator: URL, pinned?: Bytes): Promise<ServedLog | null> {
  const [view, note] = await Promise.all([
    fetched(new URL("/api/v1/log", coordinator)),
    fetched(new URL("/log/checkpoint", coordinator)),
  ]);
  if (view === null || note === null) return null;
  const parsed = logViewSchema.safeParse(jsonOf(view));
  if (!parsed.success) throw new Error(`What ${coordinator.origin} says of its log has an unexpected shape.`);
  const { origin, key, rotations } = parsed.data;
  const shown = {
    origin,
    key: hexToBytes(key),
    pinned: pinned ?? null,
    note: new TextDecoder().decode(note),
    witnesses: [],
    rotations,
  };
  return { shown, read: (path) => fetched(new URL(`/log/${path}`, coordinator)) };
}

/** @returns Null if there is no such thing. @throws Error with a sentence if it cannot be known. */
export async function fetched(url: URL): Promise<Bytes | null> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(60_000) }).catch(() => null);
  if (answer === null) throw new Error(`${url.origin} does not answer.`);
  if (answer.status === 404) return null;
  if (!answer.ok) throw new Error(`${url.href} was answered with ${answer.status}.`);
  const pieces: Bytes[] = [];
  let byteCount = 0;
  for await (const piece of answer.body ?? []) {
    byteCount += piece.length;
    // Leaving the loop ends the connection.
    if (byteCount > FILE_BYTES_MAX)
      throw new Error(`${url.href} is longer than any file of a page or a log.`);
    pieces.push(new Uint8Array(piece));
  }
  return concatBytes(pieces);
}

/** Undefined if `bytes` is not JSON. */
function jsonOf(bytes: Bytes): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
