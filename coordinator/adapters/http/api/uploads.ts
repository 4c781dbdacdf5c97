import type { IncomingMessage } from "node:http";
import { z } from "@hono/zod-openapi";
import type { Bytes } from "#shared/kernel/bytes.ts";
import { release } from "#shared/kernel/release.ts";
import { receiptSchema } from "#shared/protocol/api.ts";
import { decimalSchema, positionSchema, sessionIdSchema } from "#shared/protocol/ids.ts";
import { type InputHeaders, inputHeadersSchema } from "#shared/protocol/messages/device.ts";
import type { Uploads, UploadTicket } from "../../../core/coordinator.ts";
import { DiskLow, wireErrorOf } from "../../../core/ports/outage.ts";
import type { Metrics, Spool } from "../../../core/ports/ports.ts";
import { partOf, SILENCE_MS } from "../body-part.ts";
import { API, named } from "../dialect.ts";
import { type Endpoint, rawEndpoint } from "../endpoint.ts";
import { type ApiContext, check, checkOrigin, clientAddress, type Gate } from "../gate.ts";
import { Problem, problem } from "../problem.ts";

/*
 * Uploads of masked inputs: PUT /api/v1/uploads/{sid}/{position}. A request may be repeated or split into
 * parts (W7).
 *
 * | header           | holds                                                        |
 * | ---------------- | ------------------------------------------------------------ |
 * | chorus-slot      | the token from the collect message                           |
 * | chorus-sha256    | hash of the whole vector, hex; names the upload in a receipt |
 * | chorus-root      | Merkle root over its 64-KiB chunks, hex; this is verified    |
 * | chorus-signature | over E(input, ...), hex                                      |
 * | chorus-log       | with a public log: `size.root` as the device saw it          |
 * | content-length   | exact length of this body; chunked coding is refused         |
 * | content-range    | optional, `bytes first-last/total`, resumes at `first`       |
 *
 * | answer           | means                                                        |
 * | ---------------- | ------------------------------------------------------------ |
 * | 200 Receipt      | the whole vector is stored durably                           |
 * | 202 { offset }   | this part is stored; continue at `offset`                    |
 * | 409 CONFLICT     | another part was expected; see chorus-offset                 |
 *
 * HEAD with the same four headers answers `chorus-offset`: the number of bytes received so far.
 */

const paramsSchema = z.strictObject({
  sid: sessionIdSchema,
  position: decimalSchema.pipe(positionSchema),
});

/** Whether a request looks like an upload. If so, its slot is judged rather than its address. */
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
  "chorus-log": z
    .string()
    .regex(/^\d{1,10}\.[0-9a-f]{64}$/)
    .optional(),
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
      summary: "How many bytes of a masked input have arrived",
      responses: { 200: { description: "Where to continue", ...OFFSET } },
      handle: async (params, { context, gate }) => {
        const ticket = await readTicket(params, { context, gate }, ports);
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
        // No write rate here: a slot admits one upload of one device, and a whole classroom may share an
        // address.
        checkOrigin(context, gate);
        const ticket = await readTicket(params, { context, gate }, ports);
        if (ticket.receipt !== null) return Response.json(ticket.receipt);
        const { incoming } = context.env;
        return receive(incoming, ticket, bodyOffset(incoming, ticket), ports);
      },
    }),
  ];
}

/** Judges slot, signature and step before any byte of the body is read. */
async function readTicket(
  { sid, position }: z.infer<typeof paramsSchema>,
  { context, gate }: { readonly context: ApiContext; readonly gate: Gate },
  { uploads }: UploadPorts,
): Promise<UploadTicket> {
  const address = clientAddress(context, gate);
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
    ...logHeader(header("log")),
  };
  return check(inputHeadersSchema, fields, "chorus headers");
}

/** "size.root"; the schema judges both. */
function logHeader(text: string | undefined) {
  if (text === undefined) return {};
  const [size = "", root = ""] = text.split(".", 2);
  return { log: { size: decimalSchema.safeParse(size).data, root } };
}

/** Offset of the body in the vector. @throws Problem if length or range do not fit the ticket. */
function bodyOffset(incoming: IncomingMessage, ticket: UploadTicket): number {
  const { offset, total } = partOf(incoming, "vector");
  if (total !== ticket.byteCount) throw badLength(total, ticket.byteCount);
  return offset;
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
    // Reuses a piece's memory for the next one while it is still in the cache: 200 MB take 0.45 s of CPU
    // instead of 0.72 s.
    const free = (piece: Uint8Array) => release(piece as Bytes);
    const received = await spool.receive({ sid, position, offset, byteCount, root }, body, free);
    if (!received.ok) {
      switch (received.error.type) {
        case "bad-root":
          throw problem("BAD_DIGEST");
        case "bad-length":
          throw problem("BAD_LENGTH");
        case "storage-full":
          throw new Problem(wireErrorOf(new DiskLow()));
        case "bad-offset": {
          const expected = await spool.offset(sid, position);
          throw problem("CONFLICT", `Continue at byte ${expected}.`, { "chorus-offset": String(expected) });
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
