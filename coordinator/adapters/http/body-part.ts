import type { IncomingMessage } from "node:http";
import { problem } from "./problem.ts";

/* Bodies of bytes that may be sent in parts, each with a Content-Range of the whole. */

/** A sender that is silent for this long is cut off. It can resume. */
export const SILENCE_MS = 30_000;

/** Which part of the whole a body is. */
export interface BodyPart {
  readonly offset: number;
  readonly byteCount: number;
  /** Bytes of the whole. */
  readonly total: number;
}

/**
 * Reads the headers of a body, which is the whole if it has no range.
 *
 * @param what  Name of the whole in sentences, e.g. "vector".
 * @throws Problem UNSUPPORTED_MEDIA_TYPE or BAD_LENGTH.
 */
export function partOf({ headers }: IncomingMessage, what: string): BodyPart {
  if (headers["content-encoding"] !== undefined)
    throw problem("UNSUPPORTED_MEDIA_TYPE", `Send the ${what} without a content encoding.`);
  if (headers["content-type"] !== "application/octet-stream")
    throw problem("UNSUPPORTED_MEDIA_TYPE", `Send the ${what} as application/octet-stream.`);
  if (headers["content-length"] === undefined)
    throw problem("BAD_LENGTH", "Send the exact Content-Length, without chunked coding.");
  const byteCount = Number(headers["content-length"]);
  const range = headers["content-range"];
  if (range === undefined) return { offset: 0, byteCount, total: byteCount };
  const match = /^bytes (0|[1-9]\d{0,9})-(0|[1-9]\d{0,9})\/([1-9]\d{0,9})$/.exec(range);
  if (match === null) throw problem("BAD_LENGTH", "Content-Range must read: bytes first-last/total.");
  const [first, last, total] = match.slice(1).map(Number) as [number, number, number];
  if (first > last || last >= total || last - first + 1 !== byteCount)
    throw problem(
      "BAD_LENGTH",
      "Content-Range and Content-Length contradict each other. Nothing was counted.",
    );
  return { offset: first, byteCount, total };
}
