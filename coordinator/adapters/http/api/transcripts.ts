import { z } from "@hono/zod-openapi";
import { type Bytes, bytesToHex } from "#shared/kernel/bytes.ts";
import { sealedOpeningsSchema } from "#shared/protocol/api.ts";
import { decimalSchema, positionSchema, roundIdSchema } from "#shared/protocol/ids.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import type { Log, Spool, Store } from "../../../core/ports/ports.ts";
import { API } from "../dialect.ts";
import { type Asked, type Endpoint, jsonEndpoint, rawEndpoint } from "../endpoint.ts";
import { cutWhenLate } from "../gate.ts";
import { problem } from "../problem.ts";

/*
 * What is kept of a round for an auditor. It holds no secret in the clear: inputs are masked, and opening
 * shares and evidence are sealed. A transcript names devices by their identity keys.
 */

const whole = (max: number) => decimalSchema.pipe(z.int().min(0).max(max));
const shardParams = z.strictObject({ roundId: roundIdSchema, shard: whole(LIMITS.goalMax) });
const chunkParams = z.strictObject({
  ...shardParams.shape,
  position: decimalSchema.pipe(positionSchema),
  chunk: whole(LIMITS.vectorLengthMax),
});

const KEPT_DAMAGED =
  "The coordinator's disk has damaged this input since its receipt, so it is not served. Ask its operator for a copy of the data folder.";

/** Hex hashes, separated by commas, from the leaf up. */
export const MERKLE_PATH_HEADER = "chorus-merkle-path";

export interface TranscriptPorts {
  readonly store: Pick<
    Store,
    "loadTranscript" | "findTranscript" | "loadOpenings" | "loadSealedEvidence" | "findInput"
  >;
  readonly spool: Pick<Spool, "chunk">;
  readonly log: Log;
}

const TRANSCRIPT = "/api/v1/rounds/{roundId}/transcript/{shard}";
const AUDITED = { method: "get", dialect: API, permission: "transcripts.read", rate: "audits" } as const;

/** With the deadline of a download: the bytes stay in memory until the auditor has read them (W10). */
function answerBytes(
  { context }: Asked,
  bytes: Bytes,
  headers: Readonly<Record<string, string>> = {},
): Response {
  cutWhenLate(context, bytes.byteLength);
  return new Response(bytes, { headers: { "content-type": "application/octet-stream", ...headers } });
}

function notKept() {
  return problem(
    "NOT_FOUND",
    "No transcript of this round is kept: it is too old, or this coordinator keeps none.",
  );
}

export function transcriptEndpoints({ store, spool, log }: TranscriptPorts): readonly Endpoint[] {
  const sessionOf = async ({ roundId, shard }: z.infer<typeof shardParams>): Promise<string> => {
    const sid = await store.findTranscript(roundId, shard);
    if (sid === null) throw notKept();
    return sid;
  };
  return [
    rawEndpoint({
      ...AUDITED,
      path: TRANSCRIPT,
      summary: "The transcript of one session of a round, MessagePack",
      params: shardParams,
      about: ({ roundId }) => ({ type: "round", id: roundId }),
      handle: async ({ roundId, shard }, asked) => {
        const row = await store.loadTranscript(roundId, shard);
        if (row === null) throw notKept();
        return answerBytes(asked, row.bytes);
      },
    }),
    jsonEndpoint({
      ...AUDITED,
      path: `${TRANSCRIPT}/openings`,
      summary: "Opening shares of one session, each sealed to the auditor's key",
      params: shardParams,
      about: ({ params: { roundId } }) => ({ type: "round", id: roundId }),
      answer: sealedOpeningsSchema,
      handle: async ({ params }) => {
        const openings = [...(await store.loadOpenings(await sessionOf(params)))];
        return { items: openings.map(([position, sealed]) => ({ position, sealed: bytesToHex(sealed) })) };
      },
    }),
    rawEndpoint({
      ...AUDITED,
      path: `${TRANSCRIPT}/evidence`,
      summary: "The unpublished part of one session's sum, with its salt, sealed to the auditor's key",
      params: shardParams,
      about: ({ roundId }) => ({ type: "round", id: roundId }),
      handle: async (params, asked) => {
        const sealed = await store.loadSealedEvidence(await sessionOf(params));
        if (sealed === null) throw notKept();
        return answerBytes(asked, new Uint8Array(sealed));
      },
    }),
    rawEndpoint({
      ...AUDITED,
      path: `${TRANSCRIPT}/inputs/{position}/{chunk}`,
      summary: `64 KiB of a masked input; its Merkle path in ${MERKLE_PATH_HEADER}`,
      params: chunkParams,
      about: ({ roundId }) => ({ type: "round", id: roundId }),
      handle: async ({ roundId, shard, position, chunk }, asked) => {
        const sid = await sessionOf({ roundId, shard });
        const input = await store.findInput(sid, position);
        const isThere = chunk < Math.ceil((input?.byteCount ?? 0) / LIMITS.chunkByteCount);
        if (input === null || !isThere) throw problem("NOT_FOUND", "This input has no such part.");
        const read = await spool.chunk(sid, position, chunk, input.root);
        if (!read.ok) {
          // The input has a receipt and a transcript, so the file should be intact.
          log.error({ sid, position, found: read.error.type }, "a kept input is damaged: check the disk");
          throw problem("NOT_FOUND", KEPT_DAMAGED);
        }
        const { bytes, path: siblings } = read.value;
        const path = siblings.map(bytesToHex).join(",");
        return answerBytes(asked, bytes, { [MERKLE_PATH_HEADER]: path });
      },
    }),
  ];
}
