import { parentPort } from "node:worker_threads";
import type { Store } from "#coordinator/core/ports/store.ts";
import { present, unreachable } from "#shared/kernel/assert.ts";
import { answerCall, type Call } from "#shared/kernel/calls.ts";
import { SerialQueue } from "#shared/kernel/serial-queue.ts";
import { readInstance, writeInstance } from "../instance-row.ts";
import { migrate } from "../migrate.ts";
import { migrationsFor } from "../migrations/index.ts";
import { createStore } from "../store.ts";
import { recordEarlierCosts, recordEarlierRuns } from "../tracking/own.ts";
import { type Connection, connect } from "./connection.ts";
import type { Method, Opened, Request } from "./messages.ts";
import { PositionMark } from "./position-mark.ts";

/*
 * The store on one SQLite connection, in a thread of its own because SQLite's calls are synchronous and a
 * commit waits for the disk. Requests are served one at a time, in order.
 */

/** Methods that delete what must not be readable again (S11). */
const WIPES: ReadonlySet<Method | "ping"> = new Set([
  "deleteMaterial",
  "keepOpenings",
  "deleteTranscript",
  "deleteEvidence",
  "findProjectData",
  "deleteProjectData",
]);
/** Pause before emptying the log again if a reader still needed it. */
const EMPTY_AGAIN_MS = 1_000;

let connection: Connection | undefined;
let store: Store | undefined;
let mark: PositionMark | undefined;

const port = present(parentPort, "this file runs as a worker");
const queue = new SerialQueue();
let emptyAgain: NodeJS.Timeout | undefined;
port.on("message", (call: Call<Request>) => {
  void queue.run(() => answerCall(call, perform, (answer) => port.postMessage(answer)));
});

async function perform(request: Request): Promise<unknown> {
  switch (request.type) {
    case "open":
      return open(request);
    case "call":
      return call(request);
    case "mark":
      return writeInstance(present(connection, "the database is open").db, request.instanceId);
    case "close":
      clearTimeout(emptyAgain);
      // SQLite removes the log on closing, except while another program has the database open.
      if (mark !== undefined) connection?.emptyLog();
      mark?.close();
      connection?.close();
      return undefined;
    default:
      return unreachable(request);
  }
}

async function call({ method, parameters }: Extract<Request, { type: "call" }>): Promise<unknown> {
  const target = present(store, "the database is open");
  // The types on both sides come from `Store`; the message only carries the values.
  const perform = target[method] as (...parameters: readonly unknown[]) => Promise<unknown>;
  const value = await perform(...parameters);
  const { position } = present(connection, "the database is open");
  if (method === "append" || method === "appendNext") mark?.write(position());
  if (WIPES.has(method)) emptyLog();
  return value;
}

/**
 * Empties the log, and tries again while a reader needs it. Otherwise deleted data would stay in it until the
 * next write (S11).
 */
function emptyLog(): void {
  clearTimeout(emptyAgain);
  if (present(connection, "the database is open").emptyLog()) return;
  emptyAgain = setTimeout(() => {
    // Queued, because SQLite refuses inside a transaction.
    void queue.run(emptyLog);
  }, EMPTY_AGAIN_MS);
}

async function open(request: Extract<Request, { type: "open" }>): Promise<Opened> {
  connection = connect(request.path, request.access);
  const { db, pragmas, position, close } = connection;
  let instanceId: string | null = null;
  try {
    if (request.access === "write") {
      await migrate(db, migrationsFor("sqlite"));
      await recordEarlierRuns(db, (progress) => port.postMessage({ kind: "beat", progress }));
      await recordEarlierCosts(db);
      instanceId = await readInstance(db);
      mark = new PositionMark(request.markPath);
      // The previous process may have died between a deletion and emptying the log.
      emptyLog();
    }
    store = createStore({ kind: "embedded", db, close: async () => close() }, request.projectId);
    return { pragmas, instanceId, position: position() };
  } catch (error) {
    clearTimeout(emptyAgain);
    close();
    throw error;
  }
}
