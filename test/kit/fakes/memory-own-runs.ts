import type { StoreRecord } from "#coordinator/core/ports/store.ts";
import type { TrackedMetric } from "#coordinator/core/ports/tracking-store.ts";
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
import type { MemoryDatabase } from "./memory-database.ts";
import { addMetrics } from "./memory-tracking.ts";

/** What MLflow's clients see of a run or a round, beside its row; as the database's `tracking/own.ts` does. */
export function recordOwn(db: MemoryDatabase, record: StoreRecord, at: number): void {
  const { runs } = db.tracking;
  if (record.type === "run-row") {
    const { runId, row } = record;
    const { task: slug, taskVersion } = row;
    const task = db.tasks.find((known) => known.task.slug === slug && known.task.version === taskVersion);
    const recorded = recordedRun(runId, row, task?.task ?? null);
    if (recorded === null) return;
    const known = runs.get(runId);
    const { status, endTime } = recorded.run;
    if (known === undefined) insert(db, recorded, experimentOf(db, row));
    else known.run = { ...known.run, status, endTime };
  }
  if (record.type === "round-row") {
    const { roundId, row } = record;
    const parent = runs.get(row.runId);
    if (parent === undefined) return;
    const { projectId, userId, experimentId } = parent.run;
    const recorded = recordedRound(roundId, row, { projectId, userId });
    if (recorded === null) return;
    if (runs.has(roundId)) log(db, roundId, recorded.metrics);
    else insert(db, recorded, experimentId);
    log(db, row.runId, recorded.parentMetrics);
  }
  if (record.type === "model-version" && record.version.round === 0) {
    const { runId, metrics } = record.version;
    if (metrics?.measures != null) log(db, runId, initialMetrics(metrics.measures, at));
  }
}

function log({ tracking }: MemoryDatabase, runId: string, metrics: readonly TrackedMetric[]): void {
  const run = tracking.runs.get(runId);
  if (run !== undefined) addMetrics(run, metrics);
}

function insert(db: MemoryDatabase, { run, params, tags, metrics }: RecordedRun, experimentId: string): void {
  db.tracking.runs.set(run.runId, {
    run: { ...run, experimentId, artifactUri: ownArtifactUri(experimentId, run.runId) },
    metrics: [...metrics],
    params: new Map(params.map(({ key, value }) => [key, value])),
    tags: new Map(tags.map(({ key, value }) => [key, value])),
    links: new Map(),
  });
}

function experimentOf(
  { tracking: { documents, experimentNumbers } }: MemoryDatabase,
  {
    projectId,
    task,
    createdAt,
  }: { readonly projectId: string; readonly task: string; readonly createdAt: number },
): string {
  const start = `${projectId} experiment `;
  for (const [key, known] of documents) {
    if (!key.startsWith(start) || known.name !== task) continue;
    documents.set(key, adoptedExperiment(known, task, createdAt) ?? known);
    return known.id;
  }
  const number = (experimentNumbers.get(projectId) ?? 0) + 1;
  experimentNumbers.set(projectId, number);
  const document = ownExperiment(String(number), task, createdAt);
  documents.set(start + document.id, document);
  return document.id;
}
