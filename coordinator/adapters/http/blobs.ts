import type { ServerResponse } from "node:http";
import type { Http2ServerResponse } from "node:http2";
import { z } from "@hono/zod-openapi";
import { hashHexSchema, roundIdSchema } from "#shared/protocol/ids.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import type { Coordinator } from "../../core/coordinator.ts";
import type { Blobs } from "../../core/ports.ts";
import {
  type Api,
  type ApiContext,
  check,
  enterDownload,
  errorSchema,
  type Gate,
  readInTurn,
} from "./endpoint.ts";
import { problem } from "./problem.ts";

/** Models and published sums: named by their content or by a round that is over, so they never change. */
export function mountBlobs(
  api: Api,
  gate: Gate,
  { coordinator, blobs }: { readonly coordinator: Coordinator; readonly blobs: Blobs },
): void {
  describeBytes(
    api,
    "/models/{hash}",
    "A model as safetensors, named by its SHA-256",
    z.strictObject({ hash: hashHexSchema }),
  );
  api.get("/models/:hash", async (context) => {
    const { hash } = check(z.strictObject({ hash: hashHexSchema }), context.req.param(), "address");
    return answerBlob(context, gate, blobs, hash);
  });
  describeBytes(
    api,
    "/rounds/{roundId}/sum",
    "The published integer sum of a round: update, weight and check numbers, i32 little-endian",
    z.strictObject({ roundId: roundIdSchema }),
  );
  api.get("/rounds/:roundId/sum", async (context) => {
    const { roundId } = check(z.strictObject({ roundId: roundIdSchema }), context.req.param(), "address");
    const hash = await readInTurn(context, gate, 1, () => coordinator.publishedSumHash(roundId));
    if (hash === null) throw problem("NOT_FOUND", "This round has published no sum.");
    return answerBlob(context, gate, blobs, hash);
  });
}

async function answerBlob(context: ApiContext, gate: Gate, blobs: Blobs, hash: string): Promise<Response> {
  await enterDownload(context, gate);
  const byteCount = await blobs.byteCount(hash);
  if (byteCount === null) throw problem("NOT_FOUND");
  const headers = {
    "cache-control": "public, max-age=31536000, immutable",
    "content-type": "application/octet-stream",
    "content-length": String(byteCount),
    etag: `"${hash}"`,
  };
  if (context.req.header("if-none-match") === headers.etag) {
    return new Response(null, {
      status: 304,
      headers: { "cache-control": headers["cache-control"], etag: headers.etag },
    });
  }
  if (context.req.method === "HEAD") return new Response(null, { headers });
  const body = await blobs.stream(hash);
  if (body === null) throw problem("NOT_FOUND");
  return new Response(await begun(body, context.env.outgoing), { headers });
}

/**
 * The same bytes, of which the first are there: a file that cannot be read fails before the answer has begun, and has a
 * code. Later nothing is left but to cut the answer; the server would write the fault's text into it (W1). A peer that
 * takes nothing of it for a while is cut, too: it holds a place that others wait for (W10).
 */
async function begun(
  body: ReadableStream<Uint8Array>,
  outgoing: ServerResponse | Http2ServerResponse,
): Promise<ReadableStream<Uint8Array>> {
  const reader = body.getReader();
  let next: ReadableStreamReadResult<Uint8Array> | null = await reader.read();
  const stalled = setTimeout(() => outgoing.destroy(), LIMITS.downloadStallMsMax);
  outgoing.once("close", () => clearTimeout(stalled));
  return new ReadableStream({
    pull: async (controller) => {
      try {
        const { done, value } = next ?? (await reader.read());
        next = null;
        stalled.refresh();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch {
        outgoing.destroy();
        controller.close();
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

export function describeBytes(api: Api, path: string, summary: string, params: z.ZodObject): void {
  api.openAPIRegistry.registerPath({
    method: "get",
    path,
    summary,
    request: { params },
    responses: {
      200: {
        description: summary,
        content: { "application/octet-stream": { schema: { type: "string", format: "binary" } } },
      },
      default: {
        description: "What is wrong and what to do",
        content: { "application/json": { schema: errorSchema } },
      },
    },
  });
}
