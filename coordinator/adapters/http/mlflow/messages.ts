import type { Entry, TrackedMetric, TrackedRun, WholeRun } from "../../../core/ports/tracking-store.ts";
import type { Experiment } from "../../../core/tracking/experiments.ts";
import { numberToJson } from "../../../core/tracking/json-numbers.ts";
import type { LoggedModel } from "../../../core/tracking/logged-models.ts";
import type { ModelVersion } from "../../../core/tracking/model-versions.ts";
import type { FoundPage } from "../../../core/tracking/pages.ts";
import type { RegisteredModel } from "../../../core/tracking/registered-models.ts";

/* Things as MLflow's clients read them. Source: MLflow's `service.proto` and `model_registry.proto`. */

const stageOf = (isDeleted: boolean) => (isDeleted ? "deleted" : "active");

/** Left out with the last page, as clients expect. */
export function tokenOf({ nextPageToken }: FoundPage<unknown>): { readonly next_page_token?: string } {
  return nextPageToken === null ? {} : { next_page_token: nextPageToken };
}

export function experimentMessage(experiment: Experiment): object {
  return {
    experiment_id: experiment.experimentId,
    name: experiment.name,
    artifact_location: experiment.artifactLocation,
    lifecycle_stage: stageOf(experiment.isDeleted),
    creation_time: experiment.createdAt,
    last_update_time: experiment.updatedAt,
    tags: experiment.tags,
  };
}

export function runInfoMessage(run: TrackedRun): object {
  return {
    run_id: run.runId,
    run_uuid: run.runId,
    run_name: run.name,
    experiment_id: run.experimentId,
    user_id: run.userId,
    status: run.status,
    start_time: run.startTime,
    // A client takes a run with an end for one that is over.
    ...(run.endTime !== null && { end_time: run.endTime }),
    artifact_uri: run.artifactUri,
    lifecycle_stage: stageOf(run.isDeleted),
  };
}

export function runMessage({ run, metrics, params, tags, links }: WholeRun): object {
  const of = (kind: string) => links.filter((link) => link.kind === kind).map(({ body }) => body);
  return {
    info: runInfoMessage(run),
    data: { metrics: metrics.map(metricMessage), params, tags },
    inputs: { dataset_inputs: of("dataset"), model_inputs: of("model-input") },
    outputs: { model_outputs: of("model-output") },
  };
}

export function metricMessage({ key, value, timestamp, step }: TrackedMetric): object {
  return { key, value: numberToJson(value), timestamp, step };
}

export function loggedModelMessage(model: LoggedModel): object {
  return {
    info: {
      model_id: model.modelId,
      experiment_id: model.experimentId,
      name: model.name,
      creation_timestamp_ms: model.createdAt,
      last_updated_timestamp_ms: model.updatedAt,
      artifact_uri: model.artifactUri,
      status: model.status,
      model_type: model.modelType,
      source_run_id: model.sourceRunId,
      tags: model.tags,
    },
    data: {
      params: model.params,
      metrics: model.metrics.map((metric) => ({
        ...metricMessage(metric),
        model_id: model.modelId,
        run_id: metric.runId,
        ...(metric.datasetName !== "" && { dataset_name: metric.datasetName }),
        ...(metric.datasetDigest !== "" && { dataset_digest: metric.datasetDigest }),
      })),
    },
  };
}

export function registeredModelMessage(
  model: RegisteredModel,
  latestVersions: readonly ModelVersion[],
): object {
  return {
    name: model.name,
    creation_timestamp: model.createdAt,
    last_updated_timestamp: model.updatedAt,
    description: model.description,
    latest_versions: latestVersions.map((version) => modelVersionMessage(version, model.aliases)),
    tags: model.tags,
    aliases: model.aliases.map(({ key, value }) => ({ alias: key, version: value })),
  };
}

/** @param aliases  Of its registered model. */
export function modelVersionMessage(version: ModelVersion, aliases: readonly Entry[]): object {
  return {
    name: version.name,
    version: version.version,
    creation_timestamp: version.createdAt,
    last_updated_timestamp: version.updatedAt,
    user_id: version.userId,
    current_stage: version.stage,
    description: version.description,
    source: version.source,
    run_id: version.runId,
    run_link: version.runLink,
    status: "READY",
    status_message: "",
    tags: version.tags,
    aliases: aliases.filter(({ value }) => value === version.version).map(({ key }) => key),
    ...(version.modelId !== "" && { model_id: version.modelId }),
  };
}
