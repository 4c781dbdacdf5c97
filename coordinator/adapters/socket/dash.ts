import type { Namespace } from "socket.io";
import { z } from "zod";
import { err, ok } from "#shared/kernel/result.ts";
import { wireError } from "#shared/protocol/errors.ts";
import { runIdSchema } from "#shared/protocol/ids.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import { ANYONE } from "../../core/access/principal.ts";
import type { Broadcast } from "../../core/ports.ts";
import type { SocketDialect, SocketSign } from "./endpoint.ts";
import { type GuardPorts, guard } from "./guard.ts";

/*
 * Namespace /dash: views of the public API as they change.
 *
 * | event                   | direction | argument                  | acknowledgement             |
 * | ----------------------- | --------- | ------------------------- | --------------------------- |
 * | "watch"                 | to us     | { runId } or { all: true }| { ok: true } or { error }   |
 * | "run", "round", "event" | from us   | the view                  | none                        |
 */

const watchSchema = z.union([
  z.strictObject({ runId: runIdSchema }),
  z.strictObject({ all: z.literal(true) }),
]);
const ALL = "all";

const DIALECT: SocketDialect = {
  name: "api",
  refuse: (code, detail) => ({ error: wireError(code, detail) }),
};

const WATCH = {
  namespace: "/dash",
  event: "watch",
  dialect: DIALECT,
  permissions: { run: "runs.read", all: "runs.read" },
} as const satisfies SocketSign;

export const dashboards = { ...WATCH, serve: serveDashboards };

function serveDashboards(namespace: Namespace, ports: GuardPorts): void {
  namespace.on("connection", (socket) => {
    guard(socket, ports, {
      sign: WATCH,
      kindOf: (room: string) => (room === ALL ? "all" : "run"),
      principal: () => ANYONE,
      read: (payload) => {
        const watch = watchSchema.safeParse(payload);
        if (!watch.success) return err(DIALECT.refuse("BAD_MESSAGE", "Send { runId } or { all: true }."));
        return ok("all" in watch.data ? ALL : watch.data.runId);
      },
      handle: async (room) => {
        // One room is the socket's own.
        if (socket.rooms.size > LIMITS.watchedRunsMax)
          return DIALECT.refuse("RATE_LIMITED", "This connection watches too many runs. Open another.");
        await socket.join(room);
        return { ok: true };
      },
    });
  });
}

/** Fan-out to those who watch this run or all; a dashboard that both watch hears once. */
export function dashBroadcast(namespace: Namespace): Broadcast {
  return {
    publish: (topic, runId, view) => {
      namespace.to(ALL).to(runId).emit(topic, view);
    },
  };
}
