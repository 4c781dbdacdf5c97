import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Witness, WitnessAnswer } from "#coordinator/core/audit/witness.ts";
import type { Log } from "#coordinator/core/ports/ports.ts";
import { utf8ToText } from "#shared/kernel/bytes.ts";
import { ADD_CHECKPOINT_BYTES_MAX, SIZE_MEDIA_TYPE } from "#shared/tlog/add-checkpoint.ts";

/* A witness over HTTP. Rule A92. */

const PATH = "/add-checkpoint";
/** A log has one. Who asks from many addresses is for a proxy to bound. */
const CONNECTIONS_MAX = 256;
const HEADERS_MS = 5_000;
const REQUEST_MS = 15_000;
const IDLE_MS = 15_000;

/** Not yet listening. @param witness  May reject: its memory does not answer. */
export function createWitnessServer(witness: Pick<Witness, "addCheckpoint">, log: Log): Server {
  const server = createServer(
    { requestTimeout: REQUEST_MS, headersTimeout: HEADERS_MS },
    (request, response) => {
      answerTo(witness, request)
        .catch((error: unknown): Answer => {
          log.error({ error: String(error) }, "a checkpoint could not be kept");
          return { status: 503, body: "The witness cannot write what it signs. Try again later.\n" };
        })
        .then((answer) => send(request, response, answer))
        .catch(() => response.destroy());
    },
  );
  server.keepAliveTimeout = IDLE_MS;
  server.maxConnections = CONNECTIONS_MAX;
  server.on("upgrade", (_, socket) => socket.destroy());
  return server;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

async function answerTo(witness: Pick<Witness, "addCheckpoint">, request: IncomingMessage): Promise<Answer> {
  const [path] = (request.url ?? "").split("?", 1);
  if (path !== PATH)
    return { status: 404, body: `This is a witness (c2sp.org/tlog-witness): POST ${PATH}.\n` };
  if (request.method !== "POST") return { status: 405, body: `POST ${PATH}.\n`, headers: { allow: "POST" } };
  const { "content-encoding": encoding = "identity" } = request.headers;
  if (encoding !== "identity") return { status: 415, body: "The body must not be compressed.\n" };
  const bytes = await readBody(request);
  if (bytes === "too-long")
    return { status: 413, body: `The body has more than ${ADD_CHECKPOINT_BYTES_MAX} bytes.\n` };
  const text = utf8ToText(bytes);
  if (text === undefined) return { status: 400, body: "The body is no text in UTF-8.\n" };
  return answerOf(await witness.addCheckpoint(text));
}

/** The answer over HTTP. */
export function answerOf(answer: WitnessAnswer): Answer {
  switch (answer.type) {
    case "cosigned":
      return { status: 200, body: answer.lines };
    case "bad-request":
      return { status: 400, body: `${answer.sentence}\n` };
    case "not-signed":
      return {
        status: 403,
        body: "No signature under the checkpoint is of a key that this witness has for that log. If the log has changed its key, give the witness the new one.\n",
      };
    case "unknown-log":
      return { status: 404, body: "This witness does not follow that log.\n" };
    case "conflict":
      return { status: 409, body: `${answer.size}\n`, contentType: SIZE_MEDIA_TYPE };
    case "bad-proof":
      return {
        status: 422,
        body: "The proof does not lead from the tree that was signed last to this one.\n",
      };
    case "busy":
      return {
        status: 503,
        body: "Too many requests about that log are under way.\n",
        headers: { "retry-after": "1" },
      };
  }
}

function send(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  // The rest of a body that is not read would be taken for the next request.
  const headers = request.complete ? {} : { connection: "close" };
  response.writeHead(answer.status, {
    "content-type": answer.contentType ?? "text/plain; charset=utf-8",
    "content-length": Buffer.byteLength(answer.body),
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    ...answer.headers,
    ...headers,
  });
  response.end(answer.body, () => {
    if (!request.complete) request.destroy();
  });
}

/** Rejects if the connection is lost. */
async function readBody(request: IncomingMessage): Promise<Uint8Array<ArrayBuffer> | "too-long"> {
  if (Number(request.headers["content-length"] ?? 0) > ADD_CHECKPOINT_BYTES_MAX) return "too-long";
  const chunks: Uint8Array[] = [];
  let byteCount = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    const bytes: Uint8Array = chunk;
    byteCount += bytes.length;
    if (byteCount > ADD_CHECKPOINT_BYTES_MAX) return "too-long";
    chunks.push(bytes);
  }
  return new Uint8Array(Buffer.concat(chunks));
}
