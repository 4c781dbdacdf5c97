import { bytesToHex } from "#shared/kernel/bytes.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { finalError, type WireError } from "#shared/protocol/errors.ts";
import { RUNS } from "#shared/tracking/search-text.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
import type {
  BatchRefusal,
  Entry,
  RunBatch,
  RunLink,
  RunStatus,
  TrackedMetric,
  TrackedRun,
  WholeRun,
} from "../ports/tracking-store.ts";
import { entryOf } from "./entries.ts";
import { deletedExperiment, type Experiments, type Shows } from "./experiments.ts";
import { TRACKING_LIMITS } from "./fields.ts";
import { isOwnTag } from "./notes.ts";
import { type FoundPage, pageOf, readPageToken, readSearch, type SearchText } from "./pages.ts";
import { RUN_IS_OWN, refused } from "./refusals.ts";
import { randomRunName } from "./run-names.ts";
import type { Turns } from "./turns.ts";

/** MLflow shows a run's name from its row and from this tag. */
const NAME_TAG = "mlflow.runName";
const HISTORY_TAG = "mlflow.log-model.history";

export interface NewRun {
  readonly experimentId: string;
  /** Empty for a random one. */
  readonly name: string;
  readonly userId: string;
  /** Unix milliseconds; null for now. */
  readonly startTime: number | null;
  readonly tags: readonly Entry[];
}

type Ports = Pick<CoordinatorPorts, "store" | "wall" | "random">;

/** Runs of a project's experiments. Rules L2 and L3. */
export class TrackedRuns {
  readonly #ports: Ports;
  readonly #experiments: Experiments;
  readonly #turns: Turns;

  constructor(ports: Ports, experiments: Experiments, turns: Turns) {
    this.#ports = ports;
    this.#experiments = experiments;
    this.#turns = turns;
  }

  /** Errors: NOT_FOUND and BAD_REQUEST for its experiment. */
  async create(projectId: string, asked: NewRun): Promise<Result<WholeRun, WireError>> {
    const experiment = await this.#experiments.get(projectId, asked.experimentId);
    if (!experiment.ok) return experiment;
    if (experiment.value.isDeleted) return deletedExperiment(asked.experimentId);
    const { store, wall, random } = this.#ports;
    const runId = bytesToHex(random(16));
    const name = asked.name || (entryOf(asked.tags, NAME_TAG) ?? randomRunName(random));
    const run: TrackedRun = {
      runId,
      projectId,
      experimentId: asked.experimentId,
      name,
      userId: asked.userId,
      status: "RUNNING",
      startTime: asked.startTime ?? wall.nowUnixMs(),
      endTime: null,
      artifactUri: `${experiment.value.artifactLocation}/${runId}/artifacts`,
      isDeleted: false,
      isOwn: false,
    };
    const tags = [...asked.tags.filter(({ key }) => key !== NAME_TAG), { key: NAME_TAG, value: name }];
    await store.createTrackedRun(run, tags);
    return ok({ run, metrics: [], params: [], tags, links: [] });
  }

  /** Errors: NOT_FOUND. */
  async get(projectId: string, runId: string): Promise<Result<WholeRun, WireError>> {
    const run = await this.#ports.store.findTrackedRun(projectId, runId);
    return run === null ? noRun(runId) : ok(run);
  }

  /** Errors: NOT_FOUND, BAD_REQUEST if it is deleted, FORBIDDEN for one of Chorus itself. */
  async update(
    projectId: string,
    runId: string,
    {
      name,
      status,
      endTime,
    }: { readonly name?: string; readonly status?: RunStatus; readonly endTime?: number },
  ): Promise<Result<WholeRun, WireError>> {
    const run = await this.#changeable(projectId, runId);
    if (!run.ok) return run;
    const changes = {
      ...(name !== undefined && name !== "" && { name }),
      ...(status !== undefined && { status }),
      ...(endTime !== undefined && { endTime }),
    };
    await this.#ports.store.changeTrackedRun(runId, changes);
    if (changes.name !== undefined)
      await this.#ports.store.logBatch(projectId, runId, {
        metrics: [],
        params: [],
        tags: [{ key: NAME_TAG, value: changes.name }],
      });
    return this.get(projectId, runId);
  }

  /** Errors: NOT_FOUND, FORBIDDEN for one of Chorus itself, BAD_REQUEST if it is as asked already. */
  async setDeleted(projectId: string, runId: string, isDeleted: boolean): Promise<Result<void, WireError>> {
    const whole = await this.get(projectId, runId);
    if (!whole.ok) return whole;
    if (whole.value.run.isOwn) return refused("FORBIDDEN", RUN_IS_OWN);
    if (whole.value.run.isDeleted === isDeleted) return wrongState(runId, isDeleted);
    await this.#ports.store.changeTrackedRun(runId, { isDeleted });
    return ok(undefined);
  }

  /** Errors: NOT_FOUND, BAD_REQUEST, FORBIDDEN for all but notes on a run of Chorus itself. */
  async logBatch(projectId: string, runId: string, batch: RunBatch): Promise<Result<void, WireError>> {
    const { metrics, params, tags } = batch;
    const { metricsMax, paramsMax, tagsMax, entriesMax } = TRACKING_LIMITS;
    if (
      metrics.length > metricsMax ||
      params.length > paramsMax ||
      tags.length > tagsMax ||
      metrics.length + params.length + tags.length > entriesMax
    ) {
      return refused(
        "BAD_REQUEST",
        `A batch has at most ${metricsMax} metrics, ${paramsMax} params and ${tagsMax} tags, and ${entriesMax} of them together. Send several.`,
      );
    }
    const twice = givenTwice(params);
    if (twice !== null)
      return refused(
        "BAD_REQUEST",
        `Duplicate parameter keys have been submitted: ['${twice}']. Send one value for each param.`,
      );
    const refusal = await this.#ports.store.logBatch(projectId, runId, batch);
    if (refusal !== null) return refusalOf(refusal, runId);
    const name = entryOf([...tags].reverse(), NAME_TAG);
    if (name !== undefined && name !== "") await this.#ports.store.changeTrackedRun(runId, { name });
    return ok(undefined);
  }

  /**
   * Adds a model to the list that clients before MLflow 3 keep in a tag.
   *
   * @param modelJson  As the client describes it.
   * Errors: NOT_FOUND, BAD_REQUEST if that is no JSON object or the list would be too long.
   */
  noteModel(projectId: string, runId: string, modelJson: string): Promise<Result<void, WireError>> {
    return this.#turns.run(projectId, async () => {
      const whole = await this.get(projectId, runId);
      if (!whole.ok) return whole;
      const model = jsonOf(modelJson);
      if (typeof model !== "object" || model === null)
        return refused("BAD_REQUEST", "model_json must be a JSON object that describes the model.");
      const known = jsonOf(entryOf(whole.value.tags, HISTORY_TAG) ?? "[]");
      const value = JSON.stringify([...(Array.isArray(known) ? known : []), model]);
      if (value.length > TRACKING_LIMITS.tagLengthMax)
        return refused("BAD_REQUEST", "This run has logged more models than its tag can list.");
      return this.logBatch(projectId, runId, {
        metrics: [],
        params: [],
        tags: [{ key: HISTORY_TAG, value }],
      });
    });
  }

  /** Errors: NOT_FOUND, also without that tag; BAD_REQUEST if it is deleted; FORBIDDEN for a tag of Chorus itself. */
  async deleteTag(projectId: string, runId: string, key: string): Promise<Result<void, WireError>> {
    const whole = await this.get(projectId, runId);
    if (!whole.ok) return whole;
    const { isDeleted, isOwn } = whole.value.run;
    if (isDeleted) return wrongState(runId, true);
    if (isOwn && isOwnTag(key)) return refused("FORBIDDEN", RUN_IS_OWN);
    if (entryOf(whole.value.tags, key) === undefined)
      return refused("NOT_FOUND", `No tag with name: ${key} in run with id ${runId}.`);
    await this.#ports.store.deleteRunTag(runId, key);
    return ok(undefined);
  }

  /** Errors: NOT_FOUND, BAD_REQUEST if it is deleted, FORBIDDEN for one of Chorus itself. */
  async link(projectId: string, runId: string, links: readonly RunLink[]): Promise<Result<void, WireError>> {
    const run = await this.#changeable(projectId, runId);
    if (!run.ok) return run;
    await this.#ports.store.putRunLinks(projectId, runId, links);
    return ok(undefined);
  }

  /** Errors: BAD_REQUEST. */
  async search(
    projectId: string,
    text: SearchText & { readonly experimentIds: readonly string[]; readonly shows: Shows },
  ): Promise<Result<FoundPage<WholeRun>, WireError>> {
    const search = readSearch(text, RUNS);
    if (!search.ok) return search;
    const { experimentIds, shows } = text;
    const { limit } = search.value;
    const query = { ...search.value, experimentIds: [...new Set(experimentIds)], shows, limit: limit + 1 };
    const { runs, isCut } = await this.#ports.store.searchTrackedRuns(projectId, query);
    return ok(pageOf(runs, search.value, isCut));
  }

  /** A page of a metric's values, by step; 25,000 of them without `maxResults`. Errors: NOT_FOUND, BAD_REQUEST. */
  async history(
    projectId: string,
    runId: string,
    key: string,
    { maxResults, pageToken }: { readonly maxResults: number | null; readonly pageToken: string },
  ): Promise<Result<FoundPage<TrackedMetric>, WireError>> {
    const offset = readPageToken(pageToken);
    if (offset === null)
      return refused("BAD_REQUEST", "This page_token comes from no history. Begin without one.");
    const whole = await this.get(projectId, runId);
    if (!whole.ok) return whole;
    const limit = maxResults ?? HISTORY_MAX;
    const found = await this.#ports.store.metricHistory(runId, key, { offset, limit: limit + 1 });
    return ok(pageOf(found, { limit, offset }));
  }

  async #changeable(projectId: string, runId: string): Promise<Result<WholeRun, WireError>> {
    const whole = await this.get(projectId, runId);
    if (!whole.ok) return whole;
    if (whole.value.run.isOwn) return refused("FORBIDDEN", RUN_IS_OWN);
    return whole.value.run.isDeleted ? wrongState(runId, true) : whole;
  }
}

/** A longer history comes in pages. */
const HISTORY_MAX = 25_000;

/** Null if it is none. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function noRun(runId: string): Result<never, WireError> {
  return refused("NOT_FOUND", `Run with id=${runId} not found.`);
}

function wrongState(runId: string, isDeleted: boolean): Result<never, WireError> {
  const [asked, now] = isDeleted ? ["active", "deleted"] : ["deleted", "active"];
  return refused("BAD_REQUEST", `The run ${runId} must be in the '${asked}' state. Current state is ${now}.`);
}

/** The key of a param that the batch gives two values; null if there is none. */
function givenTwice(params: readonly Entry[]): string | null {
  const known = new Map<string, string>();
  for (const { key, value } of params) {
    if ((known.get(key) ?? value) !== value) return key;
    known.set(key, value);
  }
  return null;
}

function refusalOf(refusal: BatchRefusal, runId: string): Result<never, WireError> {
  switch (refusal.type) {
    case "not-found":
      return noRun(runId);
    case "deleted":
      return wrongState(runId, true);
    case "own":
      return refused("FORBIDDEN", RUN_IS_OWN);
    case "param-changed": {
      const { key, old, asked } = refusal;
      const cut = (value: string) => (value.length > 60 ? `${value.slice(0, 60)}…` : value);
      return err(
        finalError(
          "BAD_REQUEST",
          `Changing param values is not allowed. Param with key='${key}' was already logged with value='${cut(old)}' for run ID='${runId}'. Attempted logging new value '${cut(asked)}'.`,
        ),
      );
    }
  }
}
