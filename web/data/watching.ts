import { z } from "zod";
import { wireErrorSchema } from "#shared/protocol/errors.ts";
import { ApiFailure } from "./api.ts";

/*
 * A connection to /dash that opens with a ticket, watches, and comes back after whatever ended it. No answer of the
 * coordinator is taken for granted: figures are live only once it has said so.
 */

/** As much of a socket as this needs. A connection that breaks is opened again by the socket itself. */
export interface WatchSocket {
  readonly connected: boolean;
  connect(): void;
  disconnect(): void;
  onConnect(listener: () => void): void;
  /** @param listener  `byServer` is true if the coordinator ended it, after which a socket does not return by itself. */
  onDisconnect(listener: (byServer: boolean) => void): void;
  onConnectError(listener: () => void): void;
  /** The acknowledgement of "watch". Rejects if none comes. */
  watch(body: WatchBody): Promise<unknown>;
}

export type WatchBody = { readonly ticket: string } | { readonly runId: string } | { readonly all: true };

interface WatchingPorts {
  readonly socket: WatchSocket;
  /** Says once whose connection it is, since a socket carries no cookie. Rejects with `ApiFailure`. */
  readonly ticket: () => Promise<string>;
  /** Calls back once after `ms`, unless it is cancelled by what it returns. */
  readonly after: (ms: number, callback: () => void) => () => void;
}

interface WatchingListener {
  /** @param again  True after a gap: what is on the page is old. */
  onLive(again: boolean): void;
  onLost(): void;
  /** The coordinator ended the connection: the session has ended, or a role was taken. */
  onEnded(): void;
  /** The coordinator says that asking again will not help. */
  onRefused(): void;
}

/** How long it waits at first after the coordinator has ended or refused a connection, and at most. In milliseconds. */
export const RETURN_MS = 1_000;
export const RETURN_MS_MAX = 30_000;

const answerSchema = z.union([z.object({ ok: z.literal(true) }), z.object({ error: wireErrorSchema })]);

/** @returns Ends it. */
export function keepWatching(
  target: Exclude<WatchBody, { readonly ticket: string }>,
  { socket, ticket, after }: WatchingPorts,
  listener: WatchingListener,
): () => void {
  let connections = 0;
  let wasLive = false;
  let failures = 0;
  let cancel = () => {};
  const ask = async (body: WatchBody) => {
    const answer = answerSchema.parse(await socket.watch(body));
    if (!("error" in answer)) return;
    const { code, message, retry } = answer.error;
    throw new ApiFailure(code, message, retry);
  };
  const comeBack = () => {
    cancel();
    cancel = after(Math.min(RETURN_MS * 2 ** failures, RETURN_MS_MAX), () => socket.connect());
    failures++;
  };
  const open = async (connection: number) => {
    try {
      await ask({ ticket: await ticket() });
      await ask(target);
    } catch (failure) {
      // A connection that broke meanwhile is opened again by the socket.
      if (connection !== connections || !socket.connected) return;
      socket.disconnect();
      if (failure instanceof ApiFailure && failure.retry === "never") return listener.onRefused();
      listener.onLost();
      return comeBack();
    }
    if (connection !== connections || !socket.connected) return;
    listener.onLive(wasLive);
    wasLive = true;
    failures = 0;
  };
  socket.onConnect(() => void open(++connections));
  socket.onConnectError(() => listener.onLost());
  socket.onDisconnect((byServer) => {
    if (byServer) {
      listener.onEnded();
      comeBack();
    }
    listener.onLost();
  });
  return () => {
    connections++;
    cancel();
    socket.disconnect();
  };
}
