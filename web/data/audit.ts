import type { z } from "zod";
import { type AuditedRound, auditRound } from "#shared/audit/audit-round.ts";
import { recording } from "#shared/audit/bundle.ts";
import type { RoundSource } from "#shared/audit/gather.ts";
import { selectPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import type { Primitives } from "#shared/kernel/ports.ts";
import {
  listSchema,
  type RoundDetail,
  roundDetailSchema,
  roundLogSchema,
  runViewSchema,
  taskViewSchema,
} from "#shared/protocol/api.ts";
import { logEntrySchema } from "#shared/protocol/log-api.ts";
import type { TileReader } from "#shared/tlog/tiled-tree.ts";
import { API, ApiFailure, read } from "./api.ts";
import { digestHere, getLog, lookHere, Meter, type OwnLook, tilesOver } from "./log.ts";

/** An audit that this browser made, and what it took. */
export interface OwnAudit extends AuditedRound {
  readonly record: RoundDetail;
  readonly look: OwnLook;
  readonly primitives: Primitives;
  /** Where the reading of entries began. */
  readonly from: number;
  readonly tookMs: number;
  readonly byteCount: number;
}

/** Audits a round in this browser. @throws ApiFailure if the round or the log is not served. */
export async function auditHere(roundId: string, showsTranscripts: boolean): Promise<OwnAudit> {
  const meter = new Meter();
  return auditOver(meter, roundId, sourceOver(meter, showsTranscripts), tilesOver(meter));
}

/** Makes the audit once more and writes down all that it reads. @returns The text of the file. @throws ApiFailure */
export async function bundleHere(roundId: string, showsTranscripts: boolean): Promise<string> {
  const meter = new Meter();
  const { witnesses } = await getLog();
  const kept = recording(sourceOver(meter, showsTranscripts), tilesOver(meter), witnesses);
  const { look, from } = await auditOver(meter, roundId, kept.source, kept.read);
  return JSON.stringify(kept.bundle({ roundId, shown: look.shown, from }, look.at));
}

async function auditOver(
  meter: Meter,
  roundId: string,
  source: RoundSource,
  read: TileReader,
): Promise<OwnAudit> {
  const primitives = await selectPrimitives(globalThis.crypto?.subtle);
  const [record, look] = await Promise.all([
    json(meter, `/rounds/${encodeURIComponent(roundId)}`, roundDetailSchema),
    lookHere(primitives, meter, read),
  ]);
  const recorded = record === null ? null : await source.round(roundId);
  if (record === null || recorded === null)
    throw new ApiFailure("NOT_FOUND", "There is no such round.", "never");
  const from = await firstEntryOf(record.runId);
  const audited = await auditRound(primitives, digestHere, source, recorded, look, from);
  return {
    ...audited,
    record,
    look,
    primitives,
    from,
    tookMs: performance.now() - meter.beganMs,
    byteCount: meter.byteCount,
  };
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
