import { z } from "@hono/zod-openapi";
import type { RunLink } from "../../../core/ports/tracking-store.ts";
import type { Tracking } from "../../../core/tracking/tracking.ts";
import { unwrapped } from "../api/answers.ts";
import type { Endpoint } from "../endpoint.ts";
import { type MlflowPorts, mlflowEndpoint } from "./endpoint.ts";
import {
  idSchema,
  metricSchema,
  optionalText,
  paramSchema,
  runIdFields,
  runIdOf,
  tagSchema,
  wholeNumberSchema,
} from "./fields.ts";

const WRITE = { method: "post", permission: "tracking.write" } as const;

type LoggedMetricField = z.output<typeof metricSchema>;

const inputTag = z.object({ key: z.string().max(255), value: z.string().max(500).default("") });
const datasetInput = z.object({
  tags: z.array(inputTag).max(100).default([]),
  dataset: z.object({
    name: z.string().min(1).max(500),
    digest: z.string().min(1).max(36),
    source_type: optionalText,
    source: z.string().max(65_535).default(""),
    schema: z.string().max(900_000).default(""),
    profile: z.string().max(900_000).default(""),
  }),
});
const modelInput = z.object({ model_id: idSchema });

/** What runs log: metrics, params and tags together, data sets and models. */
export function loggingEndpoints(ports: MlflowPorts): readonly Endpoint[] {
  const { tracking } = ports;
  const { runs } = tracking;
  return [
    mlflowEndpoint(ports, {
      ...WRITE,
      path: "/runs/log-batch",
      summary: "Log metrics, params and tags, all of them or none",
      body: z.object({
        run_id: idSchema,
        metrics: z.array(metricSchema).max(2_000).default([]),
        params: z.array(paramSchema).max(2_000).default([]),
        tags: z.array(tagSchema).max(2_000).default([]),
      }),
      handle: async ({ projectId, body: { run_id: runId, metrics, params, tags } }) => {
        unwrapped(await runs.logBatch(projectId, runId, { metrics: metrics.map(metricOf), params, tags }));
        await noteForModels(tracking, projectId, runId, metrics);
        return {};
      },
    }),
    mlflowEndpoint(ports, {
      ...WRITE,
      path: "/runs/log-metric",
      summary: "Log a metric",
      body: metricSchema.extend(runIdFields),
      handle: async ({ projectId, body }) => {
        const runId = runIdOf(body);
        unwrapped(await runs.logBatch(projectId, runId, { metrics: [metricOf(body)], params: [], tags: [] }));
        await noteForModels(tracking, projectId, runId, [body]);
        return {};
      },
    }),
    mlflowEndpoint(ports, {
      ...WRITE,
      path: "/runs/log-inputs",
      summary: "Note the data sets and models that a run uses",
      body: z.object({
        run_id: idSchema,
        datasets: z.array(datasetInput).max(1_000).default([]),
        models: z.array(modelInput).max(1_000).default([]),
      }),
      handle: async ({ projectId, body: { run_id: runId, datasets, models } }) => {
        const inputs = models.map((model) => modelLink("model-input", model));
        unwrapped(await runs.link(projectId, runId, [...datasets.map(datasetLink), ...inputs]));
        return {};
      },
    }),
    mlflowEndpoint(ports, {
      ...WRITE,
      path: "/runs/outputs",
      summary: "Note the models that a run has made",
      body: z.object({
        run_id: idSchema,
        models: z
          .array(modelInput.extend({ step: wholeNumberSchema.default(0) }))
          .max(1_000)
          .default([]),
      }),
      handle: async ({ projectId, body: { run_id: runId, models } }) => {
        const outputs = models.map((model) => modelLink("model-output", model));
        unwrapped(await runs.link(projectId, runId, outputs));
        return {};
      },
    }),
  ];
}

function metricOf({ key, value, timestamp, step }: LoggedMetricField) {
  return { key, value, timestamp, step };
}

/** A metric that names a logged model is shown there, too. */
async function noteForModels(
  { loggedModels }: Tracking,
  projectId: string,
  runId: string,
  metrics: readonly LoggedMetricField[],
): Promise<void> {
  const modelIds = new Set(metrics.flatMap(({ model_id: modelId }) => (modelId ? [modelId] : [])));
  for (const modelId of modelIds) {
    const own = metrics.filter((metric) => metric.model_id === modelId);
    const noted = own.map((metric) => ({
      ...metricOf(metric),
      runId,
      datasetName: metric.dataset_name ?? "",
      datasetDigest: metric.dataset_digest ?? "",
    }));
    await loggedModels.noteMetrics(projectId, modelId, noted);
  }
}

function datasetLink(input: z.output<typeof datasetInput>): RunLink {
  const { name, digest } = input.dataset;
  const context = input.tags.find(({ key }) => key === "mlflow.data.context")?.value ?? "";
  return { kind: "dataset", id: `${digest} ${name}`, name, digest, context, body: input };
}

function modelLink(
  kind: "model-input" | "model-output",
  model: { readonly model_id: string; readonly step?: number },
): RunLink {
  const id = kind === "model-input" ? model.model_id : `${model.model_id} ${model.step ?? 0}`;
  return { kind, id, name: "", digest: "", context: "", body: model };
}
