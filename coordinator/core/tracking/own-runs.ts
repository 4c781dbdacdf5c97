import { z } from "zod";
import { ownCodeSchema } from "#shared/protocol/own-code.ts";
import { isEndPhase } from "#shared/round/phases.ts";
import { deviceMeasuresSchema, type Measures, measuresSchema } from "#shared/stats/measure.ts";
import type { RoundRow, RunRow } from "../ports/store.ts";
import type { Entry, RunStatus, TrackedMetric, TrackedRun } from "../ports/tracking-store.ts";

/*
 * Runs and rounds of Chorus as MLflow shows them, from the same rows that the coordinator keeps. A run is a run of its task's
 * experiment; each round that has ended is a nested run, and a step of the run's metrics. Rule L6.
 */

/** What is written for a row. */
export interface RecordedRun {
  readonly run: Omit<TrackedRun, "experimentId" | "artifactUri">;
  readonly params: readonly Entry[];
  readonly tags: readonly Entry[];
  readonly metrics: readonly TrackedMetric[];
}

/** A round with what its run gets of it. */
export interface RecordedRound extends RecordedRun {
  readonly parentRunId: string;
  readonly parentMetrics: readonly TrackedMetric[];
}

const instant = z.string().transform((text) => Date.parse(text));

/** What views of earlier versions may lack. */
const ifKnown = z
  .number()
  .nullish()
  .transform((value) => value ?? null);

/** The parts of a run's view that are shown. */
const runPart = z.object({
  code: z.string().nullable(),
  endedBy: z.unknown().optional(),
  endedAt: instant.nullable(),
  roundsPlanned: z.number(),
  strategy: z.record(z.string(), z.unknown()),
  training: z.record(z.string(), z.unknown()),
  seed: z.number(),
  configHash: z.string(),
  launchedWith: ownCodeSchema.optional(),
});

const roundPart = z.object({
  view: z.object({
    code: z.string().nullable(),
    openedAt: instant,
    endedAt: instant.nullable(),
    joined: z.number(),
    survivors: ifKnown,
    advertised: ifKnown,
    parentModelHash: z.string(),
    modelHash: z.string().nullable(),
    measures: measuresSchema.nullable(),
    deviceMeasures: deviceMeasuresSchema.default({ before: {}, after: {} }),
    updateNormL2: ifKnown,
    traffic: z.array(z.object({ upByteCount: z.number(), downByteCount: z.number() })).default([]),
    phaseEndsS: z.record(z.string(), z.number()).default({}),
  }),
});

/** What a run's task adds to its params. */
const taskPart = z.object({
  aggregation: z.object({ clipNormL2: z.number(), cohortSizeMin: z.number(), cohortSizeMax: z.number() }),
});

/**
 * A run of Chorus. Null if the row's view is none that a driver writes.
 *
 * @param task  The body of its task version; null if it is not known.
 */
export function recordedRun(runId: string, row: RunRow, task: unknown): RecordedRun | null {
  const parsed = runPart.safeParse(row.view);
  if (!parsed.success) return null;
  const { code, endedBy, endedAt, roundsPlanned, strategy, training, seed, configHash, launchedWith } =
    parsed.data;
  const agreed = taskPart.safeParse(task);
  const name = `${row.task} run ${row.number}`;
  return {
    run: {
      runId,
      projectId: row.projectId,
      name,
      userId: row.actor,
      status: statusOf(row.state, code, endedBy ?? null),
      startTime: row.createdAt,
      endTime: endedAt,
      isDeleted: false,
      isOwn: true,
    },
    params: [
      ...flat("strategy", strategy),
      ...flat("training", training),
      ...flat("", { rounds: roundsPlanned, seed }),
      ...(agreed.success ? flat("", agreed.data.aggregation) : []),
    ],
    tags: entriesOf({
      "mlflow.runName": name,
      "mlflow.user": row.actor,
      "mlflow.source.name": "chorus",
      "mlflow.source.git.commit": launchedWith?.commit ?? null,
      "fl.task_id": row.task,
      "fl.task_version": row.taskVersion,
      "fl.run_number": row.number,
      "fl.config_sha256": configHash,
      "fl.client_code_sha256": launchedWith?.shellHash ?? null,
      "fl.secagg_protocol": "chorus/1",
    }),
    metrics: [],
  };
}

/** A round that has ended. Null before, and if the row's view is none that a driver writes. */
export function recordedRound(
  roundId: string,
  { runId, round, phase, view }: RoundRow,
  parent: Pick<TrackedRun, "projectId" | "userId">,
): RecordedRound | null {
  const parsed = roundPart.safeParse(view);
  if (!parsed.success || !isEndPhase(phase)) return null;
  const { openedAt, endedAt, code, measures, deviceMeasures, ...shown } = parsed.data.view;
  const at = endedAt ?? openedAt;
  const survivors = shown.survivors ?? 0;
  const figures: Readonly<Record<string, number | null>> = {
    ...valuesOf("", measures ?? {}),
    update_norm_l2: shown.updateNormL2,
    survivors: shown.survivors,
    ...costOf(shown),
  };
  // Of the parent model, so they belong to the step before.
  const onDevices = metricsOf(valuesOf("devices_", deviceMeasures.before), at, round - 1);
  const metrics = metricsOf(figures, at, round);
  const name = `round ${round}`;
  return {
    run: {
      runId: roundId,
      ...parent,
      name,
      status: phase === "committed" ? "FINISHED" : "FAILED",
      startTime: openedAt,
      endTime: at,
      isDeleted: false,
      isOwn: true,
    },
    params: [],
    tags: entriesOf({
      "mlflow.runName": name,
      "mlflow.parentRunId": runId,
      "mlflow.user": parent.userId,
      "fl.round": round,
      "fl.outcome": phase,
      "fl.code": code,
      "fl.joined": shown.joined,
      "fl.cohort_size": shown.survivors,
      "fl.dropouts": shown.advertised === null ? null : shown.advertised - survivors,
      "fl.parent_model_sha256": shown.parentModelHash,
      "fl.model_sha256": shown.modelHash,
    }),
    metrics,
    parentRunId: runId,
    parentMetrics: [...metrics, ...onDevices],
  };
}

/** What a round took: seconds until its last phase ended, and what a device sent and fetched, in kB of 1,000 bytes. */
function costOf({
  traffic,
  phaseEndsS,
}: Pick<z.output<typeof roundPart>["view"], "traffic" | "phaseEndsS">): Readonly<Record<string, number>> {
  const ends = Object.values(phaseEndsS);
  const bytes = traffic.reduce((sum, { upByteCount, downByteCount }) => sum + upByteCount + downByteCount, 0);
  return {
    ...(ends.length > 0 && { round_seconds: Math.max(...ends) }),
    ...(traffic.length > 0 && { device_kilobytes: bytes / 1_000 }),
  };
}

/** Of the model that no device has trained: step 0. */
export function initialMetrics(measures: Measures, at: number): readonly TrackedMetric[] {
  return metricsOf(valuesOf("", measures), at, 0);
}

function statusOf(state: string, code: string | null, endedBy: unknown): RunStatus {
  switch (state) {
    case "queued":
    case "waiting":
      return "SCHEDULED";
    case "completed":
      return endedBy === null ? "FINISHED" : "KILLED";
    case "failed":
      return code === "ABORTED_BY_OPERATOR" || endedBy !== null ? "KILLED" : "FAILED";
    default:
      return "RUNNING";
  }
}

function valuesOf(start: string, measures: Measures): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(measures).map(([name, { value }]) => [
      `${start}${name.replaceAll(/[^\w./-]/g, "_")}`,
      value,
    ]),
  );
}

function metricsOf(
  values: Readonly<Record<string, number | null>>,
  timestamp: number,
  step: number,
): readonly TrackedMetric[] {
  return Object.entries(values).flatMap(([key, value]) =>
    value === null ? [] : [{ key, value, timestamp, step }],
  );
}

function entriesOf(facts: Readonly<Record<string, string | number | null>>): readonly Entry[] {
  return Object.entries(facts).flatMap(([key, value]) =>
    value === null ? [] : [{ key, value: String(value) }],
  );
}

/** Numbers, texts and flags of a nested value, each under its path: training.optimizer.learningRate. */
function flat(path: string, value: unknown): readonly Entry[] {
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return Object.entries(value).flatMap(([key, inner]) => flat(path === "" ? key : `${path}.${key}`, inner));
  if (value === null || value === undefined) return [];
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return [{ key: path, value: text.slice(0, 6_000) }];
}
