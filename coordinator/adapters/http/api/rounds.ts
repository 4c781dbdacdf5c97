import type { ServerResponse } from "node:http";
import type { Http2ServerResponse } from "node:http2";
import { z } from "@hono/zod-openapi";
import { roundDetailSchema, roundLogSchema } from "#shared/protocol/api.ts";
import { decimalSchema, hashHexSchema, roundIdSchema, sessionIdSchema } from "#shared/protocol/ids.ts";
import { logProofView, logProofViewSchema } from "#shared/tlog/log-proof-view.ts";
import { refusalAt } from "../../../core/access/places.ts";
import { ANYONE } from "../../../core/access/principal.ts";
import type { Rounds } from "../../../core/coordinator.ts";
import type { Blobs } from "../../../core/ports/ports.ts";
import type { Placed } from "../../../core/ports/store.ts";
import { API, named } from "../dialect.ts";
import { type Asked, type Endpoint, jsonEndpoint, rawEndpoint } from "../endpoint.ts";
import { cutWhenLate, enterDownload, readInTurn } from "../gate.ts";
import { problem } from "../problem.ts";
import { found, unwrapped } from "./answers.ts";

/** Reading and writing out a round's log, in units of a rate. */
const LOG_COST = 5;
const NO_LOG =
  "This round shows no log: it goes on, or its groups follow from the devices' keys. npm run verify checks such a round with the auditor's key.";

const roundParams = z.strictObject({ roundId: roundIdSchema });

/**
 * A round and what it made. Models are named by content and published sums belong to rounds that are over, so
 * neither ever changes.
 */
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
      summary: "A round with its rules and hashes, and its events for whoever may read the run",
      dialect: API,
      permission: "rounds.look-up",
      params: roundParams,
      about: ({ params: { roundId } }) => ({ type: "round", id: roundId }),
      answer: named(roundDetailSchema, "RoundDetail"),
      handle: async ({ params: { roundId }, may }) => {
        const detail = found(await rounds.roundDetail(roundId));
        // Participants check their part by hashes and counts.
        return may("runs.read") ? detail : { ...detail, events: [] };
      },
    }),
    jsonEndpoint({
      method: "get",
      path: "/api/v1/rounds/{roundId}/log",
      summary:
        "The log of a round that has ended, without what names devices: replayed, it gives the same outcome",
      dialect: API,
      permission: "runs.read",
      params: roundParams,
      about: ({ params: { roundId } }) => ({ type: "round", id: roundId }),
      answer: named(roundLogSchema, "RoundLog"),
      cost: () => LOG_COST,
      handle: async ({ params: { roundId } }) => {
        const log = await rounds.namelessLog(roundId);
        if (log === null) throw problem("NOT_FOUND", NO_LOG);
        return { items: log.map(({ sequence, event }) => ({ sequence, event })) };
      },
    }),
    jsonEndpoint({
      method: "get",
      path: "/api/v1/rounds/{roundId}/sealed-inputs",
      summary:
        "The proof that the public log has the sealed inputs of a session, for a participant's receipt",
      dialect: API,
      permission: "rounds.look-up",
      params: roundParams,
      query: z.strictObject({
        sid: sessionIdSchema,
        /** Number of entries of the log that the reader has seen. */
        from: decimalSchema.default(0),
      }),
      about: ({ params: { roundId } }) => ({ type: "round", id: roundId }),
      answer: named(logProofViewSchema, "LogProof"),
      handle: async ({ params: { roundId }, query: { sid, from } }) =>
        logProofView(unwrapped(await rounds.sealedInputsProof(roundId, sid, from))),
    }),
    rawEndpoint({
      method: "get",
      path: "/api/v1/rounds/{roundId}/sum",
      summary: "The published integer sum of a round: update, weight and check numbers, i32 little-endian",
      dialect: API,
      permission: "models.read",
      params: roundParams,
      about: ({ roundId }) => ({ type: "round", id: roundId }),
      handle: async ({ roundId }, asked) => {
        const hash = await readInTurn(asked.context, asked.gate, 1, () => rounds.publishedSumHash(roundId));
        if (hash === null) throw problem("NOT_FOUND", "This round has published no sum.");
        return answerBlob(asked, { blobs, hash, of: { type: "round", id: roundId } });
      },
    }),
    rawEndpoint({
      method: "get",
      path: "/api/v1/models/{hash}",
      summary: "A model as safetensors, named by its SHA-256",
      dialect: API,
      permission: "models.read",
      params: z.strictObject({ hash: hashHexSchema }),
      about: ({ hash }) => ({ type: "model", id: hash }),
      handle: ({ hash }, asked) => answerBlob(asked, { blobs, hash, of: { type: "model", id: hash } }),
    }),
  ];
}

interface BlobAsked {
  readonly blobs: Blobs;
  readonly hash: string;
  /** What it was asked for as. */
  readonly of: Placed;
}

/**
 * Whether caches on the way may keep it. They would give it to anyone, so they keep nothing that not everyone may read
 * (X32).
 */
async function cacheControl(gate: Asked["gate"], of: Placed): Promise<string> {
  const refusal = refusalAt(ANYONE, "models.read", await gate.places.of(of), gate.wall.nowUnixMs());
  return `${refusal === null ? "public" : "private"}, max-age=31536000, immutable`;
}

async function answerBlob({ context, gate }: Asked, { blobs, hash, of }: BlobAsked): Promise<Response> {
  await enterDownload(context, gate, "downloads");
  const byteCount = await blobs.byteCount(hash);
  if (byteCount === null) throw problem("NOT_FOUND");
  const headers = {
    "cache-control": await cacheControl(gate, of),
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
  cutWhenLate(context, byteCount);
  return new Response(await begun(body, context.env.outgoing), { headers });
}

/**
 * Reads the first bytes before the answer begins, so that an unreadable file still gets a code. After that
 * the answer can only be cut; otherwise the server would write the error's text into it (W1).
 */
async function begun(
  body: ReadableStream<Uint8Array>,
  outgoing: ServerResponse | Http2ServerResponse,
): Promise<ReadableStream<Uint8Array>> {
  const reader = body.getReader();
  let next: ReadableStreamReadResult<Uint8Array> | null = await reader.read();
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
