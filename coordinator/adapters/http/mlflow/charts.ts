import { z } from "@hono/zod-openapi";
import { datasetsOf } from "../../../core/tracking/datasets.ts";
import { keySchema } from "../../../core/tracking/fields.ts";
import type { RunMetric, StepRange } from "../../../core/tracking/histories.ts";
import { unwrapped } from "../api/answers.ts";
import type { Endpoint } from "../endpoint.ts";
import { problem } from "../problem.ts";
import { type MlflowPorts, mlflowEndpoint } from "./endpoint.ts";
import { idSchema, wholeNumberSchema } from "./fields.ts";
import { metricMessage } from "./messages.ts";
import { missingSentence } from "./wording.ts";

/* What MLflow's charts ask: one metric of several runs, and which data sets experiments used. Rule L2. */

const READ = { method: "get", permission: "tracking.read" } as const;
const RUNS_MAX = 100;
const VALUES_MAX = 25_000;
const VALUES_PER_RUN_MAX = 2_500;
const EXPERIMENTS_MAX = 20;

// One more than may be asked for, so that the refusal names the bound.
const runIdsSchema = z.array(idSchema).max(10_000).default([]);
const optionalKey = keySchema.or(z.literal("")).default("");

export function chartEndpoints(ports: MlflowPorts): readonly Endpoint[] {
  const { histories, runs } = ports.tracking;
  return [
    mlflowEndpoint(ports, {
      ...READ,
      path: "/metrics/get-history-bulk",
      summary: "The values of a metric of several runs, by run and step",
      query: z.strictObject({
        run_id: runIdsSchema,
        metric_key: optionalKey,
        max_results: wholeNumberSchema.default(VALUES_MAX),
      }),
      lists: ["run_id"],
      handle: async ({ projectId, query: { run_id: runIds, metric_key: key, max_results: asked } }) => {
        if (runIds.length === 0) throw bad("GetMetricHistoryBulk request must specify at least one run_id.");
        if (runIds.length > RUNS_MAX)
          throw bad(
            `GetMetricHistoryBulk request cannot specify more than ${RUNS_MAX} run_ids. Received ${runIds.length} run_ids.`,
          );
        if (key === "") throw bad("GetMetricHistoryBulk request must specify a metric_key.");
        const most = Math.min(asked, VALUES_MAX);
        return metricsMessage(unwrapped(await histories.ofRuns(projectId, runIds, key, most)));
      },
    }),
    mlflowEndpoint(ports, {
      ...READ,
      path: "/metrics/get-history-bulk-interval",
      summary: "Evenly spaced values of a metric of several runs",
      query: z.strictObject({
        run_ids: runIdsSchema,
        metric_key: optionalKey,
        start_step: wholeNumberSchema.optional(),
        end_step: wholeNumberSchema.optional(),
        max_results: wholeNumberSchema.default(VALUES_PER_RUN_MAX),
      }),
      lists: ["run_ids"],
      handle: async ({ projectId, query }) => {
        const { run_ids: runIds, metric_key: key, max_results: maxResults } = query;
        if (runIds.length === 0) throw bad(missingSentence("run_ids"));
        if (runIds.length > RUNS_MAX)
          throw bad(
            `GetMetricHistoryBulkInterval request must specify at most ${RUNS_MAX} run_ids. Received ${runIds.length} run_ids.`,
          );
        if (key === "") throw bad(missingSentence("metric_key"));
        if (maxResults < 1 || maxResults > VALUES_PER_RUN_MAX)
          throw bad(`max_results must be between 1 and ${VALUES_PER_RUN_MAX}.`);
        const steps = stepsOf(query.start_step, query.end_step);
        return metricsMessage(
          unwrapped(await histories.sampled(projectId, runIds, key, { maxResults, steps })),
        );
      },
    }),
    mlflowEndpoint(ports, {
      ...READ,
      method: "post",
      path: "/experiments/search-datasets",
      summary: "The data sets that runs of experiments used",
      body: z.object({ experiment_ids: z.array(idSchema).max(10_000).default([]) }),
      handle: async ({ projectId, body: { experiment_ids: ids } }) => {
        if (ids.length === 0) throw bad("SearchDatasets request must specify at least one experiment_id.");
        if (ids.length > EXPERIMENTS_MAX)
          throw bad(
            `SearchDatasets request cannot specify more than ${EXPERIMENTS_MAX} experiment_ids. Received ${ids.length} experiment_ids.`,
          );
        const found = unwrapped(await datasetsOf(runs, projectId, ids));
        return {
          dataset_summaries: found.map(({ experimentId, name, digest, context }) => ({
            experiment_id: experimentId,
            name,
            digest,
            ...(context !== "" && { context }),
          })),
        };
      },
    }),
  ];
}

function bad(sentence: string) {
  return problem("BAD_REQUEST", sentence);
}

/** @throws Problem BAD_REQUEST if one end is missing or they are the wrong way round. */
function stepsOf(first: number | undefined, last: number | undefined): StepRange | null {
  if (first === undefined && last === undefined) return null;
  if (first === undefined || last === undefined)
    throw bad("If either start step or end step are specified, both must be specified.");
  if (first > last)
    throw bad(`end_step must be greater than start_step. Found start_step=${first} and end_step=${last}.`);
  return { first, last };
}

function metricsMessage(found: readonly RunMetric[]): object {
  return { metrics: found.map(({ runId, metric }) => ({ ...metricMessage(metric), run_id: runId })) };
}
