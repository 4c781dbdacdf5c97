import { type Look, lookAtLog, type SeenLog, type ShownLog, seenOf } from "#shared/audit/look.ts";
import { hexToBytes } from "#shared/kernel/bytes.ts";
import type { Primitives } from "#shared/kernel/ports.ts";
import { type LogView, logViewSchema } from "#shared/protocol/log-api.ts";
import { parseVerifierKey } from "#shared/tlog/note.ts";
import type { TileReader } from "#shared/tlog/tiled-tree.ts";
import { ApiFailure, read } from "./api.ts";

/*
 * The public log as this browser sees it: fetched, checked, and held against the checkpoint that it saw last. Runs in the
 * audit's worker.
 */

/** A look of this browser. */
export interface OwnLook extends Look {
  readonly shown: ShownLog;
  /** Keys of its witnesses, as texts. */
  readonly witnesses: readonly string[];
  /** The log's key as the command line takes it. */
  readonly verifierKey: string;
  /** What was seen here before this look. */
  readonly seen: SeenLog | null;
  /** What to hold the next look against; null if something contradicts this one. */
  readonly remember: SeenLog | null;
  /** ISO 8601. */
  readonly at: string;
}

/** Fetches what one check needs, each part once, and counts the bytes. */
export class Meter {
  byteCount = 0;
  readonly #fetched = new Map<string, Promise<Uint8Array<ArrayBuffer> | null>>();
  readonly beganMs = performance.now();

  /** The body of an answer; null if there is no such thing, or none for this reader. @throws ApiFailure */
  bytes(path: string): Promise<Uint8Array<ArrayBuffer> | null> {
    const known = this.#fetched.get(path) ?? this.#fetch(path);
    this.#fetched.set(path, known);
    return known;
  }

  async #fetch(path: string): Promise<Uint8Array<ArrayBuffer> | null> {
    let response: Response;
    try {
      response = await fetch(path);
    } catch {
      throw new ApiFailure("NO_ANSWER", "The coordinator does not answer.", "later");
    }
    if (response.status === 404 || response.status === 403 || response.status === 401) return null;
    if (!response.ok)
      throw new ApiFailure("BAD_ANSWER", `The coordinator answered ${response.status} to ${path}.`, "later");
    const bytes = new Uint8Array(await response.arrayBuffer());
    this.byteCount += bytes.length;
    return bytes;
  }
}

/** Looks at the log. @param seen  What this browser saw of it last. @throws ApiFailure */
export async function lookHere(
  primitives: Primitives,
  meter: Meter,
  seen: SeenLog | null,
  readTile: TileReader = tilesOver(meter),
): Promise<OwnLook> {
  const [view, note] = await Promise.all([read(logViewSchema, "/log"), meter.bytes("/log/checkpoint")]);
  const shown = await shownOf(primitives, view, note);
  const look = await lookAtLog(primitives, shown, readTile, seen);
  const at = new Date().toISOString();
  const holds = look.log !== null && look.sight.contradiction === null;
  const remember = holds && look.log !== null ? seenOf(shown, look.log, at) : null;
  const { witnesses, verifierKey } = view;
  return { ...look, shown, witnesses, verifierKey, seen, remember, at };
}

/** The log's tiles as the coordinator serves them. */
export function tilesOver(meter: Meter): TileReader {
  return (path) => meter.bytes(`/log/${path}`);
}

async function shownOf(
  primitives: Primitives,
  { origin, key, witnesses, rotations }: LogView,
  note: Uint8Array | null,
): Promise<ShownLog> {
  const keys = await Promise.all(witnesses.map((text) => parseVerifierKey(primitives, text)));
  return {
    origin,
    key: hexToBytes(key),
    rotations,
    note: note === null ? "" : new TextDecoder().decode(note),
    witnesses: keys.flatMap((parsed) => (parsed.ok ? [parsed.value] : [])),
  };
}
