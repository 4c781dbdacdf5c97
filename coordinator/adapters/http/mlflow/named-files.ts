import { z } from "@hono/zod-openapi";
import { artifactPathSchema, modelNameSchema } from "../../../core/tracking/fields.ts";
import { unwrapped } from "../api/answers.ts";
import { MLFLOW } from "../dialect.ts";
import { type Asked, type Endpoint, rawEndpoint } from "../endpoint.ts";
import { check, checkWrite, enterDownload } from "../gate.ts";
import { problem } from "../problem.ts";
import { type MlflowPorts, projectOf } from "./endpoint.ts";
import { idSchema, runIdFields, runIdOf, versionSchema } from "./fields.ts";
import { fileAnswer, receive } from "./file-transfer.ts";

/* Files by whose they are rather than by their path, as MLflow's pages ask for them. Rule L4. */

export const FILES_SCHEME = "mlflow-artifacts:";
const TREE = {
  200: { description: "It is done", content: { "application/json": { schema: z.object({}) } } },
};

/** Below all files of the project; null if files of this address are kept elsewhere. */
export function folderOf(address: string): string | null {
  if (!address.startsWith(FILES_SCHEME)) return null;
  return address
    .slice(FILES_SCHEME.length)
    .split("/")
    .filter((part) => part !== "")
    .join("/");
}

export function namedFileEndpoints(ports: MlflowPorts): readonly Endpoint[] {
  const { runs, versions, loggedModels } = ports.tracking;
  const ofFile = { method: "get", dialect: MLFLOW, permission: "tracking.read" } as const;
  return [
    rawEndpoint({
      ...ofFile,
      path: "/api/2.0/mlflow/get-artifact",
      summary: "A file of a run",
      query: z.strictObject({ ...runIdFields, path: artifactPathSchema }),
      handle: async (_, asked, query) => {
        const projectId = projectOf(ports, asked, "tracking.read");
        const { run } = unwrapped(await runs.get(projectId, runIdOf(query)));
        return served(ports, asked, projectId, run.artifactUri, query.path);
      },
    }),
    rawEndpoint({
      ...ofFile,
      path: "/api/2.0/mlflow/model-versions/get-artifact",
      summary: "A file of a version",
      query: z.strictObject({ name: modelNameSchema, version: versionSchema, path: artifactPathSchema }),
      handle: async (_, asked, { name, version, path }) => {
        const projectId = projectOf(ports, asked, "tracking.read");
        const { storage } = unwrapped(await versions.get(projectId, name, version));
        return served(ports, asked, projectId, await resolved(ports, projectId, storage), path);
      },
    }),
    rawEndpoint({
      ...ofFile,
      path: "/api/2.0/mlflow/logged-models/{model_id}/artifacts/files",
      summary: "A file of a logged model",
      params: z.strictObject({ model_id: idSchema }),
      query: z.strictObject({ artifact_file_path: artifactPathSchema }),
      handle: async ({ model_id: modelId }, asked, { artifact_file_path: path }) => {
        const projectId = projectOf(ports, asked, "tracking.read");
        const { artifactUri } = unwrapped(await loggedModels.get(projectId, modelId));
        return served(ports, asked, projectId, artifactUri, path);
      },
    }),
    uploadEndpoint(ports),
  ];
}

function uploadEndpoint(ports: MlflowPorts): Endpoint {
  const { runs, artifacts } = ports.tracking;
  return rawEndpoint({
    method: "post",
    path: "/api/2.0/mlflow/upload-artifact",
    summary: "Store a file of a run",
    dialect: MLFLOW,
    permission: "tracking.write",
    query: z.strictObject({ run_uuid: idSchema.default(""), path: z.string().max(1_000).default("") }),
    responses: TREE,
    handle: async (_, asked, { run_uuid: runId, path }) => {
      const { context, gate, again } = asked;
      checkWrite(context, gate, gate.tracking);
      const missing = runId === "" ? "run_uuid" : path === "" ? "path" : null;
      if (missing !== null) throw problem("BAD_REQUEST", `Request must specify ${missing}.`);
      const { path: name } = check(z.object({ path: artifactPathSchema }), { path }, "query");
      const projectId = projectOf(ports, { context, principal: await again() }, "tracking.write");
      const { run } = unwrapped(await runs.get(projectId, runId));
      const { headers } = context.env.incoming;
      if (headers["content-length"] === "0" || (!headers["content-length"] && !headers["transfer-encoding"]))
        throw problem("BAD_REQUEST", "Request must specify data.");
      const folder = folderHere(run.artifactUri);
      await receive(asked, async (body, byteCount) =>
        unwrapped(await artifacts.put(projectId, below(folder, name), body, byteCount)),
      );
      return Response.json({});
    },
  });
}

async function served(
  { tracking }: MlflowPorts,
  asked: Asked,
  projectId: string,
  address: string,
  path: string,
): Promise<Response> {
  await enterDownload(asked.context, asked.gate, "downloads");
  const file = unwrapped(await tracking.artifacts.open(projectId, below(folderHere(address), path)));
  return fileAnswer(asked, path, file);
}

/** A version may name a folder of a run: runs:/id/folder. */
async function resolved({ tracking }: MlflowPorts, projectId: string, storage: string): Promise<string> {
  const [, runId, folder = ""] = /^runs:\/+([^/]+)(\/.*)?$/.exec(storage) ?? [];
  if (runId === undefined) return storage;
  const { run } = unwrapped(await tracking.runs.get(projectId, runId));
  return run.artifactUri + folder;
}

function below(folder: string, path: string): string {
  return folder === "" ? path : `${folder}/${path}`;
}

function folderHere(address: string): string {
  const folder = folderOf(address);
  if (folder === null)
    throw problem(
      "BAD_REQUEST",
      "These files are kept elsewhere. Fetch them from the address of their source.",
    );
  return folder;
}
