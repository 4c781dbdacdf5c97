import type { Socket } from "socket.io";
import type { MonotonicClock, WallClock } from "#shared/kernel/ports.ts";
import type { Result } from "#shared/kernel/result.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import { permissionRefusal, THE_WHOLE } from "../../core/access/permissions.ts";
import type { Principal } from "../../core/access/principal.ts";
import { rateLimit } from "../../core/access/rate-limit.ts";
import { wireErrorOf } from "../../core/ports/outage.ts";
import type { Log } from "../../core/ports/ports.ts";
import type { SocketSign } from "./sign.ts";
import type { ReadingBudget } from "./transport-limits.ts";

export interface GuardedEvent<Kind extends string, Message> {
  /** Name, dialect and permissions of the namespace's one event, which takes one argument. */
  readonly sign: SocketSign<Kind>;
  kindOf(message: Message): Kind;
  /** Whoever is on this connection now. */
  principal(): Principal;
  /**
   * Decodes the argument. Its time is charged to the sender's budget. The error is the answer to the sender.
   */
  read(payload: unknown): Result<Message, unknown>;
  /** Handles a message that passed every check. The result is the acknowledgement. */
  handle(message: Message, principal: Principal): Promise<unknown>;
}

export interface GuardPorts {
  readonly clock: MonotonicClock;
  /** For fresh proofs, which age. */
  readonly wall: WallClock;
  readonly log: Log;
  readonly budget: ReadingBudget;
  /** False until there is an admin (X31). */
  readonly isSetUp: () => boolean;
}

/**
 * The wrapper around every socket event: name, number of arguments, rate, time, permission, try/catch,
 * acknowledgement (W2, W13). Without an acknowledgement nobody is answered, and nothing fails.
 *
 * It is a middleware that never calls `next`, so that no peer's event reaches a listener. Otherwise socket.io
 * would pass events that a peer names `error` or `disconnect` to the listeners of its own events.
 */
export function guard<Kind extends string, Message>(
  socket: Socket,
  { clock, wall, log, budget, isSetUp }: GuardPorts,
  guarded: GuardedEvent<Kind, Message>,
): void {
  const { event: name, dialect, permissions } = guarded.sign;
  const rate = rateLimit(clock, {
    burst: 2 * LIMITS.socketEventsPerSecond,
    perSecond: LIMITS.socketEventsPerSecond,
    keyCountMax: 1,
  });
  const id = engineId(socket);
  let wasTold = false;
  socket.use(([event, ...args]: unknown[]) => {
    const last = args.at(-1);
    const acknowledge = typeof last === "function" ? last : undefined;
    const payloads = acknowledge === undefined ? args : args.slice(0, -1);
    answer(event, payloads)
      .then((reply) => acknowledge?.(reply))
      .catch((error: unknown) => log.error({ error: textOf(error) }, "an acknowledgement failed"));
  });
  // Errors of the transport and the decoder. Without a listener socket.io prints them to the console.
  socket.on("error", (error: unknown) => log.warn({ error: textOf(error) }, "a socket failed"));

  async function answer(event: unknown, payloads: readonly unknown[]): Promise<unknown> {
    if (!budget.isLeft(id)) return overBudget();
    if (!rate.take(""))
      return dialect.refuse("RATE_LIMITED", "Too many events at once. Wait a second and try again.");
    if (!isSetUp()) return dialect.refuse("NOT_SET_UP");
    if (event !== name) return dialect.refuse("BAD_MESSAGE", `Send the event "${name}".`);
    if (payloads.length !== 1) return dialect.refuse("BAD_MESSAGE", `"${name}" takes one argument.`);
    try {
      const message = read(payloads[0]);
      if (!message.ok) return message.error;
      const principal = guarded.principal();
      const refusal = permissionRefusal(
        principal,
        permissions[guarded.kindOf(message.value)],
        THE_WHOLE,
        wall.nowUnixMs(),
      );
      if (refusal !== null) return dialect.refuse(refusal.code, refusal.message);
      return await guarded.handle(message.value, principal);
    } catch (error) {
      log.error(
        { event: name, error: textOf(error), stack: error instanceof Error ? error.stack : "" },
        "an event failed",
      );
      const { code, message } = wireErrorOf(error);
      return dialect.refuse(code, message);
    }
  }

  function read(payload: unknown): Result<Message, unknown> {
    const beganMs = clock.nowMs();
    try {
      return guarded.read(payload);
    } finally {
      budget.spent(id, clock.nowMs() - beganMs);
    }
  }

  /** Says so once, and disconnects whoever keeps sending. */
  function overBudget(): unknown {
    if (wasTold) setImmediate(() => socket.disconnect(true));
    wasTold = true;
    return dialect.refuse(
      "RATE_LIMITED",
      "Reading your messages takes too much time. Send fewer or smaller ones.",
    );
  }
}

/** The transport's id. One connection may carry several namespaces. */
export function engineId(socket: Socket): string {
  return (socket.conn as unknown as { readonly id: string }).id;
}

/** Ignores values other than errors: turning a peer's value into a string may throw or never end. */
function textOf(error: unknown): string {
  return error instanceof Error ? error.message : "";
}
