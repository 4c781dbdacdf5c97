import { readFile } from "node:fs/promises";
import { parentPort } from "node:worker_threads";
import { PGlite } from "@electric-sql/pglite";
import { assert, present, unreachable } from "#shared/kernel/assert.ts";
import { writeDurably } from "#shared/node/durable-files.ts";
import type { NumberedRequest, QueryReply, Reply, ReplyError, Request } from "./messages.ts";

/*
 * PGlite in a thread of its own: a long query would block the coordinator's event loop for as long as it takes.
 * Requests come in the order in which one Kysely connection makes them; a dump may come at any time.
 */

/** int8 as a number: counts, bytes and milliseconds all lie below 2^53; node-postgres is told the same. */
const INT8_OID = 20;

interface OpenTransaction {
  query(text: string, parameters: unknown[]): Promise<QueryReply>;
  end(outcome: "commit" | "rollback"): Promise<void>;
}

class RolledBack extends Error {}

let database: PGlite | undefined;
let transaction: OpenTransaction | undefined;

const port = present(parentPort, "this file runs as a worker");
let previous: Promise<void> = Promise.resolve();
port.on("message", (message: NumberedRequest) => {
  // A dump waits inside PGlite for an open transaction to end; in line here it would wait for itself.
  if (message.request.type === "dump") void answer(message);
  else previous = previous.then(() => answer(message));
});

async function answer({ number, request }: NumberedRequest): Promise<void> {
  let reply: Reply;
  try {
    reply = { number, ok: true, value: await perform(request) };
  } catch (error) {
    reply = { number, ok: false, error: describe(error) };
  }
  port.postMessage(reply);
}

async function perform(request: Request): Promise<unknown> {
  switch (request.type) {
    case "open":
      database = await open(request.folder, request.loadFrom);
      return undefined;
    case "query": {
      const target = transaction ?? opened();
      const { rows, affectedRows } = await target.query(request.text, [...request.parameters]);
      return { rows, affectedRows } satisfies QueryReply;
    }
    case "begin":
      transaction = await begin(opened());
      return undefined;
    case "commit":
    case "rollback": {
      const ending = present(transaction, "no transaction is open");
      transaction = undefined;
      return ending.end(request.type);
    }
    case "dump": {
      const dump = await opened().dumpDataDir("gzip");
      return writeDurably(request.path, new Uint8Array(await dump.arrayBuffer()));
    }
    case "close":
      await database?.close();
      database = undefined;
      return undefined;
    default:
      return unreachable(request);
  }
}

async function open(folder: string, loadFrom: string | null): Promise<PGlite> {
  assert(database === undefined, "one database a worker");
  return PGlite.create({
    dataDir: folder,
    parsers: { [INT8_OID]: Number },
    // One connection over small rows; the default of 128 MB costs 125 MB of memory and gains nothing here.
    postgresqlconf: ["shared_buffers = 16MB"],
    ...(loadFrom === null ? {} : { loadDataDir: new Blob([await readFile(loadFrom)]) }),
  });
}

function opened(): PGlite {
  return present(database, "the database is not open");
}

/** Turns PGlite's callback into begin and end, so that it can be spoken to in messages. */
function begin(on: PGlite): Promise<OpenTransaction> {
  return new Promise((started, failed) => {
    const ended = on.transaction(
      (tx) =>
        new Promise<void>((commit, rollback) => {
          started({
            query: async (text, parameters) => {
              const { rows, affectedRows } = await tx.query(text, parameters);
              return { rows, affectedRows };
            },
            end: async (how) => {
              if (how === "commit") commit();
              else rollback(new RolledBack());
              await ended.catch((error: unknown) => {
                if (!(error instanceof RolledBack)) throw error;
              });
            },
          });
        }),
    );
    ended.catch(failed);
  });
}

function describe(error: unknown): ReplyError {
  const fields = (typeof error === "object" && error !== null ? error : {}) as Record<string, unknown>;
  const text = (name: string) => (typeof fields[name] === "string" ? fields[name] : null);
  return {
    message: text("message") ?? String(error),
    code: text("code"),
    detail: text("detail"),
    constraint: text("constraint"),
  };
}
