import { z } from "zod";
import type { DeepReadonly } from "../kernel/deep-readonly.ts";
import { ROUND_PHASES } from "../round/phases.ts";
import { strategySchema } from "../strategy/index.ts";
import type { Task } from "../task/task.ts";
import type { RoundClaims, RoundsBefore } from "../transcript/claims.ts";

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const id = z.string().regex(/^[0-9a-f]{32}$/);
const count = z.int().min(0);
const short = z.string().max(64);
const optional = hash.nullable();

/** What the coordinator shows of a round, as far as an audit uses it. `RoundDetail` of the public API has all of it. */
export const roundRecordSchema = z.object({
  runId: id,
  round: z.int().min(1),
  roundId: id,
  runNumber: z.int().min(1),
  task: short,
  taskVersion: z.int().min(1),
  attempt: z.int().min(1),
  phase: z.enum(ROUND_PHASES),
  code: short.nullable(),
  opened: z.boolean(),
  /** ISO 8601. */
  openedAt: short,
  endedAt: short.nullable(),
  configHash: hash,
  roundHash: hash,
  parentModelHash: hash,
  modelHash: optional,
  version: count.exactOptional(),
  advertised: count.nullable(),
  survivors: count.nullable(),
  sumHash: optional,
  sumByteCount: count.nullable(),
  inputsRoot: optional,
  /** Of the only session of the newest attempt; null before it has one. */
  sid: optional,
  weightSum: z.number().nullable(),
  transcript: z
    .object({
      hash,
      sessions: z.array(z.object({ shard: count, hash, inputsRoot: hash })),
      strategy: strategySchema,
      parentStateHash: optional,
      strategyStateHash: optional,
    })
    .optional(),
  shardList: z
    .array(
      z.object({
        shard: count,
        sid: optional,
        survivors: count.nullable(),
        /** Null if it is in the sum. */
        leftOut: short.nullable(),
      }),
    )
    .optional(),
});
export type RoundRecord = DeepReadonly<z.infer<typeof roundRecordSchema>>;

/** Sessions of the newest attempt that are in the round, in order of shard. */
export function sidsOf({ sid, shardList }: Pick<RoundRecord, "sid" | "shardList">): readonly string[] {
  const sids =
    shardList === undefined ? [sid] : shardList.filter((one) => one.leftOut === null).map((one) => one.sid);
  return sids.filter((one) => one !== null);
}

/** What the coordinator shows of a run, as far as an audit uses it. */
export const runRecordSchema = z.object({
  runId: id,
  seed: z.number(),
  beginsWith: z.object({ version: count, modelHash: hash }).exactOptional(),
  /** Whoever launched it, as the coordinator calls them; null if it does not say. */
  launchedBy: z.string().max(80).nullable(),
});
export type RunRecord = DeepReadonly<z.infer<typeof runRecordSchema>>;

/** The claims of a committed round; null if it has not committed, or is older than transcripts. */
export function claimsOfRecord(record: RoundRecord, task: Task, before: RoundsBefore): RoundClaims | null {
  const { transcript, sumHash, modelHash, inputsRoot, shardList } = record;
  if (record.phase !== "committed" || transcript === undefined) return null;
  if (sumHash === null || modelHash === null || inputsRoot === null) return null;
  return {
    sumHash,
    modelHash,
    inputsRoot,
    runId: record.runId,
    round: record.round,
    configHash: record.configHash,
    roundHash: record.roundHash,
    parentModelHash: record.parentModelHash,
    transcriptHash: transcript.hash,
    shards: transcript.sessions.map(({ shard }) => shard),
    sessionHashes: transcript.sessions.map(({ hash }) => hash),
    survivorCounts: transcript.sessions.map(({ shard }) =>
      shardList === undefined
        ? record.survivors
        : (shardList.find((one) => one.shard === shard)?.survivors ?? null),
    ),
    survivorCount: record.survivors,
    weightSum: record.weightSum,
    strategy: transcript.strategy,
    parentStateHash: transcript.parentStateHash,
    strategyStateHash: transcript.strategyStateHash,
    task,
    before,
  };
}
