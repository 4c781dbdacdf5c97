import { z } from "zod";
import {
  type Bytes,
  base64ToBytes,
  bytesToBase64,
  bytesToHex,
  concatBytes,
  hexToBytes,
} from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import { taskSchema } from "../task/task.ts";
import { parseVerifierKey } from "../tlog/note.ts";
import type { TileReader } from "../tlog/tiled-tree.ts";
import type { Digest } from "../transcript/published-sums.ts";
import { type AuditedRound, auditRound } from "./audit-round.ts";
import type { RoundEvidence } from "./evidence.ts";
import type { RoundSource } from "./gather.ts";
import { type Look, lookAtLog, type ShownLog } from "./look.ts";
import { READ_BLOCK } from "./read-entries.ts";
import { roundRecordSchema, runRecordSchema } from "./record.ts";

/*
 * An audit as a file, to be made again without the coordinator: everything that it read, of the log and of the round. Whoever
 * checks the file runs the same code over it, so nothing in it is believed beyond what the audit itself believes.
 *
 * Does not protect: a file is of the moment at which it was made, and says nothing of what the log became.
 */

export const BUNDLE_FORMAT = "chorus/audit-bundle/1";
/** A transcript and models of a large round are tens of megabytes. */
const BYTES_MAX = 200_000_000;

const bytes = z.string().max(BYTES_MAX);
const key = z.string().regex(/^[0-9a-f]{64}$/);

export const bundleSchema = z.strictObject({
  format: z.literal(BUNDLE_FORMAT),
  /** ISO 8601, by the clock of whoever made it. */
  at: z.string().max(40),
  log: z.strictObject({
    origin: z.string().max(200),
    key,
    note: z.string().max(262_144),
    witnesses: z.array(z.string().max(400)).max(100),
    rotations: z.array(z.int().min(0)).max(1_000),
    /** Where the reading began. */
    from: z.int().min(0),
    /** The entries that were read; files of earlier programs do not say, see `readIn`. */
    read: z.strictObject({ from: z.int().min(0), to: z.int().min(0) }).exactOptional(),
    /** Base64, by path. */
    tiles: z.record(z.string().max(100), bytes),
  }),
  roundId: z.string().max(32),
  rounds: z.array(roundRecordSchema).max(10_000),
  run: runRecordSchema.nullable(),
  task: taskSchema.nullable(),
  roundLog: z.array(z.object({ sequence: z.int(), event: z.unknown() })).nullable(),
  /** Base64. */
  sum: bytes.nullable(),
  /** Base64, by hash. */
  blobs: z.record(z.string().max(64), bytes),
  /** False if whoever made the file could not read transcripts. */
  showsTranscripts: z.boolean(),
  /** Base64, by shard. */
  transcripts: z.record(z.string().max(12), bytes),
});
export type Bundle = z.infer<typeof bundleSchema>;

/** What an audit reads, written down as it reads it. */
export interface Recording {
  readonly source: RoundSource;
  readonly read: TileReader;
  /** The file, once the audit has ended. @param at  ISO 8601. */
  bundle(
    of: {
      readonly roundId: string;
      readonly shown: ShownLog;
      /** The log's witnesses as texts, as the coordinator shows them. */
      readonly witnesses: readonly string[];
      readonly from: number;
      readonly read: RoundEvidence["read"];
    },
    at: string,
  ): Bundle;
}

type Written = Pick<Bundle, "rounds" | "run" | "task" | "roundLog" | "sum" | "blobs" | "transcripts">;

export function recording(source: RoundSource, read: TileReader): Recording {
  const tiles: Record<string, string> = {};
  const written: Written = {
    rounds: [],
    run: null,
    task: null,
    roundLog: null,
    sum: null,
    blobs: {},
    transcripts: {},
  };
  return {
    source: recordedSource(source, written),
    read: async (path) => {
      const tile = await read(path);
      if (tile !== null) tiles[path] = bytesToBase64(tile);
      return tile;
    },
    bundle: (
      { roundId, shown: { origin, key: logKey, note, rotations }, witnesses, from, read: entries },
      at,
    ) => ({
      format: BUNDLE_FORMAT,
      at,
      log: {
        origin,
        key: bytesToHex(logKey),
        note,
        witnesses: [...witnesses],
        rotations: [...rotations],
        from,
        read: entries,
        tiles,
      },
      roundId,
      showsTranscripts: source.showsTranscripts,
      ...written,
    }),
  };
}

function recordedSource(source: RoundSource, written: Written): RoundSource {
  return {
    showsTranscripts: source.showsTranscripts,
    round: async (roundId) => {
      const record = await source.round(roundId);
      if (record !== null) written.rounds.push(roundRecordSchema.parse(record));
      return record;
    },
    run: async (runId) => {
      const run = await source.run(runId);
      written.run = run === null ? null : runRecordSchema.parse(run);
      return run;
    },
    task: async (slug, version) => {
      written.task = await source.task(slug, version);
      return written.task;
    },
    log: async (roundId) => {
      const log = await source.log(roundId);
      written.roundLog = log === null ? null : [...log];
      return log;
    },
    sum: async function* (roundId) {
      const pieces: Uint8Array[] = [];
      for await (const piece of source.sum(roundId)) {
        pieces.push(piece);
        yield piece;
      }
      if (pieces.length > 0) written.sum = bytesToBase64(concatBytes(pieces));
    },
    blob: async (hash) => {
      const blob = await source.blob(hash);
      if (blob !== null) written.blobs[hash] = bytesToBase64(blob);
      return blob;
    },
    transcript: async (roundId, shard) => {
      const transcript = await source.transcript(roundId, shard);
      if (transcript !== null) written.transcripts[String(shard)] = bytesToBase64(transcript);
      return transcript;
    },
  };
}

/** Reads a file that anyone may have made. @param value  As parsed from JSON. */
export function parseBundle(value: unknown): Result<Bundle, BundleError> {
  const parsed = bundleSchema.safeParse(value);
  if (parsed.success) return ok(parsed.data);
  const place = parsed.error.issues[0]?.path.join(".") ?? "";
  return err({ type: "bad-bundle", place });
}
export interface BundleError {
  readonly type: "bad-bundle";
  /** The first field that does not fit. */
  readonly place: string;
}

export interface AuditedBundle extends AuditedRound {
  readonly look: Look;
}

/**
 * Makes the audit of a file again. Rule A65.
 *
 * @param pinned  The log's key, if it is known from elsewhere; null to take the file's word.
 */
export async function auditBundle(
  primitives: Primitives,
  digest: () => Digest,
  bundle: Bundle,
  pinned: Bytes | null,
): Promise<Result<AuditedBundle, BundleError>> {
  const { log, roundId } = bundle;
  const record = bundle.rounds.find((one) => one.roundId === roundId);
  if (record === undefined) return err({ type: "bad-bundle", place: "rounds" });
  const witnesses = await Promise.all(log.witnesses.map((text) => parseVerifierKey(primitives, text)));
  const shown: ShownLog = {
    origin: log.origin,
    key: hexToBytes(log.key),
    pinned,
    note: log.note,
    rotations: log.rotations,
    witnesses: witnesses.flatMap((parsed) => (parsed.ok ? [parsed.value] : [])),
  };
  const read: TileReader = async (path) => bytesIn(log.tiles, path);
  const look = await lookAtLog(primitives, shown, read, null);
  const reading = { from: log.from, within: readIn(log, look.sight.size) };
  const audited = await auditRound(primitives, digest, sourceOf(bundle), record, look, reading);
  return ok({ ...audited, look });
}

/** What a file has of the log. Earlier programs read all of a log of up to `READ_BLOCK` entries, else that many. */
function readIn({ from, read }: Bundle["log"], size: number): RoundEvidence["read"] {
  if (read !== undefined) return read;
  const begin = size <= READ_BLOCK ? 0 : Math.min(from, size);
  return { from: begin, to: Math.min(size, begin + READ_BLOCK) };
}

function sourceOf(bundle: Bundle): RoundSource {
  return {
    showsTranscripts: bundle.showsTranscripts,
    round: async (roundId) => bundle.rounds.find((one) => one.roundId === roundId) ?? null,
    run: async (runId) => (bundle.run?.runId === runId ? bundle.run : null),
    task: async (slug, version) =>
      bundle.task?.slug === slug && bundle.task.version === version ? bundle.task : null,
    log: async () => bundle.roundLog,
    sum: async function* () {
      const sum = bundle.sum === null ? undefined : base64ToBytes(bundle.sum);
      if (sum !== undefined) yield sum;
    },
    blob: async (hash) => bytesIn(bundle.blobs, hash),
    transcript: async (_roundId, shard) => bytesIn(bundle.transcripts, String(shard)),
  };
}

function bytesIn(texts: Readonly<Record<string, string>>, name: string): Bytes | null {
  const text = Object.hasOwn(texts, name) ? texts[name] : undefined;
  return (text === undefined ? undefined : base64ToBytes(text)) ?? null;
}
