import type { RunQuery } from "./run-query.ts";

/*
 * What experiments have left: runs with their params, metrics and tags, and documents about everything else that MLflow
 * names. Everything belongs to one project. Rules L1 to L4.
 */

/** What a document is about; its id is unique within the project and kind. Notes are about models and versions of tasks. */
export type TrackingKind =
  | "experiment"
  | "registered-model"
  | "model-version"
  | "logged-model"
  | "model-note"
  | "version-note";

/** A small thing that changes seldom. The core alone knows what is in it. */
export interface TrackingDocument {
  readonly id: string;
  /** By which it is listed: the name of an experiment, of a version's model. */
  readonly name: string;
  readonly body: unknown;
}

export interface DocumentChanges {
  readonly remove: readonly { readonly kind: TrackingKind; readonly id: string }[];
  readonly put: readonly (TrackingDocument & { readonly kind: TrackingKind })[];
}

/** As MLflow names them. */
export const RUN_STATUSES = ["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

export interface TrackedRun {
  readonly runId: string;
  readonly projectId: string;
  readonly experimentId: string;
  readonly name: string;
  readonly userId: string;
  readonly status: RunStatus;
  /** Unix milliseconds. */
  readonly startTime: number;
  readonly endTime: number | null;
  /** Where its files are. */
  readonly artifactUri: string;
  readonly isDeleted: boolean;
  /** True for runs and rounds of Chorus itself, which nobody rewrites. */
  readonly isOwn: boolean;
}
/** What may change of a run. */
export type RunChanges = Partial<Pick<TrackedRun, "name" | "status" | "endTime" | "isDeleted">>;

export interface TrackedMetric {
  readonly key: string;
  /** May be NaN or infinite. */
  readonly value: number;
  /** Unix milliseconds. */
  readonly timestamp: number;
  readonly step: number;
}
export interface Entry {
  readonly key: string;
  readonly value: string;
}
/** A data set that a run has used, or a model that it has used or made. */
export interface RunLink {
  readonly kind: "dataset" | "model-input" | "model-output";
  /** Unique within its run and kind. */
  readonly id: string;
  /** Of a data set; empty otherwise. */
  readonly name: string;
  readonly digest: string;
  readonly context: string;
  readonly body: unknown;
}

/** A run as it is shown: of each metric its newest value. */
export interface WholeRun {
  readonly run: TrackedRun;
  readonly metrics: readonly TrackedMetric[];
  readonly params: readonly Entry[];
  readonly tags: readonly Entry[];
  readonly links: readonly RunLink[];
}

/** Characters of params, tags and links of the runs that one search returns. */
export const SEARCH_BYTES_MAX = 16_000_000;

export interface FoundRuns {
  readonly runs: readonly WholeRun[];
  /** True if there are more within the limit, which were too large. */
  readonly isCut: boolean;
}

/** Characters that a run's params, tags and links hold, about. */
export function sizeOfRun({ metrics, params, tags, links }: WholeRun): number {
  const entries = [...params, ...tags].reduce((sum, { key, value }) => sum + key.length + value.length, 0);
  const linked = links.reduce((sum, { body }) => sum + JSON.stringify(body).length, 0);
  return entries + linked + 100 * metrics.length + 500;
}

export interface RunBatch {
  readonly metrics: readonly TrackedMetric[];
  readonly params: readonly Entry[];
  readonly tags: readonly Entry[];
}

/** Why nothing of a batch was written. */
export type BatchRefusal =
  | { readonly type: "not-found" }
  | { readonly type: "deleted" }
  | { readonly type: "own" }
  | {
      readonly type: "param-changed";
      readonly key: string;
      readonly old: string;
      readonly asked: string;
    };

/** A file of a run, a model or a version. */
export interface ArtifactRow {
  /** Parts separated by slashes, the first ones being whose it is. */
  readonly path: string;
  readonly blobHash: string;
  readonly byteCount: number;
}

/** Experiments, runs and models that people and their programs keep here. */
export interface TrackingStore {
  /** By id; of one name only if given. */
  listDocuments(projectId: string, kind: TrackingKind, name?: string): Promise<readonly TrackingDocument[]>;
  findDocument(projectId: string, kind: TrackingKind, id: string): Promise<TrackingDocument | null>;
  /** Makes the document, or replaces it. */
  putDocument(projectId: string, kind: TrackingKind, document: TrackingDocument): Promise<void>;
  removeDocument(projectId: string, kind: TrackingKind, id: string): Promise<void>;
  /** All of these at once, or none of them. What is removed goes first. */
  changeDocuments(projectId: string, changes: DocumentChanges): Promise<void>;
  /** Hands out each number of a project's experiments once, from 1. */
  nextExperimentNumber(projectId: string): Promise<number>;

  /** The run must be new. */
  createTrackedRun(run: TrackedRun, tags: readonly Entry[]): Promise<void>;
  findTrackedRun(projectId: string, runId: string): Promise<WholeRun | null>;
  changeTrackedRun(runId: string, changes: RunChanges): Promise<void>;
  /** All or nothing. A metric that is there already changes nothing. Runs of Chorus itself take notes alone. */
  logBatch(projectId: string, runId: string, batch: RunBatch): Promise<BatchRefusal | null>;
  deleteRunTag(runId: string, key: string): Promise<void>;
  /** Replaces links of the same kind and id. */
  putRunLinks(projectId: string, runId: string, links: readonly RunLink[]): Promise<void>;
  /**
   * In the order of the query; `query.limit` at most, from `query.offset` on. Fewer if they are large: what they hold is at
   * most about `SEARCH_BYTES_MAX`, and one run at least.
   */
  searchTrackedRuns(projectId: string, query: RunQuery): Promise<FoundRuns>;
  /** By step and time. */
  metricHistory(
    runId: string,
    key: string,
    page: { readonly offset: number; readonly limit: number },
  ): Promise<readonly TrackedMetric[]>;

  /** Replaces a file of that path. @returns The blob that no row of any project names any more, if there is one. */
  putArtifact(projectId: string, artifact: ArtifactRow): Promise<string | null>;
  findArtifact(projectId: string, path: string): Promise<ArtifactRow | null>;
  /** Those below the folder, by path. */
  listArtifacts(projectId: string, folder: string): Promise<readonly ArtifactRow[]>;
  /** The file and what is below it. @returns Blobs that no row of any project names any more. */
  removeArtifacts(projectId: string, path: string): Promise<readonly string[]>;
}
