import type { z } from "zod";
import { assert } from "#shared/kernel/assert.ts";
import { type Bytes, concatBytes } from "#shared/kernel/bytes.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { watchSilence } from "#shared/kernel/silence.ts";
import { wireError } from "#shared/protocol/errors.ts";
import { pause } from "../core/pause.ts";
import type { LinkError } from "../core/ports.ts";
import { offlineReason } from "./offline-reason.ts";
import { platformAfter, platformClock } from "./platform-ports.ts";
import { readRefusal } from "./refusal.ts";

const API_MS = 30_000;
/** A download that receives no byte for this long counts as lost and starts again. */
const STALL_MS_MAX = 20_000;
/** Limits on how long a download waits if the coordinator asks it to, and on how often. */
const RETRY_AFTER_S_MAX = 30;
const DOWNLOAD_TRIES_MAX = 20;

export const NOT_AS_DESCRIBED: LinkError = {
  type: "refused",
  error: wireError(
    "BAD_MESSAGE",
    "The coordinator's answer does not match the API, so it runs another version. Reload the page; if this is an edge, update the older of the two.",
  ),
};

/**
 * Fetches JSON and checks it against a schema.
 *
 * @param onReceived  Receives the answer's length.
 * @param token       For a task by invitation; null for none.
 */
export async function requestJson<Schema extends z.ZodType>(
  url: URL,
  schema: Schema,
  onReceived: (byteCount: number) => void,
  token: string | null = null,
): Promise<Result<z.output<Schema>, LinkError>> {
  try {
    const response = await fetch(url, { headers: bearer(token), signal: AbortSignal.timeout(API_MS) });
    const text = await response.text();
    onReceived(text.length);
    if (!response.ok) return err(readRefusal(text));
    const parsed = schema.safeParse(JSON.parse(text));
    if (parsed.success) return ok(parsed.data);
    return err(NOT_AS_DESCRIBED);
  } catch (error) {
    const reason = offlineReason(error);
    return err(reason === undefined ? { type: "offline" } : { type: "offline", reason });
  }
}

/** Retries while the coordinator has no room for this download, after the delay that it asks for. */
export async function download(
  url: URL,
  signal: AbortSignal | undefined,
  onProgress?: (byteCount: number) => void,
  token: string | null = null,
): Promise<Result<Bytes, LinkError>> {
  for (let tries = 1; ; tries++) {
    const answer = await requestBytes(url, signal, onProgress, token);
    if (answer.ok || answer.error.type === "offline") return answer;
    const { retryAfterMs, ...error } = answer.error;
    if (retryAfterMs === null || tries >= DOWNLOAD_TRIES_MAX) return err(error);
    await pause(platformAfter, retryAfterMs, signal);
    if (signal?.aborted === true) return err({ type: "offline" });
  }
}

function bearer(token: string | null): Record<string, string> {
  return token === null ? {} : { authorization: `Bearer ${token}` };
}

/** The delay of a temporary refusal; null if the refusal is permanent or names no delay. */
function retryAfterMs({ status, headers }: Response): number | null {
  const text = headers.get("retry-after");
  const passes = status === 429 || status === 503;
  if (!passes || text === null || !/^\d{1,4}$/.test(text)) return null;
  return 1_000 * Math.min(RETRY_AFTER_S_MAX, Number(text));
}

type Refused = Extract<LinkError, { readonly type: "refused" }> & { readonly retryAfterMs: number | null };
type Offline = Extract<LinkError, { readonly type: "offline" }>;

/** Returns `offline` if no byte comes for `STALL_MS_MAX`, or if the signal aborts. Rule T4. */
async function requestBytes(
  url: URL,
  signal: AbortSignal | undefined,
  onProgress: ((byteCount: number) => void) | undefined,
  token: string | null,
): Promise<Result<Bytes, Offline | Refused>> {
  const stalled = new AbortController();
  const silence = watchSilence(
    { clock: platformClock, after: platformAfter },
    () => STALL_MS_MAX,
    () => stalled.abort(),
  );
  try {
    const ended = signal === undefined ? stalled.signal : AbortSignal.any([signal, stalled.signal]);
    const response = await fetch(url, { headers: bearer(token), signal: ended });
    silence.heard();
    if (!response.ok) {
      const refusal = readRefusal(await response.text());
      return err(refusal.type === "offline" ? refusal : { ...refusal, retryAfterMs: retryAfterMs(response) });
    }
    assert(response.body !== null, "an answer to GET has a body");
    const parts: Uint8Array[] = [];
    let byteCount = 0;
    const reader = response.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      silence.heard();
      parts.push(value);
      byteCount += value.length;
      onProgress?.(byteCount);
    }
    return ok(concatBytes(parts));
  } catch {
    return err({ type: "offline" });
  } finally {
    silence.end();
  }
}
