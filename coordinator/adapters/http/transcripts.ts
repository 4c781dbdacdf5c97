import { z } from "@hono/zod-openapi";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import { sealedOpeningsSchema } from "#shared/protocol/api.ts";
import { decimalSchema, positionSchema, roundIdSchema } from "#shared/protocol/ids.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import type { Log, Spool, Store } from "../../core/ports.ts";
import { describeBytes } from "./blobs.ts";
import { type Api, check, checkRead, type Gate, mount } from "./endpoint.ts";
import { problem } from "./problem.ts";

/*
 * What is kept of a round for an auditor. There is no secret in the clear here: inputs are masked, opening shares and
 * evidence are sealed. A transcript names devices by their identity keys.
 */

const whole = (max: number) => decimalSchema.pipe(z.int().min(0).max(max));
const shardParams = z.strictObject({ roundId: roundIdSchema, shard: whole(LIMITS.goalMax) });
const chunkParams = z.strictObject({
  ...shardParams.shape,
  position: decimalSchema.pipe(positionSchema),
  chunk: whole(LIMITS.vectorLengthMax),
});

const KEPT_DAMAGED =
  "The coordinator's disk did not keep this input as it was receipted, so it is not served. Ask its operator for a copy of the data folder.";

/** Hashes in hex with commas between them, from the leaf up. */
export const MERKLE_PATH_HEADER = "chorus-merkle-path";

export interface TranscriptPorts {
  readonly store: Pick<
    Store,
    "loadTranscript" | "findTranscript" | "loadOpenings" | "loadSealedEvidence" | "findInput"
  >;
  readonly spool: Pick<Spool, "chunk">;
  readonly log: Log;
}

export function mountTranscripts(api: Api, gate: Gate, { store, spool, log }: TranscriptPorts): void {
  const notKept = () =>
    problem("NOT_FOUND", "No transcript of this round is kept: it is too old, or none was to be kept.");
  const sessionOf = async ({ roundId, shard }: z.infer<typeof shardParams>): Promise<string> => {
    const sid = await store.findTranscript(roundId, shard);
    if (sid === null) throw notKept();
    return sid;
  };
  const binary = { "content-type": "application/octet-stream" };

  const transcript = "/rounds/{roundId}/transcript/{shard}";
  describeBytes(api, transcript, "The transcript of one session of a round, MessagePack", shardParams);
  api.get("/rounds/:roundId/transcript/:shard", async (context) => {
    checkRead(context, gate.audits);
    const { roundId, shard } = check(shardParams, context.req.param(), "address");
    const row = await store.loadTranscript(roundId, shard);
    if (row === null) throw notKept();
    return new Response(row.bytes, { headers: binary });
  });

  mount(api, gate, {
    method: "get",
    path: `${transcript}/openings`,
    summary: "Opening shares of one session, each sealed to the auditor's key",
    params: shardParams,
    answer: sealedOpeningsSchema,
    limit: gate.audits,
    handle: async ({ params }) => {
      const openings = await store.loadOpenings(await sessionOf(params));
      return { items: [...openings].map(([position, sealed]) => ({ position, sealed: bytesToHex(sealed) })) };
    },
  });

  const evidence = `${transcript}/evidence`;
  describeBytes(
    api,
    evidence,
    "What is not published of one session's sum, with its salt, sealed to the auditor's key",
    shardParams,
  );
  api.get("/rounds/:roundId/transcript/:shard/evidence", async (context) => {
    checkRead(context, gate.audits);
    const sid = await sessionOf(check(shardParams, context.req.param(), "address"));
    const sealed = await store.loadSealedEvidence(sid);
    if (sealed === null) throw notKept();
    return new Response(new Uint8Array(sealed), { headers: binary });
  });

  const chunk = `${transcript}/inputs/{position}/{chunk}`;
  describeBytes(
    api,
    chunk,
    `64 KiB of a masked input; its Merkle path in ${MERKLE_PATH_HEADER}`,
    chunkParams,
  );
  api.get("/rounds/:roundId/transcript/:shard/inputs/:position/:chunk", async (context) => {
    checkRead(context, gate.audits);
    const params = check(chunkParams, context.req.param(), "address");
    const sid = await sessionOf({ roundId: params.roundId, shard: params.shard });
    const { position } = params;
    const input = await store.findInput(sid, position);
    const isThere = params.chunk < Math.ceil((input?.byteCount ?? 0) / LIMITS.chunkByteCount);
    if (input === null || !isThere) throw problem("NOT_FOUND", "Of this input there is no such part.");
    const read = await spool.chunk(sid, position, params.chunk, input.root);
    if (!read.ok) {
      // Its receipt and its transcript are there.
      log.error({ sid, position, found: read.error.type }, "a kept input is damaged: look at the disk");
      throw problem("NOT_FOUND", KEPT_DAMAGED);
    }
    const { bytes, path: siblings } = read.value;
    const path = siblings.map(bytesToHex).join(",");
    return new Response(bytes, { headers: { ...binary, [MERKLE_PATH_HEADER]: path } });
  });
}
