import { wireError } from "#shared/protocol/errors.ts";
import type { Link } from "../core/ports.ts";
import { overHttp, type Traffic } from "./http-link.ts";
import type { OverSocket } from "./socket-link.ts";

const NOT_LOADED =
  "A part of this page's program could not be loaded. It may have changed since the page was opened. Check the connection and reload.";

/**
 * A page's coordinator. The code of the socket is fetched once the page connects, because reading a task needs none.
 *
 * @param network  Fires what the page hears of its network.
 */
export function openPageLink(coordinatorUrl: string, network?: EventTarget): Link {
  const base = new URL(coordinatorUrl);
  const traffic: Traffic = { upByteCount: 0, downByteCount: 0 };
  let socket: OverSocket | null = null;
  let wanted = false;
  const messages = lateListeners<Told<"onMessage">>();
  const states = lateListeners<Told<"onState">>();
  const ends = lateListeners<Told<"onEnd">>();
  const load = async () => {
    const { overSocket } = await import("./socket-link.ts");
    if (socket !== null) return socket;
    socket = overSocket(base, traffic, { network });
    socket.onMessage(messages.tell);
    socket.onState(states.tell);
    socket.onEnd(ends.tell);
    return socket;
  };
  return {
    ...overHttp(base, traffic),
    traffic: () => ({ ...traffic }),
    connect: () => {
      wanted = true;
      load().then(
        (loaded) => wanted && loaded.connect(),
        () => wanted && ends.tell(wireError("INTERNAL", NOT_LOADED)),
      );
    },
    disconnect: () => {
      wanted = false;
      socket?.disconnect();
    },
    send: async (message) => socket?.send(message) ?? { ok: false, error: { type: "offline" } },
    onMessage: messages.add,
    onState: states.add,
    onEnd: ends.add,
    close: () => {
      wanted = false;
      socket?.close();
    },
  };
}

type Told<On extends "onMessage" | "onState" | "onEnd"> = Parameters<Parameters<OverSocket[On]>[0]>[0];

/** Listeners to a source that does not exist yet. */
function lateListeners<Value>() {
  const listeners = new Set<(value: Value) => void>();
  return {
    add: (listener: (value: Value) => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    tell: (value: Value) => {
      for (const listener of Array.from(listeners)) listener(value);
    },
  };
}
