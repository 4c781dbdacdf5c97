import { io, type Socket, type WebSocket } from "socket.io-client";
import { err, ok } from "#shared/kernel/result.ts";
import { type Silence, watchSilence } from "#shared/kernel/silence.ts";
import { wireError } from "#shared/protocol/errors.ts";
import { decodeFrame, encodeFrame } from "#shared/protocol/frame.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import { coordinatorMessageSchema } from "#shared/protocol/messages/coordinator.ts";
import { replySchema } from "#shared/protocol/messages/reply.ts";
import type { Link, LinkState } from "../core/ports.ts";
import { type OverHttp, overHttp, type Traffic } from "./http-link.ts";
import { platformAfter, platformClock } from "./platform-ports.ts";

/** An acknowledgement that takes longer counts as lost; the message is sent again. */
const ACK_MS = 15_000;
const RECONNECT_MS_MIN = 500;
const RECONNECT_MS_MAX = 5_000;

export interface SocketLinkOptions {
  /** The WebSocket to use; by default the browser's, and on Node that of `ws`. */
  readonly webSocket?: typeof WebSocket;
  /** Fires `offline` and `online`. A page passes its own on, because not every browser tells workers; Node has none. */
  readonly network?: EventTarget | undefined;
}

/** The coordinator over socket.io (namespace /device, websocket only) and its HTTP API. */
export function openSocketLink(coordinatorUrl: string, options: SocketLinkOptions = {}): Link {
  const base = new URL(coordinatorUrl);
  const traffic: Traffic = { upByteCount: 0, downByteCount: 0 };
  return {
    ...overSocket(base, traffic, options),
    ...overHttp(base, traffic),
    traffic: () => ({ ...traffic }),
  };
}

/** What a link does over its socket. */
export type OverSocket = Omit<Link, keyof OverHttp | "traffic">;
type Listeners<T> = Set<(value: T) => void>;

export function overSocket(
  base: URL,
  traffic: Traffic,
  { webSocket, network }: SocketLinkOptions = {},
): OverSocket {
  const messages: Listeners<Parameters<Parameters<Link["onMessage"]>[0]>[0]> = new Set();
  const states: Listeners<LinkState> = new Set();
  const ends: Listeners<Parameters<Parameters<Link["onEnd"]>[0]>[0]> = new Set();
  const socket = io(new URL("/device", base).href, {
    transports: webSocket === undefined ? ["websocket"] : [webSocket],
    autoConnect: false,
    // Never share a socket with the page's dashboard connection.
    forceNew: true,
    reconnectionDelay: RECONNECT_MS_MIN,
    reconnectionDelayMax: RECONNECT_MS_MAX,
  });
  const stopListening = listenForSilence(socket, (state) => tell(states, state));
  let wanted = false;
  let ended = false;
  const later = () =>
    setTimeout(() => socket.active || !wanted || ended || socket.connect(), RECONNECT_MS_MIN);
  socket.on("connect", () => tell(states, "up"));
  socket.on("disconnect", (reason) => {
    stopListening();
    tell(states, "down");
    // socket.io does not reconnect after the server closed the connection, so do it here. After `end` it stays closed.
    if (reason === "io server disconnect" && !ended) later();
  });
  socket.on("frame", (payload: unknown) => {
    traffic.downByteCount += byteCountOf(payload);
    const frame = decodeFrame(payload, coordinatorMessageSchema);
    // A malformed frame is dropped, as if lost in transit; the step's deadline covers both.
    if (frame.ok) tell(messages, frame.value);
  });
  socket.on("end", (payload: unknown) => {
    const frame = decodeFrame(payload, replySchema);
    ended = true;
    tell(ends, frame.ok && frame.value.type === "refused" ? frame.value.error : wireError("BAD_FRAME"));
  });
  const forgetNetwork = listenToNetwork(network, {
    offline: () => {
      if (!wanted || ended) return;
      // Engine.io does so too, except to localhost.
      if (socket.connected) socket.disconnect();
      tell(states, "cut");
      // A coordinator on this machine needs no network.
      later();
    },
    online: () => {
      if (!wanted || ended || socket.connected) return;
      // Ends the pause between two attempts.
      socket.disconnect().connect();
    },
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
    send: (message) => send(socket, traffic, message),
    onMessage: (listener) => listen(messages, listener),
    onState: (listener) => listen(states, listener),
    onEnd: (listener) => listen(ends, listener),
    close: () => {
      wanted = false;
      forgetNetwork();
      socket.disconnect();
      for (const listeners of [messages, states, ends]) listeners.clear();
    },
  };
}

/**
 * Tells when nothing has arrived on an open connection for too long, and when something arrives again. It ends no
 * connection: a coordinator that is held up would otherwise have all its devices log in anew. Engine.io ends what stays
 * silent for `socketPingMs + socketAnswerMsMax`.
 *
 * @returns a function that stops until the next connection.
 */
function listenForSilence(socket: Socket, onChange: (state: "silent" | "heard") => void): () => void {
  let silence: Silence | null = null;
  const listen = () => {
    silence?.end();
    silence = watchSilence(
      { clock: platformClock, after: platformAfter },
      () => LIMITS.socketSilentMsMax,
      () => {
        silence = null;
        onChange("silent");
      },
    );
  };
  socket.on("connect", () => {
    listen();
    socket.io.engine.on("packet", () => {
      if (!socket.connected) return;
      if (silence !== null) silence.heard();
      else {
        onChange("heard");
        listen();
      }
    });
  });
  return () => {
    silence?.end();
    silence = null;
  };
}

/** @returns a function that stops listening. */
function listenToNetwork(
  network: EventTarget | undefined,
  on: Readonly<Record<"offline" | "online", () => void>>,
): () => void {
  network?.addEventListener("offline", on.offline);
  network?.addEventListener("online", on.online);
  return () => {
    network?.removeEventListener("offline", on.offline);
    network?.removeEventListener("online", on.online);
  };
}

async function send(
  socket: Socket,
  traffic: Traffic,
  message: Parameters<Link["send"]>[0],
): ReturnType<Link["send"]> {
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
}

function listen<T>(listeners: Listeners<T>, listener: (value: T) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tell<T>(listeners: Listeners<T>, value: T): void {
  for (const listener of Array.from(listeners)) listener(value);
}

function byteCountOf(payload: unknown): number {
  return payload instanceof Uint8Array || payload instanceof ArrayBuffer ? payload.byteLength : 0;
}
