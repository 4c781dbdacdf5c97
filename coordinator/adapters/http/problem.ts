import type { ContentfulStatusCode } from "hono/utils/http-status";
import { type ErrorCode, type WireError, wireError } from "#shared/protocol/errors.ts";

/** The HTTP status of a wire error; codes that only a socket carries are plain refusals here. */
const STATUS: Partial<Record<ErrorCode, ContentfulStatusCode>> = {
  TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  NOT_FOUND: 404,
  UNKNOWN_TASK: 404,
  METHOD_NOT_ALLOWED: 405,
  FORBIDDEN: 403,
  REQUEST_TIMEOUT: 408,
  RATE_LIMITED: 429,
  INTERNAL: 500,
  UNAVAILABLE: 503,
  CONFLICT: 409,
  STATE: 409,
  STORAGE_FULL: 507,
  FILE_LOST: 503,
  NOT_AUTHENTICATED: 401,
  BAD_SIGNATURE: 403,
  BAD_SLOT: 403,
  SLOT_CLOSED: 409,
  BAD_DIGEST: 422,
};

/** An expected refusal on its way to the one place that answers it; thrown by routes, never by core. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly wire: WireError;
  readonly headers: Readonly<Record<string, string>>;

  constructor(wire: WireError, headers: Readonly<Record<string, string>> = {}) {
    super(wire.code);
    this.wire = wire;
    this.headers = headers;
  }
}

export function problem(
  code: ErrorCode,
  detail?: string,
  headers?: Readonly<Record<string, string>>,
): Problem {
  return new Problem(wireError(code, detail), headers);
}

/** `{ error: { code, message, retry } }` with its status; `retry-after` where waiting helps (W1). */
export function problemResponse({ wire, headers }: Pick<Problem, "wire" | "headers">): Response {
  const waitS = wire.code === "RATE_LIMITED" ? "60" : wire.retry === "later" ? "5" : null;
  return Response.json(
    { error: wire },
    {
      status: STATUS[wire.code] ?? 400,
      headers: { ...(waitS === null ? {} : { "retry-after": waitS }), ...headers },
    },
  );
}
