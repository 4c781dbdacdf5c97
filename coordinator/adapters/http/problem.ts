import type { ContentfulStatusCode } from "hono/utils/http-status";
import { type ErrorCode, type WireError, wireError } from "#shared/protocol/errors.ts";
import type { RefusedInput } from "./mlflow/wording.ts";

/** HTTP status of a wire error. Codes that only a socket carries default to 400. */
const STATUS: Partial<Record<ErrorCode, ContentfulStatusCode>> = {
  TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  NOT_FOUND: 404,
  UNKNOWN_TASK: 404,
  TASK_ARCHIVED: 409,
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
  WRONG_CREDENTIALS: 401,
  STEP_UP_NEEDED: 403,
  INSECURE_SIGN_IN: 403,
  NOT_SET_UP: 503,
  TOKEN_ENDED: 410,
  REVOKED: 403,
  BY_INVITATION: 403,
  BAD_SIGNATURE: 403,
  BAD_SLOT: 403,
  SLOT_CLOSED: 409,
  BAD_DIGEST: 422,
  HELD_OUT_REFUSED: 422,
  GATES_SHUT: 409,
};

export function statusOf(code: ErrorCode): ContentfulStatusCode {
  return STATUS[code] ?? 400;
}

/** An expected refusal on its way to the wrapper that answers it. Thrown by routes, never by the core. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly wire: WireError;
  readonly headers: Readonly<Record<string, string>>;
  /** The field that does not fit, for dialects that have words of their own for that. */
  readonly refused: RefusedInput | null;

  constructor(
    wire: WireError,
    headers: Readonly<Record<string, string>> = {},
    refused: RefusedInput | null = null,
  ) {
    super(wire.code);
    this.wire = wire;
    this.headers = headers;
    this.refused = refused;
  }
}

export function problem(
  code: ErrorCode,
  detail?: string,
  headers?: Readonly<Record<string, string>>,
): Problem {
  return new Problem(wireError(code, detail), headers);
}

/**
 * `{ error: { code, message, retry } }` with its status, `retry-after` if waiting helps (W1), and how to authenticate if
 * that is missing (RFC 9110, section 11.6.1).
 */
export function problemResponse({ wire, headers }: Pick<Problem, "wire" | "headers">): Response {
  const waitS = wire.code === "RATE_LIMITED" ? "60" : wire.retry === "later" ? "5" : null;
  const status = statusOf(wire.code);
  return Response.json(
    { error: wire },
    {
      status,
      headers: {
        ...(waitS === null ? {} : { "retry-after": waitS }),
        ...(status === 401 ? { "www-authenticate": "Bearer" } : {}),
        ...headers,
      },
    },
  );
}
