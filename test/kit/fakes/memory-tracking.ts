import type { OwnRunSearch } from "#coordinator/core/ports/own-run-search.ts";
import {
  type ArtifactRow,
  type Entry,
  type RunLink,
  SEARCH_BYTES_MAX,
  sizeOfRun,
  type TrackedMetric,
  type TrackedRun,
  type TrackingDocument,
  type TrackingStore,
  type WholeRun,
} from "#coordinator/core/ports/tracking-store.ts";
import { newestOfEach } from "#coordinator/core/tracking/newest-metrics.ts";
import { hasOwnParts } from "#coordinator/core/tracking/notes.ts";
import { compareBy, matches, type Searchable } from "#shared/tracking/match.ts";
import type { MemoryDatabase } from "./memory-database.ts";
import { jsonCopy } from "./memory-database.ts";
import { ownSearchOf } from "./memory-own-search.ts";

interface KeptRun {
  run: TrackedRun;
  readonly metrics: TrackedMetric[];
  readonly params: Map<string, string>;
  readonly tags: Map<string, string>;
  readonly links: Map<string, RunLink>;
}

/** What `memoryStore` keeps of experiments, runs and models. */
export interface MemoryTracking {
  /** By "project kind id". */
  readonly documents: Map<string, TrackingDocument>;
  readonly runs: Map<string, KeptRun>;
  /** By "project path". */
  readonly artifacts: Map<string, ArtifactRow>;
  readonly experimentNumbers: Map<string, number>;
}

export function memoryTracking(): MemoryTracking {
  return { documents: new Map(), runs: new Map(), artifacts: new Map(), experimentNumbers: new Map() };
}

/** The part of `memoryStore` that keeps experiments. */
export function trackingOf(db: MemoryDatabase, turn: () => Promise<void>): TrackingStore & OwnRunSearch {
  const { tracking } = db;
  const documentKey = (projectId: string, kind: string, id: string) => `${projectId} ${kind} ${id}`;
  return {
    listDocuments: async (projectId, kind, name) => {
      await turn();
      return [...tracking.documents]
        .filter(([key]) => key.startsWith(`${projectId} ${kind} `))
        .map(([, document]) => document)
        .filter((document) => name === undefined || document.name === name)
        .sort((left, right) => (left.id < right.id ? -1 : 1));
    },
    findDocument: async (projectId, kind, id) => {
      await turn();
      return tracking.documents.get(documentKey(projectId, kind, id)) ?? null;
    },
    putDocument: async (projectId, kind, document) => {
      await turn();
      tracking.documents.set(documentKey(projectId, kind, document.id), jsonCopy(document));
    },
    removeDocument: async (projectId, kind, id) => {
      await turn();
      tracking.documents.delete(documentKey(projectId, kind, id));
    },
    changeDocuments: async (projectId, { remove, put }) => {
      await turn();
      for (const { kind, id } of remove) tracking.documents.delete(documentKey(projectId, kind, id));
      for (const { kind, ...document } of put)
        tracking.documents.set(documentKey(projectId, kind, document.id), jsonCopy(document));
    },
    nextExperimentNumber: async (projectId) => {
      await turn();
      const number = (tracking.experimentNumbers.get(projectId) ?? 0) + 1;
      tracking.experimentNumbers.set(projectId, number);
      return number;
    },
    ...runs(tracking, turn),
    ...ownSearchOf(db, turn),
    ...artifacts(db, turn),
  };
}

type Runs = Omit<
  TrackingStore,
  | "listDocuments"
  | "findDocument"
  | "putDocument"
  | "removeDocument"
  | "changeDocuments"
  | "nextExperimentNumber"
  | keyof ReturnType<typeof artifacts>
>;

function runs({ runs: kept }: MemoryTracking, turn: () => Promise<void>): Runs {
  const found = (projectId: string, runId: string) => {
    const run = kept.get(runId);
    return run?.run.projectId === projectId ? run : null;
  };
  return {
    createTrackedRun: async (run, tags) => {
      await turn();
      if (kept.has(run.runId)) throw new Error(`run ${run.runId} exists`);
      kept.set(run.runId, {
        run: { ...run },
        metrics: [],
        params: new Map(),
        tags: new Map(tags.map(({ key, value }) => [key, value])),
        links: new Map(),
      });
    },
    findTrackedRun: async (projectId, runId) => {
      await turn();
      const run = found(projectId, runId);
      return run === null ? null : wholeRun(run);
    },
    changeTrackedRun: async (runId, changes) => {
      await turn();
      const run = kept.get(runId);
      if (run !== undefined) run.run = { ...run.run, ...changes };
    },
    logBatch: async (projectId, runId, batch) => {
      const { metrics, params, tags } = batch;
      await turn();
      const run = found(projectId, runId);
      if (run === null) return { type: "not-found" };
      if (run.run.isDeleted) return { type: "deleted" };
      if (run.run.isOwn && hasOwnParts(batch)) return { type: "own" };
      for (const { key, value } of params) {
        const old = run.params.get(key) ?? value;
        if (old !== value) return { type: "param-changed", key, old, asked: value };
      }
      for (const { key, value } of params) run.params.set(key, value);
      addMetrics(run, metrics);
      for (const { key, value } of tags) run.tags.set(key, value);
      return null;
    },
    deleteRunTag: async (runId, key) => {
      await turn();
      kept.get(runId)?.tags.delete(key);
    },
    putRunLinks: async (projectId, runId, links) => {
      await turn();
      for (const link of links) found(projectId, runId)?.links.set(`${link.kind} ${link.id}`, jsonCopy(link));
    },
    searchTrackedRuns: async (projectId, { experimentIds, shows, conditions, orderings, limit, offset }) => {
      await turn();
      const compare = compareBy(orderings);
      const found = [...kept.values()]
        .filter(({ run }) => run.projectId === projectId && experimentIds.includes(run.experimentId))
        .filter(({ run }) => shows === "all" || run.isDeleted === (shows === "deleted"))
        .map((run) => ({ run, seen: searchableRun(run) }))
        .filter(({ seen }) => matches(seen, conditions))
        .sort(
          (left, right) =>
            compare(left.seen, right.seen) ||
            right.run.run.startTime - left.run.run.startTime ||
            (left.run.run.runId < right.run.run.runId ? -1 : 1),
        )
        .slice(offset, offset + limit)
        .map(({ run }) => wholeRun(run));
      let size = 0;
      const runs = found.filter((run, index) => {
        size += sizeOfRun(run);
        return index === 0 || size <= SEARCH_BYTES_MAX;
      });
      return { runs, isCut: runs.length < found.length };
    },
    metricHistory: async (runId, key, { offset, limit }) => {
      await turn();
      const ofKey = (kept.get(runId)?.metrics ?? []).filter((metric) => metric.key === key);
      const sorted = ofKey.sort(
        (left, right) =>
          left.step - right.step || left.timestamp - right.timestamp || left.value - right.value || 0,
      );
      return sorted.slice(offset, offset + limit);
    },
  };
}

/** Each point once. */
export function addMetrics(run: Pick<KeptRun, "metrics">, metrics: readonly TrackedMetric[]): void {
  for (const metric of metrics)
    if (!run.metrics.some((known) => isSameMetric(known, metric))) run.metrics.push({ ...metric });
}

function isSameMetric(one: TrackedMetric, other: TrackedMetric): boolean {
  return (
    one.key === other.key &&
    one.step === other.step &&
    one.timestamp === other.timestamp &&
    Object.is(one.value, other.value)
  );
}

export function wholeRun({ run, metrics, params, tags, links }: KeptRun): WholeRun {
  const byKey = <Item extends { readonly key: string }>(items: readonly Item[]) =>
    [...items].sort((left, right) => (left.key < right.key ? -1 : 1));
  const entries = (map: ReadonlyMap<string, string>): readonly Entry[] =>
    byKey([...map].map(([key, value]) => ({ key, value })));
  return {
    run,
    metrics: byKey(newestOfEach(metrics)),
    params: entries(params),
    tags: entries(tags),
    links: [...links.values()],
  };
}

export function searchableRun({ run, metrics, params, tags, links }: KeptRun): Searchable {
  const attributes: Readonly<Record<string, string | number | null>> = {
    run_id: run.runId,
    run_name: run.name,
    status: run.status,
    user_id: run.userId,
    artifact_uri: run.artifactUri,
    start_time: run.startTime,
    end_time: run.endTime,
  };
  const newest = new Map(newestOfEach(metrics).map(({ key, value }) => [key, value]));
  return {
    attribute: (key) => attributes[key],
    metric: (key) => newest.get(key),
    param: (key) => params.get(key),
    tag: (key) => tags.get(key),
    datasets: [...links.values()]
      .filter(({ kind }) => kind === "dataset")
      .map(({ name, digest, context }) => ({ name, digest, context })),
  };
}

function artifacts(
  { tracking: { artifacts: kept }, versions, uses, rounds, log }: MemoryDatabase,
  turn: () => Promise<void>,
): Pick<TrackingStore, "putArtifact" | "findArtifact" | "listArtifacts" | "removeArtifacts"> {
  const isNamed = (hash: string) =>
    [...kept.values()].some(({ blobHash }) => blobHash === hash) ||
    versions.some((version) => version.modelHash === hash || version.strategyStateHash === hash) ||
    uses.some(({ modelHash }) => modelHash === hash) ||
    [...rounds.values()].some(({ view }) => view.detail?.sumHash === hash) ||
    log.some(({ body }) => body.includes(`"reportHash":"${hash}"`));
  return {
    putArtifact: async (projectId, artifact) => {
      await turn();
      const key = `${projectId} ${artifact.path}`;
      const former = kept.get(key)?.blobHash ?? null;
      kept.set(key, { ...artifact });
      return former === null || isNamed(former) ? null : former;
    },
    findArtifact: async (projectId, path) => {
      await turn();
      return kept.get(`${projectId} ${path}`) ?? null;
    },
    listArtifacts: async (projectId, folder) => {
      await turn();
      const start = folder === "" ? `${projectId} ` : `${projectId} ${folder}/`;
      return [...kept]
        .filter(([key]) => key.startsWith(start))
        .map(([, artifact]) => artifact)
        .sort((left, right) => (left.path < right.path ? -1 : 1));
    },
    removeArtifacts: async (projectId, path) => {
      await turn();
      const own = `${projectId} ${path}`;
      const removed = [...kept].filter(([key]) => key === own || key.startsWith(`${own}/`));
      for (const [key] of removed) kept.delete(key);
      const hashes = new Set(removed.map(([, { blobHash }]) => blobHash));
      return [...hashes].filter((hash) => !isNamed(hash));
    },
  };
}
