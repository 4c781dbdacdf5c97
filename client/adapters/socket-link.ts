import { io } from "socket.io-client";
import type { z } from "zod";
import { assert } from "#shared/kernel/assert.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { watchSilence } from "#shared/kernel/silence.ts";
import { statusSchema, taskViewSchema } from "#shared/protocol/api.ts";
import { wireError } from "#shared/protocol/errors.ts";
import { decodeFrame, encodeFrame } from "#shared/protocol/frame.ts";
import { coordinatorMessageSchema } from "#shared/protocol/messages/coordinator.ts";
import { replySchema } from "#shared/protocol/messages/reply.ts";
import { pause } from "../core/pause.ts";
import type { Link, LinkError } from "../core/ports.ts";
import { platformAfter, platformClock } from "./platform-ports.ts";
import { refusalOf } from "./refusal.ts";
import { putResumable } from "./resumable-put.ts";

/** An acknowledgement that takes longer counts as lost; the message is sent again. */
const ACK_MS = 15_000;
const RECONNECT_MS_MIN = 500;
const RECONNECT_MS_MAX = 5_000;
const API_MS = 30_000;
/** A download without a byte for so long counts as lost, and is begun again. */
const STALL_MS_MAX = 20_000;
/** How long a download waits at the coordinator's word before it asks again, and how often. */
const RETRY_AFTER_S_MAX = 30;
const DOWNLOAD_TRIES_MAX = 20;

type Listeners<T> = Set<(value: T) => void>;

/** The coordinator over socket.io (namespace /device, websocket only) and its HTTP API. */
export function openSocketLink(coordinatorUrl: string): Link {
  const base = new URL(coordinatorUrl);
  const traffic = { upByteCount: 0, downByteCount: 0 };
  const messages: Listeners<Parameters<Parameters<Link["onMessage"]>[0]>[0]> = new Set();
  const states: Listeners<"up" | "down"> = new Set();
  const ends: Listeners<Parameters<Parameters<Link["onEnd"]>[0]>[0]> = new Set();
  const socket = io(new URL("/device", base).href, {
    transports: ["websocket"],
    autoConnect: false,
    // A socket of its own, so that a page's dashboard connection is another one.
    forceNew: true,
    reconnectionDelay: RECONNECT_MS_MIN,
    reconnectionDelayMax: RECONNECT_MS_MAX,
  });

  socket.on("connect", () => tell(states, "up"));
  socket.on("disconnect", (reason) => {
    tell(states, "down");
    // socket.io does not come back by itself after the server ended the connection; `end` says when that is wanted.
    if (reason === "io server disconnect" && !ended)
      setTimeout(() => socket.active || !wanted || socket.connect(), RECONNECT_MS_MIN);
  });
  let wanted = false;
  let ended = false;
  socket.on("frame", (payload: unknown) => {
    traffic.downByteCount += byteCountOf(payload);
    const frame = decodeFrame(payload, coordinatorMessageSchema);
    // A frame that is none is dropped like a lost one: the deadline of the step speaks for it.
    if (frame.ok) tell(messages, frame.value);
  });
  socket.on("end", (payload: unknown) => {
    const frame = decodeFrame(payload, replySchema);
    ended = true;
    tell(ends, frame.ok && frame.value.type === "refused" ? frame.value.error : wireError("BAD_FRAME"));
  });

  const getJson = <Schema extends z.ZodType>(path: string, schema: Schema) =>
    requestJson(new URL(path, base), schema, (byteCount) => {
      traffic.downByteCount += byteCount;
    });

  return {
    connect: () => {
      wanted = true;
      ended = false;
      socket.connect();
    },
    disconnect: () => {
      wanted = false;
      socket.disconnect();
    },
    send: async (message) => {
      if (!socket.connected) return err({ type: "offline" });
      const bytes = encodeFrame(message);
      traffic.upByteCount += bytes.length;
      try {
        const payload: unknown = await socket.timeout(ACK_MS).emitWithAck("frame", bytes);
        traffic.downByteCount += byteCountOf(payload);
        const reply = decodeFrame(payload, replySchema);
        return reply.ok ? ok(reply.value) : ok({ type: "refused", error: wireError("BAD_FRAME") });
      } catch {
        return err({ type: "offline" });
      }
    },
    onMessage: (listener) => listen(messages, listener),
    onState: (listener) => listen(states, listener),
    onEnd: (listener) => listen(ends, listener),
    fetchStatus: () => getJson("/api/v1/status", statusSchema),
    fetchTask: (slug, version) =>
      getJson(
        `/api/v1/tasks/${encodeURIComponent(slug)}${version === undefined ? "" : `/${version}`}`,
        taskViewSchema,
      ),
    fetchModel: async (hash, onProgress, signal) => {
      const model = await download(new URL(`/api/v1/models/${hash}`, base), signal, onProgress);
      if (model.ok) traffic.downByteCount += model.value.length;
      return model;
    },
    upload: (path, headers, body, options) =>
      putResumable(new URL(path, base), headers, body, {
        ...options,
        onSent: (byteCount) => {
          traffic.upByteCount += byteCount;
        },
      }),
    traffic: () => ({ ...traffic }),
    close: () => {
      wanted = false;
      socket.disconnect();
      for (const listeners of [messages, states, ends]) listeners.clear();
    },
  };
}

function listen<T>(listeners: Listeners<T>, listener: (value: T) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tell<T>(listeners: Listeners<T>, value: T): void {
  for (const listener of Array.from(listeners)) listener(value);
}

async function requestJson<Schema extends z.ZodType>(
  url: URL,
  schema: Schema,
  onReceived: (byteCount: number) => void,
): Promise<Result<z.output<Schema>, LinkError>> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(API_MS) });
    const text = await response.text();
    onReceived(text.length);
    if (!response.ok) return err(refusalOf(text));
    const parsed = schema.safeParse(JSON.parse(text));
    if (parsed.success) return ok(parsed.data);
    return err({
      type: "refused",
      error: wireError(
        "BAD_MESSAGE",
        "The coordinator's answer is not as described, so it is of another version. Reload the page; if this is an edge, update the older of the two.",
      ),
    });
  } catch {
    return err({ type: "offline" });
  }
}

/** Asks again, after the time that it is told, while the coordinator has no room for this download. */
async function download(
  url: URL,
  signal: AbortSignal | undefined,
  onProgress?: (byteCount: number) => void,
): Promise<Result<Bytes, LinkError>> {
  for (let tries = 1; ; tries++) {
    const answer = await requestBytes(url, signal, onProgress);
    if (answer.ok || answer.error.type === "offline") return answer;
    const { retryAfterMs, ...error } = answer.error;
    if (retryAfterMs === null || tries >= DOWNLOAD_TRIES_MAX) return err(error);
    await pause(platformAfter, retryAfterMs, signal);
    if (signal?.aborted === true) return err({ type: "offline" });
  }
}

/** Of a refusal that passes; null if the coordinator does not say how long it takes. */
function retryAfterMs({ status, headers }: Response): number | null {
  const text = headers.get("retry-after");
  const passes = status === 429 || status === 503;
  if (!passes || text === null || !/^\d{1,4}$/.test(text)) return null;
  return 1_000 * Math.min(RETRY_AFTER_S_MAX, Number(text));
}

type Refused = Extract<LinkError, { readonly type: "refused" }> & { readonly retryAfterMs: number | null };
type Offline = Extract<LinkError, { readonly type: "offline" }>;

/** Ends with `offline` when no byte comes for `STALL_MS_MAX`, or with the signal. Rule T4. */
async function requestBytes(
  url: URL,
  signal: AbortSignal | undefined,
  onProgress?: (byteCount: number) => void,
): Promise<Result<Bytes, Offline | Refused>> {
  const stalled = new AbortController();
  const silence = watchSilence(
    { clock: platformClock, after: platformAfter },
    () => STALL_MS_MAX,
    () => stalled.abort(),
  );
  try {
    const ended = signal === undefined ? stalled.signal : AbortSignal.any([signal, stalled.signal]);
    const response = await fetch(url, { signal: ended });
    silence.heard();
    if (!response.ok) {
      const refusal = refusalOf(await response.text());
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
    const bytes = new Uint8Array(byteCount);
    let offset = 0;
    for (const part of parts) {
      bytes.set(part, offset);
      offset += part.length;
    }
    return ok(bytes);
  } catch {
    return err({ type: "offline" });
  } finally {
    silence.end();
  }
}

function byteCountOf(payload: unknown): number {
  return payload instanceof Uint8Array || payload instanceof ArrayBuffer ? payload.byteLength : 0;
}
