import type { Origins } from "./origins.ts";

/*
 * What pages of other sites may do with the API. The sites are named in CHORUS_ORIGINS; any other gets no header, and
 * its browsers keep the answer from it (W17). The exception is a model of a public task, which is for anyone who reaches the
 * coordinator (W28). On a computer or a network that others cannot reach, any page reads it through the browser of someone
 * who can. There is never a permission to send cookies.
 */

/** Headers of a request that an endpoint may read. Browsers send a few others without asking. */
const REQUEST_HEADERS = [
  "authorization",
  "content-type",
  "content-range",
  "chorus-slot",
  "chorus-sha256",
  "chorus-root",
  "chorus-signature",
  "chorus-log",
].join(", ");

/** Headers of an answer that clients read. */
const ANSWER_HEADERS = ["chorus-offset", "retry-after", "x-request-id"].join(", ");

/** How long a browser may remember a preflight. */
const PREFLIGHT_S = "600";

/** For every answer of the API, refusals included. */
export function corsHeaders(origins: Origins, origin: string | undefined): Record<string, string> {
  if (origin === undefined || !origins.isNamed(origin)) return { vary: "Origin" };
  return {
    vary: "Origin",
    "access-control-allow-origin": origin,
    "access-control-expose-headers": ANSWER_HEADERS,
  };
}

/** For what anyone may read without an account. A named site has a header of its own. */
export function anySiteHeaders(origins: Origins, origin: string | undefined): Record<string, string> {
  return origin === undefined || origins.isNamed(origin) ? {} : { "access-control-allow-origin": "*" };
}

/**
 * The answer to a preflight.
 *
 * @param methods  Those of the endpoints at this address.
 * @returns null if this is no preflight, or one of a site that is not named.
 */
export function preflightAnswer(origins: Origins, request: Request, methods: string): Response | null {
  const origin = request.headers.get("origin");
  const isPreflight = request.method === "OPTIONS" && request.headers.has("access-control-request-method");
  if (!isPreflight || origin === null || !origins.isNamed(origin)) return null;
  return new Response(null, {
    status: 204,
    headers: {
      "access-control-allow-methods": methods,
      "access-control-allow-headers": REQUEST_HEADERS,
      "access-control-max-age": PREFLIGHT_S,
    },
  });
}
