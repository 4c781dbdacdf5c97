import { parentPort } from "node:worker_threads";
import type { Store } from "#coordinator/core/store.ts";
import { present, unreachable } from "#shared/kernel/assert.ts";
import { readInstance, writeInstance } from "../instance-row.ts";
import { migrate } from "../migrate.ts";
import { migrationsFor } from "../migrations/index.ts";
import { createStore } from "../store.ts";
import { type Connection, connect } from "./connection.ts";
import {
  errorToParts,
  type Method,
  type NumberedRequest,
  type Opened,
  type Reply,
  type Request,
} from "./messages.ts";
import { PositionMark } from "./position-mark.ts";

/*
 * The store on one SQLite connection, in a thread of its own: SQLite's calls are synchronous, and a commit waits for
 * the disk. Requests are served one after the other, in their order.
 */

/** Methods that delete what must not be read again (S11). */
const WIPES: ReadonlySet<Method | "ping"> = new Set([
  "deleteMaterial",
  "keepOpenings",
  "deleteTranscript",
  "deleteEvidence",
]);
/** Pause before the log is emptied again, if a reader needed it. */
const EMPTY_AGAIN_MS = 1_000;

let connection: Connection | undefined;
let store: Store | undefined;
let mark: PositionMark | undefined;

const port = present(parentPort, "this file runs as a worker");
let previous: Promise<void> = Promise.resolve();
let emptyAgain: NodeJS.Timeout | undefined;
port.on("message", (message: NumberedRequest) => {
  previous = previous.then(() => answer(message));
});

async function answer({ number, request }: NumberedRequest): Promise<void> {
  let reply: Reply;
  try {
    reply = { number, ok: true, value: await perform(request) };
  } catch (error) {
    reply = { number, ok: false, error: errorToParts(error) };
  }
  port.postMessage(reply);
}

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
      // Another program that still has the database open keeps its log from being removed.
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
  // The types of both sides come from `Store`; the message only carries them.
  const perform = target[method] as (...parameters: readonly unknown[]) => Promise<unknown>;
  const value = await perform(...parameters);
  const { position } = present(connection, "the database is open");
  if (method === "append" || method === "appendNext") mark?.write(position());
  if (WIPES.has(method)) emptyLog();
  return value;
}

/** Until no reader needs the log any more: without a further write it would keep what was deleted (S11). */
function emptyLog(): void {
  clearTimeout(emptyAgain);
  if (present(connection, "the database is open").emptyLog()) return;
  emptyAgain = setTimeout(() => {
    // In its turn: inside a transaction SQLite refuses.
    previous = previous.then(emptyLog);
  }, EMPTY_AGAIN_MS);
}

async function open(request: Extract<Request, { type: "open" }>): Promise<Opened> {
  connection = connect(request.path, request.access);
  const { db, pragmas, position, close } = connection;
  let instanceId: string | null = null;
  try {
    if (request.access === "write") {
      await migrate(db, migrationsFor("sqlite"));
      instanceId = await readInstance(db);
      mark = new PositionMark(request.markPath);
      // The process before may have died between a deletion and this.
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
