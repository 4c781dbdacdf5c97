import { z } from "@hono/zod-openapi";
import type { ListedFile } from "../../../core/tracking/artifacts.ts";
import { artifactPathSchema } from "../../../core/tracking/fields.ts";
import { unwrapped } from "../api/answers.ts";
import { MLFLOW } from "../dialect.ts";
import { type Asked, type Endpoint, jsonEndpoint, rawEndpoint } from "../endpoint.ts";
import { checkWrite, enterDownload } from "../gate.ts";
import { type MlflowPorts, mlflowEndpoint, projectOf, type TrackingPermission } from "./endpoint.ts";
import { idSchema, pageTokenSchema, runIdFields, runIdOf } from "./fields.ts";
import { fileAnswer, receive } from "./file-transfer.ts";
import { folderOf } from "./named-files.ts";

/*
 * Files of runs and models, which MLflow's clients send and fetch through the tracking server: `mlflow-artifacts:/a/b` is
 * /api/2.0/mlflow-artifacts/artifacts/a/b. Rule L4.
 */

const FILE = "/api/2.0/mlflow-artifacts/artifacts/{artifactPath}";

const fileParams = z.strictObject({ artifactPath: artifactPathSchema });
/** A folder's own "." is left out: clients write it in paths that they build from parts. */
const folderSchema = z
  .string()
  .default("")
  .transform((path) =>
    path
      .split("/")
      .filter((part) => part !== ".")
      .join("/"),
  )
  .pipe(artifactPathSchema.or(z.literal("")));
const BYTES = { schema: { type: "string", format: "binary" } } as const;
const filesSchema = z.object({
  files: z.array(z.object({ path: z.string(), is_dir: z.boolean(), file_size: z.int().optional() })),
});

export function artifactEndpoints(ports: MlflowPorts): readonly Endpoint[] {
  const { artifacts, runs, loggedModels } = ports.tracking;
  /** Lists a folder below the files of a run or a model, relative to these. */
  const listBelow = async (projectId: string, root: string, folder: string) => {
    const inside = folderOf(root);
    if (inside === null) return { root_uri: root, files: [] };
    const listed = await artifacts.list(projectId, folder === "" ? inside : `${inside}/${folder}`);
    const start = folder === "" ? "" : `${folder}/`;
    return { root_uri: root, files: listed.map((file) => fileMessage({ ...file, path: start + file.path })) };
  };
  return [
    mlflowEndpoint(ports, {
      method: "get",
      path: "/artifacts/list",
      summary: "Files of a run, by folder",
      permission: "tracking.read",
      query: z.strictObject({
        ...runIdFields,
        path: folderSchema,
        page_token: pageTokenSchema,
      }),
      handle: async ({ projectId, query }) => {
        const { run } = unwrapped(await runs.get(projectId, runIdOf(query)));
        return listBelow(projectId, run.artifactUri, query.path);
      },
    }),
    mlflowEndpoint(ports, {
      method: "get",
      path: "/logged-models/{model_id}/artifacts/directories",
      summary: "Files of a logged model, by folder",
      permission: "tracking.read",
      params: z.strictObject({ model_id: idSchema }),
      query: z.strictObject({
        artifact_directory_path: folderSchema,
        page_token: pageTokenSchema,
      }),
      handle: async ({ projectId, params, query }) => {
        const model = unwrapped(await loggedModels.get(projectId, params.model_id));
        return listBelow(projectId, model.artifactUri, query.artifact_directory_path);
      },
    }),
    jsonEndpoint({
      method: "get",
      path: "/api/2.0/mlflow-artifacts/artifacts",
      summary: "Files in a folder, relative to it",
      dialect: MLFLOW,
      permission: "tracking.read",
      query: z.strictObject({ path: folderSchema }),
      answer: filesSchema,
      handle: async (input) => {
        const listed = await artifacts.list(projectOf(ports, input, "tracking.read"), input.query.path);
        return { files: listed.map(fileMessage) };
      },
    }),
    ...fileEndpoints(ports),
  ];
}

function fileEndpoints(ports: MlflowPorts): readonly Endpoint[] {
  const { artifacts } = ports.tracking;
  const project = (asked: Asked, permission: TrackingPermission) => projectOf(ports, asked, permission);
  const ofFile = { path: FILE, dialect: MLFLOW, params: fileParams } as const;
  const done = {
    200: { description: "It is done", content: { "application/json": { schema: z.object({}) } } },
  };
  return [
    rawEndpoint({
      ...ofFile,
      method: "get",
      summary: "A file of a run, a model or a version",
      permission: "tracking.read",
      responses: { 200: { description: "The file", content: { "application/octet-stream": BYTES } } },
      handle: async ({ artifactPath }, asked) => {
        const { context, gate } = asked;
        await enterDownload(context, gate, "downloads");
        const file = unwrapped(await artifacts.open(project(asked, "tracking.read"), artifactPath));
        return fileAnswer(asked, artifactPath, file);
      },
    }),
    rawEndpoint({
      ...ofFile,
      method: "put",
      summary: "Store a file of a run or a model; it takes the place of one of that path",
      permission: "tracking.write",
      responses: done,
      handle: async ({ artifactPath }, asked) => {
        const { context, gate, again } = asked;
        checkWrite(context, gate, gate.tracking);
        const principal = await again();
        const projectId = projectOf(ports, { context, principal }, "tracking.write");
        await receive(asked, async (body, byteCount) =>
          unwrapped(await artifacts.put(projectId, artifactPath, body, byteCount)),
        );
        return Response.json({});
      },
    }),
    rawEndpoint({
      ...ofFile,
      method: "delete",
      summary: "Delete a file, or a folder with what is in it",
      permission: "tracking.write",
      responses: done,
      handle: async ({ artifactPath }, asked) => {
        checkWrite(asked.context, asked.gate, asked.gate.tracking);
        unwrapped(await artifacts.remove(project(asked, "tracking.write"), artifactPath));
        return Response.json({});
      },
    }),
  ];
}

function fileMessage({ path, isFolder, byteCount }: ListedFile) {
  return { path, is_dir: isFolder, ...(byteCount !== null && { file_size: byteCount }) };
}
