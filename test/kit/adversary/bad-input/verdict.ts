import type { z } from "zod";
import { apiErrorSchema } from "#shared/protocol/api.ts";
import type { RawAnswer } from "../raw-http.ts";
import { PLANTED_COOKIE } from "./spoils.ts";
import type { HttpCase } from "./subject.ts";

/** An answer must come within this time, on a busy machine too. */
const ANSWER_MS_MAX = 15_000;

const STACK = /\bat .*\.(?:ts|js|mjs):\d|node_modules|Error:/;

/**
 * What is wrong with the answer to a case; nothing if it is as promised.
 *
 * @param dialect  The endpoint's error. What is refused before any endpoint is known comes in the API's own.
 */
export function complaintsAbout(
  { expect, mayEnd = false, hidden, statuses }: Pick<HttpCase, "expect" | "mayEnd" | "hidden" | "statuses">,
  { status, headers, body }: RawAnswer,
  dialect: z.ZodType,
  tookMs: number,
): string[] {
  const complaints: string[] = [];
  if (tookMs > ANSWER_MS_MAX) complaints.push(`it took ${tookMs} ms`);
  if (status === 0) return mayEnd ? complaints : [...complaints, "no answer"];
  if (STACK.test(body)) complaints.push("it shows a stack");
  if (headers.get("set-cookie")?.includes(PLANTED_COOKIE)) complaints.push("it sets the sender's header");
  if (hidden !== undefined && [body, ...headers.values()].some((part) => part.includes(hidden)))
    complaints.push(`it repeats ${hidden}`);
  // Wrong passwords let an account rest (X15). Any other flood would hide what the case is about.
  const isResting = status === 429 && body.includes("Five tries failed.");
  if (status >= 500 || (status === 429 && !isResting)) complaints.push(`status ${status}`);
  else if (status < 400 && expect === "refused") complaints.push(`accepted with ${status}`);
  else if (statuses !== undefined && !statuses.includes(status))
    complaints.push(`status ${status} instead of ${statuses.join(" or ")}`);
  if (status >= 400) complaints.push(...errorComplaints(body, dialect));
  else if (headers.get("x-content-type-options") !== "nosniff")
    complaints.push("a browser may guess its type");
  if (headers.get("content-type")?.startsWith("text/html")) complaints.push("it is a page");
  return complaints;
}

function errorComplaints(body: string, dialect: z.ZodType): string[] {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return [`its body is no JSON: ${body.slice(0, 80)}`];
  }
  const isTyped = dialect.safeParse(json).success || apiErrorSchema.safeParse(json).success;
  return isTyped ? [] : [`its error has no known form: ${body.slice(0, 80)}`];
}
