import { bytesToHex } from "#shared/kernel/bytes.ts";
import { ok, type Result } from "#shared/kernel/result.ts";
import type { WireError } from "#shared/protocol/errors.ts";
import { LOGGED_MODELS } from "#shared/tracking/search-text.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
import type { Entry, TrackedMetric, TrackingDocument } from "../ports/tracking-store.ts";
import { entryOf, withEntry, withoutEntry } from "./entries.ts";
import { deletedExperiment, type Experiments } from "./experiments.ts";
import { jsonToNumber, numberToJson } from "./json-numbers.ts";
import { newestOfEach } from "./newest-metrics.ts";
import { type FoundPage, readSearch, type SearchText, searchIn } from "./pages.ts";
import { refused } from "./refusals.ts";
import { randomRunName } from "./run-names.ts";
import type { Turns } from "./turns.ts";

export const LOGGED_MODEL_STATUSES = [
  "LOGGED_MODEL_PENDING",
  "LOGGED_MODEL_READY",
  "LOGGED_MODEL_UPLOAD_FAILED",
] as const;
export type LoggedModelStatus = (typeof LOGGED_MODEL_STATUSES)[number];

/** A model that a run has logged (MLflow 3). */
export interface LoggedModel {
  readonly modelId: string;
  readonly experimentId: string;
  readonly name: string;
  readonly modelType: string;
  readonly sourceRunId: string;
  readonly status: LoggedModelStatus;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly artifactUri: string;
  readonly params: readonly Entry[];
  readonly tags: readonly Entry[];
  readonly metrics: readonly LoggedMetric[];
}
export interface LoggedMetric extends TrackedMetric {
  readonly runId: string;
  /** Empty if it was measured on none that was named. */
  readonly datasetName: string;
  readonly datasetDigest: string;
}

type Ports = Pick<CoordinatorPorts, "store" | "wall" | "random">;

/** Logged models of a project's experiments. Rule L1. */
export class LoggedModels {
  readonly #ports: Ports;
  readonly #experiments: Experiments;
  readonly #turns: Turns;

  constructor(ports: Ports, experiments: Experiments, turns: Turns) {
    this.#ports = ports;
    this.#experiments = experiments;
    this.#turns = turns;
  }

  /** Errors: NOT_FOUND and BAD_REQUEST for its experiment. */
  async create(
    projectId: string,
    asked: Pick<LoggedModel, "experimentId" | "name" | "modelType" | "sourceRunId" | "params" | "tags">,
  ): Promise<Result<LoggedModel, WireError>> {
    const experiment = await this.#experiments.get(projectId, asked.experimentId);
    if (!experiment.ok) return experiment;
    if (experiment.value.isDeleted) return deletedExperiment(asked.experimentId);
    const { random, wall } = this.#ports;
    const modelId = `m-${bytesToHex(random(16))}`;
    const now = wall.nowUnixMs();
    const model: LoggedModel = {
      ...asked,
      name: asked.name === "" ? randomRunName(random) : asked.name,
      modelId,
      status: "LOGGED_MODEL_PENDING",
      createdAt: now,
      updatedAt: now,
      artifactUri: `${experiment.value.artifactLocation}/models/${modelId}/artifacts`,
      metrics: [],
    };
    await this.#put(projectId, model);
    return ok(model);
  }

  /** Errors: NOT_FOUND. */
  async get(projectId: string, modelId: string): Promise<Result<LoggedModel, WireError>> {
    const document = await this.#ports.store.findDocument(projectId, "logged-model", modelId);
    if (document === null) return refused("NOT_FOUND", `Logged model with ID '${modelId}' not found.`);
    return ok(modelOf(document));
  }

  /** The newest first, unless it says otherwise. Errors: BAD_REQUEST. */
  async search(
    projectId: string,
    text: SearchText & { readonly experimentIds: readonly string[] },
  ): Promise<Result<FoundPage<LoggedModel>, WireError>> {
    const search = readSearch(text, LOGGED_MODELS);
    if (!search.ok) return search;
    const documents = await this.#ports.store.listDocuments(projectId, "logged-model");
    const models = documents.map(modelOf);
    const asked = models.filter(({ experimentId }) => text.experimentIds.includes(experimentId));
    const newestFirst = asked.sort(
      (left, right) => right.createdAt - left.createdAt || (left.modelId < right.modelId ? -1 : 1),
    );
    return ok(searchIn(newestFirst, search.value, searchable));
  }

  /** Errors: NOT_FOUND. */
  finalize(
    projectId: string,
    modelId: string,
    status: LoggedModelStatus,
  ): Promise<Result<LoggedModel, WireError>> {
    return this.#change(projectId, modelId, () => ok({ status }));
  }

  /** Errors: NOT_FOUND. */
  setTags(
    projectId: string,
    modelId: string,
    tags: readonly Entry[],
  ): Promise<Result<LoggedModel, WireError>> {
    return this.#change(projectId, modelId, (model) => ok({ tags: tags.reduce(withEntry, model.tags) }));
  }

  /** Errors: NOT_FOUND, also without that tag. */
  deleteTag(projectId: string, modelId: string, key: string): Promise<Result<LoggedModel, WireError>> {
    return this.#change(projectId, modelId, ({ tags }) =>
      entryOf(tags, key) === undefined
        ? refused("NOT_FOUND", `No tag with key '${key}' found for model with ID '${modelId}'.`)
        : ok({ tags: withoutEntry(tags, key) }),
    );
  }

  /** Errors: NOT_FOUND; BAD_REQUEST for a param with another value. */
  setParams(
    projectId: string,
    modelId: string,
    params: readonly Entry[],
  ): Promise<Result<LoggedModel, WireError>> {
    return this.#change(projectId, modelId, (model) => {
      const changed = params.find(({ key, value }) => (entryOf(model.params, key) ?? value) !== value);
      if (changed !== undefined)
        return refused(
          "BAD_REQUEST",
          `Changing param values is not allowed: '${changed.key}' has another value.`,
        );
      return ok({ params: params.reduce(withEntry, model.params) });
    });
  }

  /** Keeps the newest of each metric, run and data set. Nothing happens if there is no such model. */
  async noteMetrics(projectId: string, modelId: string, metrics: LoggedModel["metrics"]): Promise<void> {
    await this.#change(projectId, modelId, (model) => {
      const groups = new Map<string, LoggedMetric[]>();
      for (const metric of [...model.metrics, ...metrics]) {
        const of = JSON.stringify([metric.runId, metric.datasetName, metric.datasetDigest]);
        groups.set(of, [...(groups.get(of) ?? []), metric]);
      }
      const newest = [...groups.values()].flatMap((group) => newestOfEach(group));
      return ok({ metrics: newest.slice(-METRICS_MAX) });
    });
  }

  /** Errors: NOT_FOUND. */
  remove(projectId: string, modelId: string): Promise<Result<void, WireError>> {
    return this.#turns.run(projectId, async () => {
      const model = await this.get(projectId, modelId);
      if (!model.ok) return model;
      await this.#ports.store.removeDocument(projectId, "logged-model", modelId);
      return ok(undefined);
    });
  }

  #change(
    projectId: string,
    modelId: string,
    change: (model: LoggedModel) => Result<Partial<LoggedModel>, WireError>,
  ): Promise<Result<LoggedModel, WireError>> {
    return this.#turns.run(projectId, async () => {
      const model = await this.get(projectId, modelId);
      if (!model.ok) return model;
      const changes = change(model.value);
      if (!changes.ok) return changes;
      const changed = { ...model.value, ...changes.value, updatedAt: this.#ports.wall.nowUnixMs() };
      await this.#put(projectId, changed);
      return ok(changed);
    });
  }

  #put(projectId: string, model: LoggedModel): Promise<void> {
    const { modelId: id, name } = model;
    const metrics = model.metrics.map((metric) => ({ ...metric, value: numberToJson(metric.value) }));
    return this.#ports.store.putDocument(projectId, "logged-model", {
      id,
      name,
      body: { ...model, metrics },
    });
  }
}

const METRICS_MAX = 1_000;

function modelOf({ body }: TrackingDocument): LoggedModel {
  const model = body as LoggedModel;
  return {
    ...model,
    metrics: model.metrics.map((metric) => ({ ...metric, value: jsonToNumber(metric.value) })),
  };
}

function searchable(model: LoggedModel) {
  const attributes: Readonly<Record<string, string | number>> = {
    name: model.name,
    model_id: model.modelId,
    model_type: model.modelType,
    status: model.status.replace("LOGGED_MODEL_", ""),
    source_run_id: model.sourceRunId,
    experiment_id: model.experimentId,
    creation_timestamp: model.createdAt,
    last_updated_timestamp: model.updatedAt,
  };
  const newest = newestOfEach(model.metrics);
  return {
    attribute: (key: string) => attributes[key],
    metric: (key: string) => newest.find((metric) => metric.key === key)?.value,
    param: (key: string) => entryOf(model.params, key),
    tag: (key: string) => entryOf(model.tags, key),
  };
}
