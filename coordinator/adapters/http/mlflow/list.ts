import { z } from "@hono/zod-openapi";
import { MLFLOW } from "../dialect.ts";
import { type Endpoint, jsonEndpoint, rawEndpoint } from "../endpoint.ts";
import { artifactEndpoints } from "./artifacts.ts";
import { chartEndpoints } from "./charts.ts";
import type { MlflowPorts } from "./endpoint.ts";
import { experimentEndpoints } from "./experiments.ts";
import { loggedModelEndpoints } from "./logged-models.ts";
import { loggingEndpoints } from "./logging.ts";
import { modelVersionEndpoints } from "./model-versions.ts";
import { namedFileEndpoints } from "./named-files.ts";
import { registeredModelEndpoints } from "./registered-models.ts";
import { runEndpoints } from "./runs.ts";

/** The version of MLflow whose server these endpoints stand for. Clients use what it has. */
const MLFLOW_VERSION = "3.0.0";

/** All that MLflow's clients ask. Traces, prompts, webhooks and the gateway are left out: they answer ENDPOINT_NOT_FOUND. */
export function mlflowEndpoints(ports: MlflowPorts): readonly Endpoint[] {
  return [
    ...serverEndpoints(),
    ...experimentEndpoints(ports),
    ...runEndpoints(ports),
    ...loggingEndpoints(ports),
    ...chartEndpoints(ports),
    ...artifactEndpoints(ports),
    ...namedFileEndpoints(ports),
    ...registeredModelEndpoints(ports),
    ...modelVersionEndpoints(ports),
    ...loggedModelEndpoints(ports),
  ];
}

function serverEndpoints(): readonly Endpoint[] {
  const plain = (path: string, summary: string, text: string) =>
    rawEndpoint({
      method: "get",
      path,
      summary,
      dialect: MLFLOW,
      permission: "public",
      responses: { 200: { description: summary, content: { "text/plain": { schema: { type: "string" } } } } },
      handle: async () => new Response(text, { headers: { "content-type": "text/plain; charset=utf-8" } }),
    });
  return [
    plain("/health", "Whether the server answers, as MLflow's clients ask", "OK"),
    plain("/version", "The version of MLflow that this server stands for", MLFLOW_VERSION),
    jsonEndpoint({
      method: "get",
      path: "/api/3.0/mlflow/server-info",
      summary: "What MLflow's clients ask before anything else",
      dialect: MLFLOW,
      permission: "public",
      rate: "facts",
      answer: z.object({
        store_type: z.string(),
        workspaces_enabled: z.boolean(),
        trace_archival_enabled: z.boolean(),
      }),
      handle: async () => ({
        store_type: "SqlStore",
        workspaces_enabled: false,
        trace_archival_enabled: false,
      }),
    }),
  ];
}
