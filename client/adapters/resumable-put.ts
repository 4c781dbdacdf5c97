import { assert } from "#shared/kernel/assert.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { type Receipt, receiptSchema } from "#shared/protocol/api.ts";
import type { InputHeaders } from "#shared/protocol/messages/device.ts";
import type { LinkError } from "../core/ports.ts";
import { readRefusal } from "./refusal.ts";

/*
 * The PUT of a masked input. A body larger than one part is sent in parts, so that a lost connection costs at most one
 * part. The coordinator's `chorus-offset` says where to continue.
 */

const PART_BYTES = 4 * 2 ** 20;
const AGAIN_MS = 500;
const PART_MS = 60_000;
/** How often bytes that arrived damaged are sent again. */
const DAMAGED_TRIES_MAX = 2;

export interface PutOptions {
  /** On performance.now(). */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  readonly onProgress?: (byteCount: number) => void;
  readonly onSent: (byteCount: number) => void;
}

/** Errors: `refused` with the coordinator's reason; `offline` if the deadline or the signal came first. */
export async function putResumable(
  url: URL,
  { slot, sha256, root, signature, log }: InputHeaders,
  body: Bytes,
  options: PutOptions,
): Promise<Result<Receipt, LinkError>> {
  const headers = {
    "chorus-slot": slot,
    "chorus-sha256": sha256,
    "chorus-root": root,
    "chorus-signature": signature,
    ...(log === undefined ? {} : { "chorus-log": `${log.size}.${log.root}` }),
  };
  let offset = 0;
  let damaged = 0;
  while (!options.signal.aborted && performance.now() < options.deadlineMs) {
    // All bytes have arrived, but no receipt came: repeat the request, and the answer is the receipt.
    if (offset >= body.length) offset = 0;
    const part = await putPart(url, headers, body, offset, options);
    if (part.type === "receipt") {
      options.onProgress?.(body.length);
      return ok(part.receipt);
    }
    if (part.type === "reached") {
      offset = part.offset;
      options.onProgress?.(offset);
      continue;
    }
    if (part.type === "refused") {
      const { retry } = part.error;
      if (retry === "never" || (retry === "now" && damaged++ >= DAMAGED_TRIES_MAX)) return err(part);
      // The coordinator deleted the bytes that did not match.
      if (retry === "now") offset = 0;
    } else {
      offset = (await askOffset(url, headers, options.signal)) ?? offset;
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
  return err({ type: "offline" });
}

type PartOutcome =
  | { readonly type: "receipt"; readonly receipt: Receipt }
  | { readonly type: "reached"; readonly offset: number }
  | LinkError;

async function putPart(
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: Bytes,
  offset: number,
  { signal, onSent }: PutOptions,
): Promise<PartOutcome> {
  const end = Math.min(body.length, offset + PART_BYTES);
  const whole = offset === 0 && end === body.length;
  const range: Record<string, string> = whole
    ? {}
    : { "content-range": `bytes ${offset}-${end - 1}/${body.length}` };
  try {
    onSent(end - offset);
    const response = await fetch(url, {
      method: "PUT",
      headers: { ...headers, ...range, "content-type": "application/octet-stream" },
      body: body.subarray(offset, end),
      signal: AbortSignal.any([signal, AbortSignal.timeout(PART_MS)]),
    });
    const expected = offsetOf(response, body.length);
    const text = await response.text();
    if (response.status === 200) {
      const receipt = receiptSchema.safeParse(JSON.parse(text));
      return receipt.success ? { type: "receipt", receipt: receipt.data } : { type: "offline" };
    }
    if (expected !== null && expected !== offset && (response.status === 202 || response.status === 409)) {
      return { type: "reached", offset: expected };
    }
    return readRefusal(text);
  } catch {
    return { type: "offline" };
  }
}

async function askOffset(
  url: URL,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<number | null> {
  try {
    const response = await fetch(url, {
      method: "HEAD",
      headers,
      signal: AbortSignal.any([signal, AbortSignal.timeout(PART_MS)]),
    });
    return response.ok ? offsetOf(response, Number.MAX_SAFE_INTEGER) : null;
  } catch {
    return null;
  }
}

/** @returns an integer of at most `max`, or null: the header comes from a peer. */
function offsetOf(response: Response, max: number): number | null {
  const text = response.headers.get("chorus-offset");
  if (text === null || !/^\d{1,12}$/.test(text)) return null;
  const offset = Number(text);
  assert(Number.isInteger(offset), "twelve digits are a whole number");
  return offset <= max ? offset : null;
}
