import type { Bytes } from "#shared/kernel/bytes.ts";
import { release } from "#shared/kernel/release.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import type { ServedFile } from "../../../core/tracking/artifacts.ts";
import type { Asked } from "../endpoint.ts";
import { cutWhenLate } from "../gate.ts";
import { problem } from "../problem.ts";

/* Files on their way in and out. Rule L4. */

/** A sender that is silent for this long is cut off. */
const SILENCE_MS = 30_000;

const TEXT_ENDINGS = /(?:^|\.)(?:txt|log|md|rst|csv|tsv|yaml|yml|py|js|r|mlmodel|mlproject)$/i;
const PLAIN_TYPES: Readonly<Record<string, string>> = {
  json: "application/json",
  pdf: "application/pdf",
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  gif: "image/gif",
  webp: "image/webp",
};

/** By the name's ending, as MLflow's own server says it. Nothing is a type that a browser would run: never HTML or SVG. */
export function contentTypeOf(name: string): string {
  if (TEXT_ENDINGS.test(name)) return "text/plain";
  const [, ending = ""] = /\.([a-z]+)$/i.exec(name) ?? [];
  const types = new Map(Object.entries(PLAIN_TYPES));
  return types.get(ending.toLowerCase()) ?? "application/octet-stream";
}

/** The file, to be saved under its own name. @param path  Its last part is the name. */
export function fileAnswer({ context }: Asked, path: string, { byteCount, stream }: ServedFile): Response {
  cutWhenLate(context, byteCount);
  const isHead = context.req.method === "HEAD";
  if (isHead) void stream.cancel();
  const name = path.slice(path.lastIndexOf("/") + 1);
  return new Response(isHead ? null : stream, {
    headers: {
      "content-type": contentTypeOf(name),
      "content-length": String(byteCount),
      "content-disposition": `attachment; ${filenameOf(name)}`,
      "x-content-type-options": "nosniff",
    },
  });
}

/** Bare if it is a token of RFC 9110, else as RFC 8187 encodes it. */
function filenameOf(name: string): string {
  if (/^[\w!#$&'*+.^`|~-]+$/.test(name)) return `filename=${name}`;
  const encoded = encodeURIComponent(name).replace(
    /['()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16)}`,
  );
  return `filename*=UTF-8''${encoded}`;
}

/** Hands the body over as it comes. @throws Problem if it is encoded or too large. */
export async function receive(
  { context }: Asked,
  store: (body: AsyncIterable<Uint8Array>, byteCount: number | null) => Promise<void>,
): Promise<void> {
  const { incoming } = context.env;
  if (incoming.headers["content-encoding"] !== undefined)
    throw problem("UNSUPPORTED_MEDIA_TYPE", "Send the file without a content encoding.");
  const { "content-length": length } = incoming.headers;
  const byteCount = length === undefined ? null : Number(length);
  if (byteCount !== null && byteCount > LIMITS.artifactByteCountMax)
    throw problem("TOO_LARGE", undefined, { connection: "close" });
  incoming.setTimeout(SILENCE_MS, () => incoming.destroy());
  try {
    await store(bounded(incoming.iterator({ destroyOnReturn: false })), byteCount);
  } finally {
    incoming.setTimeout(0);
  }
}

async function* bounded(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let byteCount = 0;
  for await (const piece of body) {
    byteCount += piece.length;
    if (byteCount > LIMITS.artifactByteCountMax)
      throw problem("TOO_LARGE", undefined, { connection: "close" });
    yield piece;
    // Reuses the piece's memory for the next one.
    release(piece as Bytes);
  }
}
