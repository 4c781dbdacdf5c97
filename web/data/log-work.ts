import type { z } from "zod";
import { auditRound } from "#shared/audit/audit-round.ts";
import { recording } from "#shared/audit/bundle.ts";
import type { RoundSource } from "#shared/audit/gather.ts";
import type { SeenLog } from "#shared/audit/look.ts";
import { type EntryPath, entryPath } from "#shared/audit/path.ts";
import { entryOf } from "#shared/audit/read-entries.ts";
import { replayed } from "#shared/audit/replayed.ts";
import { selectPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { sha256Stream } from "#shared/crypto/sha256-sync.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import type { Primitives } from "#shared/kernel/ports.ts";
import type { LogRow } from "#shared/log/row.ts";
import {
  listSchema,
  type RoundDetail,
  roundDetailSchema,
  roundLogSchema,
  runViewSchema,
  taskViewSchema,
} from "#shared/protocol/api.ts";
import { type LogEntryView, logEntrySchema } from "#shared/protocol/log-api.ts";
import type { TileReader } from "#shared/tlog/tiled-tree.ts";
import { API, ApiFailure, read } from "./api.ts";
import { lookHere, Meter, type OwnLook, tilesOver } from "./log.ts";
import type {
  FoundEntry,
  FoundPage,
  LogCalls,
  LookView,
  OwnAudit,
  ReadProgress,
  ReplayedRound,
} from "./log-messages.ts";

/** What the audit's worker does. It keeps the log that it looked at last. */
export class LogWork {
  readonly #report: (progress: ReadProgress) => void;
  #primitives: Promise<Primitives> | null = null;
  #latest: OwnLook | null = null;
  #isEnough = false;

  /** @param report  Hears how far a reading of entries is. */
  constructor(report: (progress: ReadProgress) => void) {
    this.#report = report;
  }

  /** Ends the reading of entries that is under way. */
  enough(): void {
    this.#isEnough = true;
  }

  async look({ seen }: LogCalls["look"][0]): Promise<LookView> {
    const meter = new Meter();
    return lookView(await this.#lookAnew(meter, seen), meter);
  }

  async search({ filter, cursor, limit, seen }: LogCalls["search"][0]): Promise<FoundPage> {
    const asked = new URLSearchParams({ limit: String(limit) });
    for (const [name, value] of Object.entries(filter)) if (value !== "") asked.set(name, value);
    if (cursor !== null) asked.set("cursor", cursor);
    const known = cursor === null ? null : this.#latest;
    const [found, look] = await Promise.all([
      read(listSchema(logEntrySchema), `/log/entries?${asked}`),
      known ?? this.#lookAnew(new Meter(), seen),
    ]);
    const items: FoundEntry[] = [];
    for (const view of found.items) items.push(await checkedEntry(look, view));
    return { items, next: found.next, size: look.sight.size };
  }

  /** @throws ApiFailure if the round or the log is not served. */
  async audit({ roundId, showsTranscripts, seen }: LogCalls["audit"][0]): Promise<OwnAudit> {
    const meter = new Meter();
    const source = sourceOver(meter, showsTranscripts);
    const { record, audited, look } = await this.#auditOver(meter, roundId, source, tilesOver(meter), seen);
    const { statements, evidence } = audited;
    return {
      record,
      statements,
      look: lookView(look, meter),
      contradiction: evidence.sight.contradiction,
      replay: replayOf(evidence.log),
      read: evidence.read,
    };
  }

  /** Makes the audit once more and writes down all that it reads. @throws ApiFailure */
  async bundle({ roundId, showsTranscripts, seen }: LogCalls["bundle"][0]): Promise<Blob> {
    const meter = new Meter();
    const kept = recording(sourceOver(meter, showsTranscripts), tilesOver(meter));
    const { audited, look, from } = await this.#auditOver(meter, roundId, kept.source, kept.read, seen);
    const of = { roundId, shown: look.shown, witnesses: look.witnesses, from, read: audited.evidence.read };
    return new Blob([JSON.stringify(kept.bundle(of, look.at))], { type: "application/json" });
  }

  async path({ index, seen }: LogCalls["path"][0]): Promise<EntryPath | null> {
    const { log } = this.#latest ?? (await this.#lookAnew(new Meter(), seen));
    if (log === null || index >= log.tree.head.size) return null;
    const made = await entryPath(await this.#platform(), log.tree, index);
    return made.ok ? made.value : null;
  }

  #platform(): Promise<Primitives> {
    this.#primitives ??= selectPrimitives(globalThis.crypto?.subtle);
    return this.#primitives;
  }

  async #lookAnew(meter: Meter, seen: SeenLog | null, readTile?: TileReader): Promise<OwnLook> {
    const look = await lookHere(await this.#platform(), meter, seen, readTile);
    this.#latest = look;
    return look;
  }

  async #auditOver(
    meter: Meter,
    roundId: string,
    source: RoundSource,
    readTile: TileReader,
    seen: SeenLog | null,
  ) {
    this.#isEnough = false;
    const primitives = await this.#platform();
    const [record, look] = await Promise.all([
      json(meter, `/rounds/${encodeURIComponent(roundId)}`, roundDetailSchema),
      this.#lookAnew(meter, seen, readTile),
    ]);
    const recorded = record === null ? null : await source.round(roundId);
    if (record === null || recorded === null)
      throw new ApiFailure("NOT_FOUND", "There is no such round.", "never");
    const from = await firstEntryOf(record.runId);
    const audited = await auditRound(primitives, sha256Stream, source, recorded, look, {
      from,
      onStep: (done, total) => {
        this.#report({ done, total });
        return !this.#isEnough;
      },
    });
    return { record, audited, look, from };
  }
}

function lookView(look: OwnLook, meter: Meter): LookView {
  const { sight, shown, seen, remember, at, log, verifierKey } = look;
  return {
    origin: shown.origin,
    verifierKey,
    size: sight.size,
    witnesses: sight.witnesses,
    witnessCount: sight.witnessCount,
    contradiction: sight.contradiction,
    isReadable: log !== null,
    seen,
    remember,
    now: { origin: shown.origin, key: bytesToHex(shown.key), note: shown.note, at },
    tookMs: performance.now() - meter.beganMs,
    byteCount: meter.byteCount,
  };
}

async function checkedEntry({ log }: OwnLook, view: LogEntryView): Promise<FoundEntry> {
  if (log === null) return { view, entry: null, check: "contradicted" };
  if (view.index >= log.tree.head.size) return { view, entry: null, check: "waiting" };
  const leaves = await log.tree.leaves(view.index, view.index + 1);
  const leaf = leaves.ok ? leaves.value[0] : undefined;
  if (leaf === undefined) return { view, entry: null, check: "contradicted" };
  const entry = entryOf(view.index, leaf);
  return { view, entry, check: entry.kind === view.kind ? "checked" : "contradicted" };
}

/** Counts and phase ends of the replay, in place of those that the coordinator shows. */
function replayOf(log: readonly LogRow[] | null): ReplayedRound | null {
  const replay = log === null ? null : replayed(log);
  if (replay === null || !replay.ok) return null;
  const { state, eventCount } = replay.value;
  const phaseEndsS: RoundDetail["phaseEndsS"] = {};
  for (const [phase, endMs] of Object.entries(state.phaseEndsMs))
    phaseEndsS[phase as keyof typeof phaseEndsS] = endMs / 1_000;
  return { counts: [...state.counts], phaseEndsS, eventCount };
}

/** Where the entries about a run begin, as the coordinator says. */
async function firstEntryOf(runId: string): Promise<number> {
  const path = `/log/entries?run=${encodeURIComponent(runId)}&kind=run.launched&limit=1`;
  const { items } = await read(listSchema(logEntrySchema), path);
  return items[0]?.index ?? 0;
}

/** The parts of a round over the public API. */
function sourceOver(meter: Meter, showsTranscripts: boolean): RoundSource {
  const round = (roundId: string) => `/rounds/${encodeURIComponent(roundId)}`;
  return {
    showsTranscripts,
    round: (roundId) => json(meter, round(roundId), roundDetailSchema),
    run: async (runId) => {
      const view = await json(meter, `/runs/${encodeURIComponent(runId)}`, runViewSchema);
      if (view === null) return null;
      const { seed, beginsWith, launchedBy } = view;
      return { runId, seed, launchedBy, ...(beginsWith === undefined ? {} : { beginsWith }) };
    },
    task: async (slug, version) =>
      (await json(meter, `/tasks/${encodeURIComponent(slug)}/${version}`, taskViewSchema))?.task ?? null,
    log: async (roundId) => (await json(meter, `${round(roundId)}/log`, roundLogSchema))?.items ?? null,
    sum: async function* (roundId) {
      const bytes = await meter.bytes(`${API}${round(roundId)}/sum`);
      if (bytes !== null) yield bytes;
    },
    blob: (hash) => meter.bytes(`${API}/models/${encodeURIComponent(hash)}`),
    transcript: (roundId, shard) => meter.bytes(`${API}${round(roundId)}/transcript/${shard}`),
  };
}

/** An answer of the API; null if there is none for this reader. @throws ApiFailure */
async function json<Schema extends z.ZodType>(
  meter: Meter,
  path: string,
  schema: Schema,
): Promise<z.output<Schema> | null> {
  const bytes = await meter.bytes(API + path);
  if (bytes === null) return null;
  const parsed = schema.safeParse(jsonOf(new TextDecoder().decode(bytes)));
  if (parsed.success) return parsed.data;
  throw new ApiFailure(
    "BAD_ANSWER",
    "The coordinator's answer does not have the expected shape. Reload to get the current page.",
    "never",
  );
}

/** Undefined if `text` is not JSON. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
