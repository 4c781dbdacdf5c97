import type { Kysely, Selectable, Transaction } from "kysely";
import type { RoundRow, RoundViews, RunRow } from "#coordinator/core/ports/store.ts";
import type { TrackingDocument } from "#coordinator/core/ports/tracking-store.ts";
import {
  adoptedExperiment,
  ownArtifactUri,
  ownExperiment,
} from "#coordinator/core/tracking/own-experiments.ts";
import {
  initialMetrics,
  type RecordedRun,
  recordedRound,
  recordedRun,
} from "#coordinator/core/tracking/own-runs.ts";
import type { RunView } from "#shared/protocol/api.ts";
import type { Measures } from "#shared/stats/measure.ts";
import { nextNumber } from "../counters.ts";
import { fromJson, toJson } from "../page.ts";
import type { Database } from "../schema.ts";
import type { EnteredRuns } from "./entered-runs.ts";
import { experimentCounter } from "./experiment-counter.ts";
import { putEntries, putMetrics, putParams, runColumns } from "./runs.ts";

/* Writes what MLflow's clients see of a run or a round, in the transaction that writes its row. Rule L6. */

/** Nothing is written if neither state nor end has changed. */
export async function recordRun(tx: Transaction<Database>, runId: string, row: RunRow): Promise<void> {
  const known = await findRun(tx, runId);
  const task = known === undefined ? await taskOf(tx, row) : null;
  const recorded = recordedRun(runId, row, task);
  if (recorded === null) return;
  const { status, endTime } = recorded.run;
  if (known !== undefined) {
    if (known.status === status && known.end_time === endTime) return;
    await tx
      .updateTable("tracking_run")
      .set({ status, end_time: endTime })
      .where("run_id", "=", runId)
      .execute();
    return;
  }
  await insertRun(tx, recorded, await experimentOf(tx, row));
}

/** Once it has ended, and again with its figures. Nothing is written if its run is not known. */
export async function recordRound(tx: Transaction<Database>, roundId: string, row: RoundRow): Promise<void> {
  const parent = await findRun(tx, row.runId);
  if (parent === undefined) return;
  const recorded = recordedRound(roundId, row, { projectId: parent.project_id, userId: parent.user_id });
  if (recorded === null) return;
  if ((await findRun(tx, roundId)) === undefined) await insertRun(tx, recorded, parent.experiment_id);
  else await putMetrics(tx, roundId, recorded.metrics);
  await putMetrics(tx, row.runId, recorded.parentMetrics);
}

/** The figures of a run's first model, which belongs to no round. */
export async function recordInitial(
  tx: Transaction<Database>,
  runId: string,
  measures: Measures,
  at: number,
): Promise<void> {
  if ((await findRun(tx, runId)) !== undefined) await putMetrics(tx, runId, initialMetrics(measures, at));
}

/** Runs that are entered in one transaction, each of which waits for the disk. */
const RUNS_AT_ONCE = 50;

/** Enters runs that an earlier version made. @param onProgress  Called after each transaction; never if none is missing. */
export async function recordEarlierRuns(
  db: Kysely<Database>,
  onProgress: (entered: EnteredRuns) => void,
): Promise<void> {
  const missing = await db
    .selectFrom("run")
    .leftJoin("tracking_run", "tracking_run.run_id", "run.run_id")
    .select("run.run_id")
    .where("tracking_run.run_id", "is", null)
    .orderBy("run.created_at")
    .execute();
  for (let start = 0; start < missing.length; start += RUNS_AT_ONCE) {
    const batch = missing.slice(start, start + RUNS_AT_ONCE);
    await db.transaction().execute(async (tx) => {
      for (const { run_id: runId } of batch) await recordEarlierRun(tx, runId);
    });
    onProgress({ entered: start + batch.length, runCount: missing.length });
  }
}

/** Of the counter that is there as soon as rounds of earlier versions have their costs. */
const COSTS_ENTERED = "round-costs-entered";

/** Enters what rounds took, which an earlier version did not enter with their other figures. Done once. */
export async function recordEarlierCosts(db: Kysely<Database>): Promise<void> {
  const done = await db
    .selectFrom("counter")
    .select("name")
    .where("name", "=", COSTS_ENTERED)
    .executeTakeFirst();
  if (done !== undefined) return;
  const rounds = await db
    .selectFrom("round")
    .innerJoin("tracking_run", "tracking_run.run_id", "round.round_id")
    .select("round.round_id")
    .orderBy("round.round_id")
    .execute();
  for (let start = 0; start < rounds.length; start += RUNS_AT_ONCE) {
    const batch = rounds.slice(start, start + RUNS_AT_ONCE).map(({ round_id: roundId }) => roundId);
    await db.transaction().execute(async (tx) => {
      const rows = await tx.selectFrom("round").selectAll().where("round_id", "in", batch).execute();
      for (const row of rows) await recordRound(tx, row.round_id, roundOf(row));
    });
  }
  await nextNumber(db, COSTS_ENTERED);
}

function roundOf({ run_id: runId, round, phase, view }: Selectable<Database["round"]>): RoundRow {
  return { runId, round, phase, view: fromJson(view) as RoundViews };
}

async function recordEarlierRun(tx: Transaction<Database>, runId: string): Promise<void> {
  const run = await tx.selectFrom("run").selectAll().where("run_id", "=", runId).executeTakeFirstOrThrow();
  await recordRun(tx, runId, {
    projectId: run.project_id,
    task: run.task,
    taskVersion: run.task_version,
    number: run.number,
    state: run.state,
    actor: run.actor,
    createdAt: run.created_at,
    view: fromJson(run.view) as RunView,
    newest: null,
  });
  const rounds = await tx
    .selectFrom("round")
    .selectAll()
    .where("run_id", "=", runId)
    .orderBy("round")
    .execute();
  for (const row of rounds) await recordRound(tx, row.round_id, roundOf(row));
  const initial = await tx
    .selectFrom("model_version")
    .select("metrics")
    .where("run_id", "=", runId)
    .where("round", "=", 0)
    .executeTakeFirst();
  const figures = (initial === undefined ? null : fromJson(initial.metrics)) as {
    measures?: Measures;
  } | null;
  if (figures?.measures != null) await recordInitial(tx, runId, figures.measures, run.created_at);
}

function findRun(
  tx: Transaction<Database>,
  runId: string,
): Promise<Selectable<Database["tracking_run"]> | undefined> {
  return tx.selectFrom("tracking_run").selectAll().where("run_id", "=", runId).executeTakeFirst();
}

async function insertRun(
  tx: Transaction<Database>,
  { run, params, tags, metrics }: RecordedRun,
  experimentId: string,
): Promise<void> {
  const { runId } = run;
  const artifactUri = ownArtifactUri(experimentId, runId);
  await tx
    .insertInto("tracking_run")
    .values(runColumns({ ...run, experimentId, artifactUri }))
    .onConflict((conflict) => conflict.column("run_id").doNothing())
    .execute();
  await putParams(tx, runId, params);
  await putEntries(tx, "tracking_tag", runId, tags);
  await putMetrics(tx, runId, metrics);
}

async function taskOf(tx: Transaction<Database>, { task, taskVersion }: RunRow): Promise<unknown> {
  const row = await tx
    .selectFrom("task")
    .select("body")
    .where("slug", "=", task)
    .where("version", "=", taskVersion)
    .executeTakeFirst();
  return row === undefined ? null : fromJson(row.body);
}

/** The experiment named like the task, made if there is none; one that people made becomes the task's. */
async function experimentOf(
  tx: Transaction<Database>,
  { projectId, task, createdAt }: RunRow,
): Promise<string> {
  const known = await tx
    .selectFrom("tracking_document")
    .select(["id", "name", "body"])
    .where("project_id", "=", projectId)
    .where("kind", "=", "experiment")
    .where("name", "=", task)
    .executeTakeFirst();
  if (known !== undefined) {
    const adopted = adoptedExperiment({ ...known, body: fromJson(known.body) }, task, createdAt);
    if (adopted !== null) await changeExperiment(tx, projectId, adopted);
    return known.id;
  }
  const experimentId = String(await nextNumber(tx, experimentCounter(projectId)));
  const { id, name, body } = ownExperiment(experimentId, task, createdAt);
  await tx
    .insertInto("tracking_document")
    .values({ project_id: projectId, kind: "experiment", id, name, body: toJson(body) })
    .execute();
  return experimentId;
}

async function changeExperiment(
  tx: Transaction<Database>,
  projectId: string,
  { id, body }: TrackingDocument,
): Promise<void> {
  await tx
    .updateTable("tracking_document")
    .set({ body: toJson(body) })
    .where("project_id", "=", projectId)
    .where("kind", "=", "experiment")
    .where("id", "=", id)
    .execute();
}
