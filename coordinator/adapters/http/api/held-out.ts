import { z } from "@hono/zod-openapi";
import type { Bytes } from "#shared/kernel/bytes.ts";
import { release } from "#shared/kernel/release.ts";
import {
  heldOutBeginSchema,
  heldOutStateSchema,
  heldOutUploadSchema,
  uploadIdSchema,
} from "#shared/protocol/api.ts";
import { taskSlugSchema } from "#shared/protocol/ids.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import { actorOf } from "../../../core/access/principal.ts";
import type { HeldOut } from "../../../core/coordinator.ts";
import type { Placed } from "../../../core/ports/store.ts";
import { partOf, SILENCE_MS } from "../body-part.ts";
import { API, named } from "../dialect.ts";
import { type Asked, type Endpoint, jsonEndpoint, rawEndpoint } from "../endpoint.ts";
import { checkWrite } from "../gate.ts";
import { Problem, problem } from "../problem.ts";
import { found, unwrapped } from "./answers.ts";
import { emptyBody } from "./people.ts";

/*
 * Held-out rows of a task: announce an upload, send its bytes, follow its check. A part may be repeated, and an upload
 * continues where it stopped:
 *
 * | request                                           | answers                                              |
 * | ------------------------------------------------- | ---------------------------------------------------- |
 * | POST .../held-out/uploads {format, byteCount, card} | 201 with the upload and its id                     |
 * | PUT .../held-out/uploads/{id}, bytes first-last/total | 202 with the upload while parts are missing, else 200 |
 * | GET .../held-out/uploads/{id}                     | the upload: how many bytes arrived, how far the check is |
 *
 * A part of another offset than the one that is wanted gets CONFLICT, with the one in chorus-offset.
 */

const upload = named(heldOutUploadSchema, "HeldOutUpload");
const state = named(heldOutStateSchema, "HeldOut");
const slugParams = z.strictObject({ slug: taskSlugSchema });
const uploadParams = z.strictObject({ slug: taskSlugSchema, uploadId: uploadIdSchema });

const UPLOADS = "/api/v1/tasks/{slug}/held-out/uploads";
const BASE = { dialect: API, permission: "tasks.settings" } as const;
const aboutTask = ({ slug }: { readonly slug: string }): Placed => ({ type: "task", id: slug });

export interface HeldOutPorts {
  readonly heldOut: HeldOut;
}

/** Before those of tasks, whose `{version}` would match "held-out" too. */
export function heldOutEndpoints({ heldOut }: HeldOutPorts): readonly Endpoint[] {
  return [
    jsonEndpoint({
      ...BASE,
      method: "get",
      path: "/api/v1/tasks/{slug}/held-out",
      summary: "The held-out rows of a task, and uploads of them",
      params: slugParams,
      about: ({ params }) => aboutTask(params),
      answer: state,
      handle: async ({ params }) => found(await heldOut.heldOutState(params.slug)),
    }),
    jsonEndpoint({
      ...BASE,
      method: "post",
      path: UPLOADS,
      summary: "Announce an upload of held-out rows; it takes the place of one's own that is under way",
      params: slugParams,
      about: ({ params }) => aboutTask(params),
      body: heldOutBeginSchema,
      answer: upload,
      status: 201,
      handle: async ({ params, body, principal }) =>
        unwrapped(await heldOut.beginHeldOut(params.slug, body, actorOf(principal))),
    }),
    jsonEndpoint({
      ...BASE,
      method: "get",
      path: `${UPLOADS}/{uploadId}`,
      summary: "How far an upload of held-out rows and its check are",
      params: uploadParams,
      about: ({ params }) => aboutTask(params),
      answer: upload,
      handle: async ({ params: { slug, uploadId } }) => found(await heldOut.heldOutUpload(slug, uploadId)),
    }),
    rawEndpoint({
      ...BASE,
      method: "put",
      path: `${UPLOADS}/{uploadId}`,
      summary: "Send held-out rows, as a whole or in parts. Once all are here they are checked",
      params: uploadParams,
      about: aboutTask,
      headers: z.object({ "content-range": z.string().optional() }),
      takes: "application/octet-stream",
      responses: {
        200: { description: "All bytes are here", content: { "application/json": { schema: upload } } },
        202: { description: "This part is stored", content: { "application/json": { schema: upload } } },
      },
      handle: (params, asked) => receive(heldOut, params, asked),
    }),
    jsonEndpoint({
      ...BASE,
      method: "post",
      path: `${UPLOADS}/{uploadId}/stop`,
      summary: "Stop an upload of held-out rows, or its check; nothing of it is stored",
      params: uploadParams,
      about: ({ params }) => aboutTask(params),
      body: emptyBody,
      answer: upload,
      handle: async ({ params: { slug, uploadId } }) => unwrapped(await heldOut.stopHeldOut(slug, uploadId)),
    }),
    jsonEndpoint({
      ...BASE,
      method: "post",
      path: "/api/v1/tasks/{slug}/held-out/remove",
      summary: "Go without held-out rows: they are deleted, and devices alone judge the task's models",
      params: slugParams,
      about: ({ params }) => aboutTask(params),
      body: emptyBody,
      answer: state,
      handle: async ({ params: { slug }, principal }) => {
        unwrapped(await heldOut.removeHeldOut(slug, actorOf(principal)));
        return found(await heldOut.heldOutState(slug));
      },
    }),
  ];
}

async function receive(
  heldOut: HeldOut,
  { slug, uploadId }: z.infer<typeof uploadParams>,
  { context, gate }: Asked,
): Promise<Response> {
  checkWrite(context, gate);
  const { incoming } = context.env;
  const { offset, byteCount, total } = partOf(incoming, "file");
  if (byteCount > LIMITS.heldOutPartByteCountMax)
    throw problem(
      "TOO_LARGE",
      `A part has at most ${LIMITS.heldOutPartByteCountMax} bytes. Send the file in parts, each with its Content-Range.`,
    );
  incoming.setTimeout(SILENCE_MS, () => incoming.destroy());
  try {
    const body = incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
    const free = (piece: Uint8Array) => release(piece as Bytes);
    const part = { offset, byteCount: total, body, free };
    const received = await heldOut.receiveHeldOut(slug, uploadId, part);
    if (!received.ok) {
      const { error, reached } = received.error;
      throw new Problem(error, reached === undefined ? {} : { "chorus-offset": String(reached) });
    }
    const status = received.value.state === "receiving" ? 202 : 200;
    return Response.json(received.value, { status });
  } finally {
    incoming.setTimeout(0);
  }
}
