import type { Namespace, Socket } from "socket.io";
import { z } from "zod";
import { err, ok } from "#shared/kernel/result.ts";
import { ticketPattern } from "#shared/protocol/access-api.ts";
import { wireError } from "#shared/protocol/errors.ts";
import { runIdSchema } from "#shared/protocol/ids.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import { readableBy } from "../../core/access/permissions.ts";
import { refusalAt } from "../../core/access/places.ts";
import { ANYONE, type Person, type Principal } from "../../core/access/principal.ts";
import type { Broadcast } from "../../core/ports/ports.ts";
import type { SocketPorts } from "./endpoint.ts";
import { guard } from "./guard.ts";
import type { SocketDialect, SocketSign } from "./sign.ts";

/*
 * Namespace /dash: live updates of the public API's views.
 *
 * | event                   | direction | argument                             | acknowledgement             |
 * | ----------------------- | --------- | ------------------------------------ | --------------------------- |
 * | "watch"                 | to us     | { ticket }, once and first; then     | { ok: true } or { error }   |
 * |                         |           | { runId } or { all: true }           |                             |
 * | "run", "round", "event" | from us   | the view                             | none                        |
 *
 * A ticket comes from POST /api/v1/session/ticket. "all" means all that its person may read. The connection ends when
 * the session or token behind the ticket ends, or a role of the person is taken.
 */

const ticketWatchSchema = z.strictObject({ ticket: z.string().regex(ticketPattern) });
const runSchema = z.strictObject({ runId: runIdSchema });
const allSchema = z.strictObject({ all: z.literal(true) });
const watchSchema = z.union([ticketWatchSchema, runSchema, allSchema]);
type Watch = z.output<typeof watchSchema>;

const ALL = "all";
const roomOfProject = (projectId: string) => `project ${projectId}`;
const roomOfRun = (runId: string) => `run ${runId}`;

const DIALECT: SocketDialect = {
  name: "api",
  refuse: (code, detail) => ({ error: wireError(code, detail) }),
};

const WATCH = {
  namespace: "/dash",
  event: "watch",
  dialect: DIALECT,
  messages: { ticket: ticketWatchSchema, run: runSchema, all: allSchema },
  permissions: { ticket: "sessions.open", run: "runs.read", all: "runs.read" },
} as const satisfies SocketSign;

export const dashboards = { ...WATCH, serve: serveDashboards };

function kindOf(watch: Watch): keyof typeof WATCH.permissions {
  return "ticket" in watch ? "ticket" : "runId" in watch ? "run" : "all";
}

function serveDashboards(namespace: Namespace, ports: SocketPorts): void {
  namespace.on("connection", (socket) => {
    let opened: Person | null = null;
    guard(socket, ports, {
      sign: WATCH,
      kindOf,
      principal: () => (opened === null ? null : ports.personNow(opened)) ?? ANYONE,
      read: (payload) => {
        const watch = watchSchema.safeParse(payload);
        if (watch.success) return ok(watch.data);
        return err(DIALECT.refuse("BAD_MESSAGE", "Send { ticket } first, then { runId } or { all: true }."));
      },
      handle: async (watch, principal) => {
        if (!("ticket" in watch)) return join(socket, watch, principal, ports);
        if (opened !== null) return DIALECT.refuse("STATE", "This connection has used its ticket already.");
        opened = ports.personOfTicket(watch.ticket);
        if (opened === null)
          return DIALECT.refuse(
            "NOT_AUTHENTICATED",
            "This ticket is unknown, used or over. Ask for another.",
          );
        ports.watchers.add(socket, opened);
        return { ok: true };
      },
    });
  });
}

async function join(
  socket: Socket,
  watch: Exclude<Watch, { ticket: string }>,
  principal: Principal,
  { places, wall, personNow }: SocketPorts,
): Promise<unknown> {
  const wanted = "all" in watch ? roomsOf(principal) : [roomOfRun(watch.runId)];
  // Every socket is also in a room of its own.
  if (socket.rooms.size - 1 + wanted.length > LIMITS.watchedRunsMax)
    return DIALECT.refuse("RATE_LIMITED", "This connection watches too many runs. Open another.");
  if ("runId" in watch) {
    const found = await places.of({ type: "run", id: watch.runId });
    // The role may have been taken meanwhile.
    const now = (principal.kind === "person" ? personNow(principal) : null) ?? ANYONE;
    const refusal = refusalAt(now, "runs.read", found, wall.nowUnixMs());
    if (refusal !== null) return DIALECT.refuse(refusal.code, refusal.message);
  }
  if (socket.connected) await socket.join(wanted);
  return { ok: true };
}

function roomsOf(principal: Principal): string[] {
  const { projects } = readableBy(principal, "runs.read");
  return projects === "all" ? [ALL] : projects.map(roomOfProject);
}

/** Sends to everyone who watches this run, its project or all. A dashboard that watches several gets it once. */
export function dashBroadcast(namespace: Namespace): Broadcast {
  return {
    publish: (topic, { runId, projectId }, view) => {
      namespace.to(ALL).to(roomOfProject(projectId)).to(roomOfRun(runId)).emit(topic, view);
    },
  };
}
