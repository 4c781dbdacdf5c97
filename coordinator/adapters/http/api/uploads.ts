import type { IncomingMessage } from "node:http";
import { z } from "@hono/zod-openapi";
import type { Bytes } from "#shared/kernel/bytes.ts";
import { release } from "#shared/kernel/release.ts";
import { receiptSchema } from "#shared/protocol/api.ts";
import { decimalSchema, positionSchema, sessionIdSchema } from "#shared/protocol/ids.ts";
import { type InputHeaders, inputHeadersSchema } from "#shared/protocol/messages/device.ts";
import type { Uploads, UploadTicket } from "../../../core/coordinator.ts";
import { DiskLow, wireErrorOf } from "../../../core/outage.ts";
import type { Metrics, Spool } from "../../../core/ports.ts";
import { addressKey } from "../../../core/rate-limit.ts";
import { API, named } from "../dialect.ts";
import { type Endpoint, rawEndpoint } from "../endpoint.ts";
import { type ApiContext, check, checkOrigin, remoteAddress } from "../gate.ts";
import { Problem, problem } from "../problem.ts";

/*
 * A masked input, PUT /api/v1/uploads/{sid}/{position}; the same request may come again and in parts (W7).
 *
 * | header           | holds                                                          |
 * | ---------------- | -------------------------------------------------------------- |
 * | chorus-slot      | the token of the collect message                               |
 * | chorus-sha256    | of the whole vector, hex; names the upload in its receipt      |
 * | chorus-root      | Merkle root over its 64-KiB chunks, hex; what is checked       |
 * | chorus-signature | over E(input, ...), hex                                        |
 * | content-length   | exact length of this body; no chunked coding                   |
 * | content-range    | optional, `bytes first-last/total`, to go on at `first`        |
 *
 * | answer           | means                                                          |
 * | ---------------- | -------------------------------------------------------------- |
 * | 200 Receipt      | the whole vector is stored, durably                            |
 * | 202 { offset }   | this part is stored; go on at `offset`                         |
 * | 409 CONFLICT     | with chorus-offset: another part was expected                  |
 *
 * HEAD with the same four headers answers `chorus-offset`: how many bytes are here.
 */

/** A sender that is silent for this long is cut off; it resumes. */
const SILENCE_MS = 30_000;

const paramsSchema = z.strictObject({
  sid: sessionIdSchema,
  position: decimalSchema.pipe(positionSchema),
});

/** Whether a request has the shape of an upload: then its slot is judged before its address. */
export function isUpload({ method, url = "", headers }: IncomingMessage): boolean {
  return (
    (method === "PUT" || method === "HEAD" || method === "GET") &&
    /^\/api\/v1\/uploads\/[0-9a-f]{64}\/[1-9]\d{0,4}$/.test(url) &&
    inputHeadersSchema.shape.slot.safeParse(headers["chorus-slot"]).success
  );
}

export interface UploadPorts {
  readonly uploads: Uploads;
  readonly spool: Spool;
  readonly metrics: Pick<Metrics, "uploaded">;
}

const hex = (digits: number) => z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`));
const HEADERS = z.object({
  "chorus-slot": inputHeadersSchema.shape.slot,
  "chorus-sha256": hex(64),
  "chorus-root": hex(64),
  "chorus-signature": inputHeadersSchema.shape.signature,
  "content-range": z.string().optional(),
});
const OFFSET = { content: { "application/json": { schema: z.object({ offset: z.int() }) } } };

const UPLOAD = {
  path: "/api/v1/uploads/{sid}/{position}",
  dialect: API,
  permission: "inputs.send",
  params: paramsSchema,
  headers: HEADERS,
} as const;

export function uploadEndpoints(ports: UploadPorts): readonly Endpoint[] {
  return [
    rawEndpoint({
      ...UPLOAD,
      method: "get",
      summary: "How many bytes of a masked input are here",
      responses: { 200: { description: "Where to go on", ...OFFSET } },
      handle: async (params, { context }) => {
        const ticket = await readTicket(params, context, ports);
        const { sid, position, byteCount, receipt } = ticket;
        const offset = receipt === null ? await ports.spool.offset(sid, position) : byteCount;
        return Response.json({ offset }, { headers: { "chorus-offset": String(offset) } });
      },
    }),
    rawEndpoint({
      ...UPLOAD,
      method: "put",
      summary: "Send a masked input; only the device that holds the slot can",
      takes: "application/octet-stream",
      responses: {
        200: {
          description: "Stored, durably",
          content: { "application/json": { schema: named(receiptSchema, "Receipt") } },
        },
        202: { description: "This part is stored", ...OFFSET },
      },
      handle: async (params, { context, gate }) => {
        // No rate of writes: a slot is one upload of one device, and a classroom has one address.
        checkOrigin(context, gate);
        const ticket = await readTicket(params, context, ports);
        if (ticket.receipt !== null) return Response.json(ticket.receipt);
        const { incoming } = context.env;
        return receive(incoming, ticket, bodyOffset(incoming, ticket), ports);
      },
    }),
  ];
}

/** The slot, the signature and the step are judged before a byte of the body is read. */
async function readTicket(
  { sid, position }: z.infer<typeof paramsSchema>,
  context: ApiContext,
  { uploads }: UploadPorts,
): Promise<UploadTicket> {
  const address = addressKey(remoteAddress(context));
  const ticket = await uploads.beginUpload(sid, position, readHeaders(context), address);
  if (!ticket.ok) throw new Problem(ticket.error);
  return ticket.value;
}

function readHeaders(context: ApiContext): InputHeaders {
  const header = (name: string) => context.req.header(`chorus-${name}`);
  const fields = {
    slot: header("slot"),
    sha256: header("sha256"),
    root: header("root"),
    signature: header("signature"),
  };
  return check(inputHeadersSchema, fields, "chorus headers");
}

/** Where the body belongs in the vector. @throws Problem where length or range do not fit the ticket. */
function bodyOffset({ headers }: IncomingMessage, ticket: UploadTicket): number {
  if (headers["content-encoding"] !== undefined)
    throw problem("UNSUPPORTED_MEDIA_TYPE", "Send the vector without a content encoding.");
  if (headers["content-type"] !== "application/octet-stream")
    throw problem("UNSUPPORTED_MEDIA_TYPE", "Send the vector as application/octet-stream.");
  if (headers["content-length"] === undefined)
    throw problem("BAD_LENGTH", "Send the exact Content-Length, without chunked coding.");
  const length = Number(headers["content-length"]);
  const range = headers["content-range"];
  if (range === undefined) {
    if (length !== ticket.byteCount) throw badLength(length, ticket.byteCount);
    return 0;
  }
  const match = /^bytes (0|[1-9]\d{0,9})-(0|[1-9]\d{0,9})\/([1-9]\d{0,9})$/.exec(range);
  if (match === null) throw problem("BAD_LENGTH", "Content-Range must read: bytes first-last/total.");
  const [first, last, total] = match.slice(1).map(Number) as [number, number, number];
  if (total !== ticket.byteCount) throw badLength(total, ticket.byteCount);
  if (first > last || last >= total || last - first + 1 !== length) {
    throw problem(
      "BAD_LENGTH",
      "Content-Range and Content-Length contradict each other. Nothing was counted.",
    );
  }
  return first;
}

function badLength(byteCount: number, needed: number): Problem {
  return problem(
    "BAD_LENGTH",
    `Refused: the list has ${byteCount / 4} numbers, the round needs ${needed / 4}. Reload to get the current client. Nothing was counted.`,
  );
}

async function receive(
  incoming: IncomingMessage,
  ticket: UploadTicket,
  offset: number,
  { uploads, spool, metrics }: UploadPorts,
): Promise<Response> {
  const { sid, position, byteCount, root } = ticket;
  incoming.setTimeout(SILENCE_MS, () => incoming.destroy());
  try {
    const body = incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
    // The memory of a piece is back at once for the next one, still in the cache: 0.45 for 0.72 s of CPU for 200 MB.
    const free = (piece: Uint8Array) => release(piece as Bytes);
    const received = await spool.receive({ sid, position, offset, byteCount, root }, body, free);
    if (!received.ok) {
      switch (received.error.type) {
        case "bad-digest":
          throw problem("BAD_DIGEST");
        case "bad-length":
          throw problem("BAD_LENGTH");
        case "storage-full":
          throw new Problem(wireErrorOf(new DiskLow()));
        case "bad-offset": {
          const expected = await spool.offset(sid, position);
          throw problem("CONFLICT", `Go on at byte ${expected}.`, { "chorus-offset": String(expected) });
        }
      }
    }
    if (received.value === "partial") {
      const reached = await spool.offset(sid, position);
      return Response.json(
        { offset: reached },
        { status: 202, headers: { "chorus-offset": String(reached) } },
      );
    }
    const receipt = await uploads.finishUpload(ticket);
    if (!receipt.ok) throw new Problem(receipt.error);
    metrics.uploaded(byteCount);
    return Response.json(receipt.value);
  } finally {
    incoming.setTimeout(0);
  }
}
