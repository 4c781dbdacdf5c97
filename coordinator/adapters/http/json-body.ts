import { setMaxListeners } from "node:events";
import type { IncomingMessage } from "node:http";
import type { z } from "@hono/zod-openapi";
import type { JsonBounds } from "#shared/codec/strict-json.ts";
import type { MonotonicClock } from "#shared/kernel/ports.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import { type RateLimit, rateLimit } from "../../core/access/rate-limit.ts";
import type { Clients } from "./clients.ts";
import { type Problem, problem } from "./problem.ts";
import { parseStrictJson } from "./strict-json.ts";

/** Bounds of a route's body. Tight bounds refuse an oversized body early. */
export interface BodyBounds extends JsonBounds {
  readonly byteCountMax: number;
}

/** For tasks: columns, categories and layers. */
export const TASK_BODY: BodyBounds = {
  byteCountMax: LIMITS.jsonByteCountMax,
  entryCountMax: LIMITS.jsonEntryCountMax,
};
/** For every other body: a handful of fields. */
export const SMALL_BODY: BodyBounds = {
  byteCountMax: LIMITS.smallJsonByteCountMax,
  entryCountMax: LIMITS.smallJsonEntryCountMax,
};
/** For what programs log: notes of several lines among it. */
export const TRACKING_BODY: BodyBounds = {
  byteCountMax: LIMITS.trackingByteCountMax,
  entryCountMax: LIMITS.trackingEntryCountMax,
  mayHaveLines: true,
};

export interface BodyReaderPorts {
  readonly clients: Clients;
  readonly clock: MonotonicClock;
  /** Aborted when the coordinator stops. Bodies still under way are not waited for. */
  readonly stopping: AbortSignal;
}

/** What an address may send, and the time that reading it may take. */
export interface BodyBudget {
  readonly bytesBurst: number;
  readonly bytesPerSecond: number;
  readonly readingMsBurst: number;
  readonly readingMsPerSecond: number;
}
const BODY_BUDGET: BodyBudget = {
  bytesBurst: LIMITS.bodyBytesBurstPerAddress,
  bytesPerSecond: LIMITS.bodyBytesPerSecondPerAddress,
  readingMsBurst: LIMITS.bodyReadingMsBurstPerAddress,
  readingMsPerSecond: LIMITS.bodyReadingMsPerSecondPerAddress,
};
export const TRACKING_BUDGET: BodyBudget = {
  bytesBurst: LIMITS.trackingBytesBurstPerAddress,
  bytesPerSecond: LIMITS.trackingBytesPerSecondPerAddress,
  readingMsBurst: LIMITS.trackingReadingMsBurstPerAddress,
  readingMsPerSecond: LIMITS.trackingReadingMsPerSecondPerAddress,
};

/** Reads JSON bodies within their route's bounds and their address's budgets (W3). */
export class BodyReader {
  readonly #clients: Clients;
  readonly #clock: MonotonicClock;
  readonly #stopping: AbortSignal;
  readonly #bytes: RateLimit;
  readonly #reading: RateLimit;

  constructor({ clients, clock, stopping }: BodyReaderPorts, budget: BodyBudget = BODY_BUDGET) {
    this.#clients = clients;
    this.#clock = clock;
    this.#stopping = stopping;
    // One listener for each body under way.
    setMaxListeners(0, stopping);
    this.#bytes = rateLimit(clock, {
      burst: budget.bytesBurst,
      perSecond: budget.bytesPerSecond,
    });
    this.#reading = rateLimit(clock, {
      burst: budget.readingMsBurst,
      perSecond: budget.readingMsPerSecond,
    });
  }

  /**
   * The body, as returned by `check`. An empty body counts as `{}` if the schema accepts that.
   *
   * @throws Problem BAD_REQUEST, UNSUPPORTED_MEDIA_TYPE, TOO_LARGE, RATE_LIMITED, REQUEST_TIMEOUT,
   *   UNAVAILABLE.
   */
  async read<Value>(
    incoming: IncomingMessage,
    schema: z.ZodType,
    bounds: BodyBounds,
    check: (json: unknown, text: string) => Value,
  ): Promise<Value> {
    const address = this.#clients.of(incoming).address;
    // Nothing is decompressed, so a small body stays small.
    if (incoming.headers["content-encoding"] !== undefined)
      throw problem("UNSUPPORTED_MEDIA_TYPE", "Send the body without a content encoding.");
    if (!this.#reading.take(address, 0)) throw overBudget();
    const bytes = await readBytes(incoming, {
      byteCountMax: bounds.byteCountMax,
      stopping: this.#stopping,
      takes: (byteCount) => this.#bytes.take(address, byteCount),
    });
    if (!bytes.ok) throw bodyProblem(bytes.error);
    const beganMs = this.#clock.nowMs();
    try {
      const json = parse(incoming, bytes.value, schema, bounds);
      return check(json, new TextDecoder().decode(bytes.value));
    } finally {
      this.#reading.charge(address, this.#clock.nowMs() - beganMs);
    }
  }
}

function parse(incoming: IncomingMessage, bytes: Uint8Array, schema: z.ZodType, bounds: JsonBounds): unknown {
  if (bytes.length === 0) {
    // A route may be called without a body if all its fields have defaults.
    if (schema.safeParse({}).success) return {};
    throw problem("BAD_REQUEST", "The body is empty.");
  }
  const type = incoming.headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase();
  if (type !== "application/json")
    throw problem("UNSUPPORTED_MEDIA_TYPE", "Send the body as application/json.");
  const parsed = parseStrictJson(bytes, bounds);
  if (!parsed.ok) throw problem("BAD_REQUEST", parsed.error.sentence);
  return parsed.value;
}

interface ReadOptions {
  readonly byteCountMax: number;
  readonly stopping: AbortSignal;
  /** False if the sender's address has sent too much. */
  takes(byteCount: number): boolean;
}

/** Reads the whole body. If that ends early, the connection stays open for the answer. */
function readBytes(
  incoming: IncomingMessage,
  { byteCountMax, stopping, takes }: ReadOptions,
): Promise<Result<Uint8Array, BodyError>> {
  if (Number(incoming.headers["content-length"] ?? 0) > byteCountMax)
    return Promise.resolve(err({ type: "too-large" }));
  if (stopping.aborted) return Promise.resolve(err({ type: "stopping" }));
  return new Promise((resolve) => {
    const chunks: Uint8Array[] = [];
    let byteCount = 0;
    const end = (result: Result<Uint8Array, BodyError>) => {
      clearTimeout(timer);
      stopping.removeEventListener("abort", onStop);
      incoming.off("data", onData).off("end", onEnd).off("close", onClose).off("error", onClose);
      incoming.pause();
      resolve(result);
    };
    const onData = (chunk: Uint8Array) => {
      byteCount += chunk.length;
      chunks.push(chunk);
      if (byteCount > byteCountMax) end(err({ type: "too-large" }));
      else if (!takes(chunk.length)) end(err({ type: "over-budget" }));
    };
    const onEnd = () => end(ok(Buffer.concat(chunks)));
    const onClose = () => end(err({ type: "cut" }));
    const onStop = () => end(err({ type: "stopping" }));
    // Covers the whole body, so that a byte now and then cannot stretch it.
    const timer = setTimeout(() => end(err({ type: "too-slow" })), LIMITS.bodyMsMax);
    stopping.addEventListener("abort", onStop);
    incoming.on("data", onData).on("end", onEnd).on("close", onClose).on("error", onClose);
  });
}
type BodyError =
  | { readonly type: "too-large" }
  | { readonly type: "over-budget" }
  | { readonly type: "cut" }
  | { readonly type: "too-slow" }
  | { readonly type: "stopping" };

/** The rest of the body is not read. */
const CLOSING = { connection: "close" };

function bodyProblem(error: BodyError): Problem {
  switch (error.type) {
    case "too-large":
      return problem("TOO_LARGE", undefined, CLOSING);
    case "over-budget":
      return overBudget();
    case "cut":
      return problem("BAD_REQUEST", "The body ended early.");
    case "too-slow":
      return problem("REQUEST_TIMEOUT", undefined, CLOSING);
    case "stopping":
      return problem("UNAVAILABLE", undefined, CLOSING);
  }
}

function overBudget(): Problem {
  return problem(
    "RATE_LIMITED",
    "Too much was sent from this address. Wait a minute and try again.",
    CLOSING,
  );
}
