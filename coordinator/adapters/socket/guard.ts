import type { Socket } from "socket.io";
import type { MonotonicClock } from "#shared/kernel/ports.ts";
import type { Result } from "#shared/kernel/result.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import { refusalOf } from "../../core/access/permissions.ts";
import type { Principal } from "../../core/access/principal.ts";
import { wireErrorOf } from "../../core/outage.ts";
import type { Log } from "../../core/ports.ts";
import { rateLimit } from "../../core/rate-limit.ts";
import type { SocketSign } from "./endpoint.ts";
import type { ReadingBudget } from "./transport-limits.ts";

export interface GuardedEvent<Kind extends string, Message> {
  /** Name, dialect and permissions of the one event that this namespace takes, with one argument. */
  readonly sign: SocketSign<Kind>;
  kindOf(message: Message): Kind;
  /** Who is on this connection now. */
  principal(): Principal;
  /** Decodes the argument; the time counts against the sender's budget. The error is what the sender is answered. */
  read(payload: unknown): Result<Message, unknown>;
  /**
   * Never sees a second argument, a foreign event, a hasty sender or one without the permission. Its result is the
   * acknowledgement.
   */
  handle(message: Message, principal: Principal): Promise<unknown>;
}

export interface GuardPorts {
  readonly clock: MonotonicClock;
  readonly log: Log;
  readonly budget: ReadingBudget;
}

/**
 * The one wrapper of every socket event: name, number of arguments, rate, time, permission, try and catch,
 * acknowledgement (W2, W13).
 * Without an acknowledgement nobody is answered, and nothing fails.
 *
 * It is a middleware that never calls `next`, so no event of a peer reaches a listener: socket.io hands an event that a
 * peer named `error` or `disconnect` to the listeners of its own events of that name.
 */
export function guard<Kind extends string, Message>(
  socket: Socket,
  { clock, log, budget }: GuardPorts,
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
  // Errors of the transport and of the decoder; without a listener socket.io writes them to the console.
  socket.on("error", (error: unknown) => log.warn({ error: textOf(error) }, "a socket failed"));

  async function answer(event: unknown, payloads: readonly unknown[]): Promise<unknown> {
    if (!budget.isLeft(id)) return overBudget();
    if (!rate.take(""))
      return dialect.refuse("RATE_LIMITED", "Too many events at once. Wait a second and try again.");
    if (event !== name) return dialect.refuse("BAD_MESSAGE", `Send the event "${name}".`);
    if (payloads.length !== 1) return dialect.refuse("BAD_MESSAGE", `"${name}" takes one argument.`);
    try {
      const message = read(payloads[0]);
      if (!message.ok) return message.error;
      const principal = guarded.principal();
      const refusal = refusalOf(principal, permissions[guarded.kindOf(message.value)]);
      if (refusal !== null) return dialect.refuse(refusal.code, refusal.message);
      return await guarded.handle(message.value, principal);
    } catch (error) {
      log.error(
        { error: textOf(error), stack: error instanceof Error ? error.stack : "" },
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

  /** Said once; whoever sends on is disconnected. */
  function overBudget(): unknown {
    if (wasTold) setImmediate(() => socket.disconnect(true));
    wasTold = true;
    return dialect.refuse(
      "RATE_LIMITED",
      "Reading your messages takes too much time. Send fewer and smaller ones.",
    );
  }
}

/** The transport's id: one connection may carry several namespaces. */
export function engineId(socket: Socket): string {
  return (socket.conn as unknown as { readonly id: string }).id;
}

/** Never of a value that a peer sent: making a string of it may throw, or not end. */
function textOf(error: unknown): string {
  return error instanceof Error ? error.message : "";
}
