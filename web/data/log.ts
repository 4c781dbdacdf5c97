import { sha256 } from "@noble/hashes/sha2.js";
import {
  type Look,
  lookAtLog,
  type SeenLog,
  type ShownLog,
  seenLogSchema,
  seenOf,
} from "#shared/audit/look.ts";
import { bytesToHex, hexToBytes } from "#shared/kernel/bytes.ts";
import type { Primitives } from "#shared/kernel/ports.ts";
import { type LogView, logViewSchema } from "#shared/protocol/log-api.ts";
import { parseVerifierKey } from "#shared/tlog/note.ts";
import type { TileReader } from "#shared/tlog/tiled-tree.ts";
import type { Digest } from "#shared/transcript/published-sums.ts";
import { ApiFailure, read } from "./api.ts";
import { keptStorage } from "./storage.ts";

/*
 * The public log as this browser sees it: fetched, checked, and held against the checkpoint that it saw last.
 */

/** A look of this browser, and what it cost. */
export interface OwnLook extends Look {
  readonly shown: ShownLog;
  /** The log's key as the command line takes it. */
  readonly verifierKey: string;
  /** What was seen here before this look. */
  readonly seen: SeenLog | null;
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

export const getLog = () => read(logViewSchema, "/log");

/** Looks at the log and remembers what it saw, unless something contradicts it. @throws ApiFailure */
export async function lookHere(
  primitives: Primitives,
  meter: Meter,
  read = tilesOver(meter),
): Promise<OwnLook> {
  const [view, note] = await Promise.all([getLog(), meter.bytes("/log/checkpoint")]);
  const shown = await shownOf(primitives, view, note);
  const seen = lastSeen();
  const look = await lookAtLog(primitives, shown, read, seen);
  const at = new Date().toISOString();
  if (look.log !== null && look.sight.contradiction === null) remember(seenOf(shown, look.log, at));
  return { ...look, shown, seen, at, verifierKey: view.verifierKey };
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

const SEEN_KEY = "chorus.log-seen";

/** What this browser saw of the log last; null if nothing, or if it keeps nothing. */
export function lastSeen(): SeenLog | null {
  const text = keptStorage()?.getItem(SEEN_KEY) ?? null;
  if (text === null) return null;
  try {
    const parsed = seenLogSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

function remember(seen: SeenLog): void {
  try {
    keptStorage()?.setItem(SEEN_KEY, JSON.stringify(seen));
  } catch {
    // A full or blocked storage keeps nothing; the next look is a first one.
  }
}

/** Both checkpoints of a contradiction, as a file for whoever looks into it. */
export function contradictionFile({ seen, shown, sight, at }: OwnLook): string {
  const { origin, key, note } = shown;
  const now = { origin, key: bytesToHex(key), note, at };
  return `${JSON.stringify({ contradiction: sight.contradiction, before: seen, now }, null, 2)}\n`;
}

export function digestHere(): Digest {
  const hash = sha256.create();
  return { update: (bytes) => void hash.update(bytes), hex: () => bytesToHex(new Uint8Array(hash.digest())) };
}
