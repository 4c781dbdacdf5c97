import { type Insertable, type Kysely, type Selectable, sql, type Transaction } from "kysely";
import {
  type BatchRefusal,
  type Entry,
  type FoundRuns,
  type RunBatch,
  type RunChanges,
  type RunLink,
  SEARCH_BYTES_MAX,
  sizeOfRun,
  type TrackedMetric,
  type TrackedRun,
  type TrackingStore,
  type WholeRun,
} from "#coordinator/core/ports/tracking-store.ts";
import { newestOfEach } from "#coordinator/core/tracking/newest-metrics.ts";
import { hasOwnParts } from "#coordinator/core/tracking/notes.ts";
import { present } from "#shared/kernel/assert.ts";
import { fromJson, inBatches, toJson } from "../page.ts";
import type { Database } from "../schema.ts";
import { type SqlDialect, searchRunIds } from "./search.ts";

type RunQueries = Pick<
  TrackingStore,
  | "createTrackedRun"
  | "findTrackedRun"
  | "changeTrackedRun"
  | "logBatch"
  | "deleteRunTag"
  | "putRunLinks"
  | "searchTrackedRuns"
  | "metricHistory"
>;

/** Runs of experiments with what was logged for them. */
export function trackedRunQueries(db: Kysely<Database>, dialect: SqlDialect): RunQueries {
  return {
    createTrackedRun: (run, tags) =>
      db.transaction().execute(async (tx) => {
        await tx.insertInto("tracking_run").values(runColumns(run)).execute();
        await putEntries(tx, "tracking_tag", run.runId, tags);
      }),
    findTrackedRun: async (projectId, runId) => {
      const row = await findRow(db, projectId, runId);
      if (row === undefined) return null;
      return present((await wholeRuns(db, [row]))[0], "a row is a run");
    },
    changeTrackedRun: async (runId, changes) => {
      const columns = changedColumns(changes);
      if (Object.keys(columns).length === 0) return;
      await db.updateTable("tracking_run").set(columns).where("run_id", "=", runId).execute();
    },
    logBatch: (projectId, runId, batch) =>
      db.transaction().execute(async (tx) => {
        // SQLite has one writer. Elsewhere two batches must not both find a param missing.
        if (dialect === "postgresql")
          await sql`select 1 from tracking_run where run_id = ${runId} for update`.execute(tx);
        return logIn(tx, projectId, runId, batch);
      }),
    deleteRunTag: async (runId, key) => {
      await db.deleteFrom("tracking_tag").where("run_id", "=", runId).where("key", "=", key).execute();
    },
    putRunLinks: (_projectId, runId, links) =>
      db.transaction().execute(async (tx) => {
        for (const link of links) await putLink(tx, runId, link);
      }),
    searchTrackedRuns: async (projectId, query) => {
      const runIds = await searchRunIds(db, dialect, projectId, query);
      return readRuns(db, runIds);
    },
    metricHistory: async (runId, key, { offset, limit }) => {
      const rows = await db
        .selectFrom("tracking_metric")
        .selectAll()
        .where("run_id", "=", runId)
        .where("key", "=", key)
        .orderBy("step")
        .orderBy("timestamp")
        .orderBy("value")
        .limit(limit)
        .offset(offset)
        .execute();
      return rows.map(metricOf);
    },
  };
}

/** Runs that are read at once, so that a few large ones do not fill the memory. */
const RUNS_AT_ONCE = 50;

/** In the order of the ids, as far as they fit. */
async function readRuns(db: Kysely<Database>, runIds: readonly string[]): Promise<FoundRuns> {
  const runs: WholeRun[] = [];
  let size = 0;
  for (let start = 0; start < runIds.length; start += RUNS_AT_ONCE) {
    const batch = runIds.slice(start, start + RUNS_AT_ONCE);
    const rows = await db.selectFrom("tracking_run").selectAll().where("run_id", "in", batch).execute();
    const byId = new Map(rows.map((row) => [row.run_id, row]));
    const wanted = batch.map((runId) => present(byId.get(runId), "a run that was found"));
    for (const run of await wholeRuns(db, wanted)) {
      size += sizeOfRun(run);
      if (size > SEARCH_BYTES_MAX && runs.length > 0) return { runs, isCut: true };
      runs.push(run);
    }
  }
  return { runs, isCut: false };
}

function findRow(db: Kysely<Database>, projectId: string, runId: string) {
  return db
    .selectFrom("tracking_run")
    .selectAll()
    .where("run_id", "=", runId)
    .where("project_id", "=", projectId)
    .executeTakeFirst();
}

async function logIn(
  tx: Transaction<Database>,
  projectId: string,
  runId: string,
  batch: RunBatch,
): Promise<BatchRefusal | null> {
  const { metrics, params, tags } = batch;
  const run = await findRow(tx, projectId, runId);
  if (run === undefined) return { type: "not-found" };
  if (run.is_deleted) return { type: "deleted" };
  if (run.is_own && hasOwnParts(batch)) return { type: "own" };
  const changed = await changedParam(tx, runId, params);
  if (changed !== null) return changed;
  await putParams(tx, runId, params);
  await putMetrics(tx, runId, metrics);
  await putEntries(tx, "tracking_tag", runId, tags);
  return null;
}

async function changedParam(
  tx: Transaction<Database>,
  runId: string,
  params: readonly Entry[],
): Promise<BatchRefusal | null> {
  if (params.length === 0) return null;
  const keys = params.map(({ key }) => key);
  const rows = await tx
    .selectFrom("tracking_param")
    .selectAll()
    .where("run_id", "=", runId)
    .where("key", "in", keys)
    .execute();
  const known = new Map(rows.map(({ key, value }) => [key, value]));
  const changed = params.find(({ key, value }) => (known.get(key) ?? value) !== value);
  if (changed === undefined) return null;
  const { key, value } = changed;
  return { type: "param-changed", key, old: known.get(key) ?? "", asked: value };
}

/** Params that are there stay. */
export async function putParams(
  tx: Transaction<Database>,
  runId: string,
  params: readonly Entry[],
): Promise<void> {
  for (const batch of inBatches(params)) {
    await tx
      .insertInto("tracking_param")
      .values(batch.map(({ key, value }) => ({ run_id: runId, key, value })))
      .onConflict((conflict) => conflict.columns(["run_id", "key"]).doNothing())
      .execute();
  }
}

export async function putEntries(
  tx: Transaction<Database>,
  table: "tracking_tag" | "tracking_param",
  runId: string,
  entries: readonly Entry[],
): Promise<void> {
  // Of two with one key the later one counts; a statement may not write a row twice.
  const byKey = new Map(entries.map((entry) => [entry.key, entry]));
  for (const batch of inBatches([...byKey.values()])) {
    await tx
      .insertInto(table)
      .values(batch.map(({ key, value }) => ({ run_id: runId, key, value })))
      .onConflict((conflict) =>
        conflict.columns(["run_id", "key"]).doUpdateSet({ value: sql<string>`excluded.value` }),
      )
      .execute();
  }
}

export async function putMetrics(
  tx: Transaction<Database>,
  runId: string,
  metrics: readonly TrackedMetric[],
): Promise<void> {
  for (const batch of inBatches(metrics)) {
    await tx
      .insertInto("tracking_metric")
      .values(batch.map((metric) => metricColumns(runId, metric)))
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
  for (const batch of inBatches(newestOfEach(metrics))) {
    await tx
      .insertInto("tracking_newest_metric")
      .values(batch.map((metric) => metricColumns(runId, metric)))
      .onConflict((conflict) =>
        conflict
          .columns(["run_id", "key"])
          .doUpdateSet({
            step: sql<number>`excluded.step`,
            timestamp: sql<number>`excluded.timestamp`,
            value: sql<number>`excluded.value`,
            is_nan: sql<boolean>`excluded.is_nan`,
          })
          .where(
            sql<boolean>`(excluded.step, excluded.timestamp, excluded.value) > (tracking_newest_metric.step, tracking_newest_metric.timestamp, tracking_newest_metric.value)`,
          ),
      )
      .execute();
  }
}

async function putLink(tx: Transaction<Database>, runId: string, link: RunLink): Promise<void> {
  const { kind, id, name, digest, context } = link;
  const changing = { name, digest, context, body: toJson(link.body) };
  await tx
    .insertInto("tracking_link")
    .values({ run_id: runId, kind, id, ...changing })
    .onConflict((conflict) => conflict.columns(["run_id", "kind", "id"]).doUpdateSet(changing))
    .execute();
}

/** In the order of the rows. */
async function wholeRuns(
  db: Kysely<Database>,
  rows: readonly Selectable<Database["tracking_run"]>[],
): Promise<readonly WholeRun[]> {
  const logged = await loggedOf(
    db,
    rows.map(({ run_id }) => run_id),
  );
  return rows.map((row) => ({ run: runOf(row), ...logged(row.run_id) }));
}

type Logged = Omit<WholeRun, "run">;

/** What was logged for runs: newest metrics, params, tags and links. */
export async function loggedOf(
  db: Kysely<Database>,
  runIds: readonly string[],
): Promise<(runId: string) => Logged> {
  const metrics = new Map<string, TrackedMetric[]>();
  const params = new Map<string, Entry[]>();
  const tags = new Map<string, Entry[]>();
  const links = new Map<string, RunLink[]>();
  for (const batch of inBatches(runIds)) {
    const of = <Table extends "tracking_newest_metric" | "tracking_param" | "tracking_tag" | "tracking_link">(
      table: Table,
    ) =>
      sql<Selectable<Database[Table]>>`select * from ${sql.table(table)} where run_id in (${sql.join(batch)})
        order by run_id, ${sql.ref(table === "tracking_link" ? "id" : "key")}`.execute(db);
    for (const row of (await of("tracking_newest_metric")).rows) push(metrics, row.run_id, metricOf(row));
    for (const { run_id, key, value } of (await of("tracking_param")).rows)
      push(params, run_id, { key, value });
    for (const { run_id, key, value } of (await of("tracking_tag")).rows) push(tags, run_id, { key, value });
    for (const { run_id, body, ...link } of (await of("tracking_link")).rows)
      push(links, run_id, { ...link, body: fromJson(body) });
  }
  return (runId) => ({
    metrics: metrics.get(runId) ?? [],
    params: params.get(runId) ?? [],
    tags: tags.get(runId) ?? [],
    links: links.get(runId) ?? [],
  });
}

function push<Item>(lists: Map<string, Item[]>, key: string, item: Item): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}

export function runColumns(run: TrackedRun): Insertable<Database["tracking_run"]> {
  return {
    run_id: run.runId,
    project_id: run.projectId,
    experiment_id: run.experimentId,
    name: run.name,
    user_id: run.userId,
    status: run.status,
    start_time: run.startTime,
    end_time: run.endTime,
    artifact_uri: run.artifactUri,
    is_deleted: run.isDeleted,
    is_own: run.isOwn,
  };
}

function changedColumns({ name, status, endTime, isDeleted }: RunChanges) {
  return {
    ...(name !== undefined && { name }),
    ...(status !== undefined && { status }),
    ...(endTime !== undefined && { end_time: endTime }),
    ...(isDeleted !== undefined && { is_deleted: isDeleted }),
  };
}

function runOf(row: Selectable<Database["tracking_run"]>): TrackedRun {
  return {
    runId: row.run_id,
    projectId: row.project_id,
    experimentId: row.experiment_id,
    name: row.name,
    userId: row.user_id,
    status: row.status,
    startTime: row.start_time,
    endTime: row.end_time,
    artifactUri: row.artifact_uri,
    isDeleted: Boolean(row.is_deleted),
    isOwn: Boolean(row.is_own),
  };
}

function metricColumns(
  runId: string,
  { key, value, timestamp, step }: TrackedMetric,
): Insertable<Database["tracking_metric"]> {
  const isNan = Number.isNaN(value);
  return { run_id: runId, key, step, timestamp, value: isNan ? 0 : value, is_nan: isNan };
}

function metricOf({
  key,
  value,
  timestamp,
  step,
  is_nan,
}: Selectable<Database["tracking_metric"]>): TrackedMetric {
  return { key, value: is_nan ? Number.NaN : value, timestamp, step };
}
