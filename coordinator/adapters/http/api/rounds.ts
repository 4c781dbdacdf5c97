import type { ServerResponse } from "node:http";
import type { Http2ServerResponse } from "node:http2";
import { z } from "@hono/zod-openapi";
import { roundDetailSchema } from "#shared/protocol/api.ts";
import { hashHexSchema, roundIdSchema } from "#shared/protocol/ids.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import type { Rounds } from "../../../core/coordinator.ts";
import type { Blobs } from "../../../core/ports.ts";
import { API, named } from "../dialect.ts";
import { type Asked, type Endpoint, jsonEndpoint, rawEndpoint } from "../endpoint.ts";
import { enterDownload, readInTurn } from "../gate.ts";
import { problem } from "../problem.ts";
import { found } from "./answers.ts";

const roundParams = z.strictObject({ roundId: roundIdSchema });

/** A round, and what it made: models and published sums are named by content or by a round that is over, so they never change. */
export function roundEndpoints({
  rounds,
  blobs,
}: {
  readonly rounds: Rounds;
  readonly blobs: Blobs;
}): readonly Endpoint[] {
  return [
    jsonEndpoint({
      method: "get",
      path: "/api/v1/rounds/{roundId}",
      summary: "A round with its rules, hashes and events",
      dialect: API,
      permission: "runs.read",
      params: roundParams,
      answer: named(roundDetailSchema, "RoundDetail"),
      handle: async ({ params: { roundId } }) => found(await rounds.roundDetail(roundId)),
    }),
    rawEndpoint({
      method: "get",
      path: "/api/v1/rounds/{roundId}/sum",
      summary: "The published integer sum of a round: update, weight and check numbers, i32 little-endian",
      dialect: API,
      permission: "models.read",
      params: roundParams,
      handle: async ({ roundId }, asked) => {
        const hash = await readInTurn(asked.context, asked.gate, 1, () => rounds.publishedSumHash(roundId));
        if (hash === null) throw problem("NOT_FOUND", "This round has published no sum.");
        return answerBlob(asked, blobs, hash);
      },
    }),
    rawEndpoint({
      method: "get",
      path: "/api/v1/models/{hash}",
      summary: "A model as safetensors, named by its SHA-256",
      dialect: API,
      permission: "models.read",
      params: z.strictObject({ hash: hashHexSchema }),
      handle: ({ hash }, asked) => answerBlob(asked, blobs, hash),
    }),
  ];
}

async function answerBlob({ context, gate }: Asked, blobs: Blobs, hash: string): Promise<Response> {
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
  return new Response(await begun(body, byteCount, context.env.outgoing), { headers });
}

/**
 * The same bytes, of which the first are there: a file that cannot be read fails before the answer has begun, and has a
 * code. Later nothing is left but to cut the answer; the server would write the fault's text into it (W1). A peer that is
 * too slow is cut, too (W10). The whole download has a deadline, since what the kernel takes says little about its peer.
 */
async function begun(
  body: ReadableStream<Uint8Array>,
  byteCount: number,
  outgoing: ServerResponse | Http2ServerResponse,
): Promise<ReadableStream<Uint8Array>> {
  const reader = body.getReader();
  let next: ReadableStreamReadResult<Uint8Array> | null = await reader.read();
  const msMax = LIMITS.downloadMsMin + (byteCount / LIMITS.downloadBytesPerSecondMin) * 1000;
  const late = setTimeout(() => outgoing.destroy(), msMax);
  outgoing.once("close", () => clearTimeout(late));
  return new ReadableStream({
    pull: async (controller) => {
      try {
        const { done, value } = next ?? (await reader.read());
        next = null;
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
