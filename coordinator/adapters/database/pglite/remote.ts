import { Worker } from "node:worker_threads";
import type { NumberedRequest, QueryReply, Reply, ReplyError, Request } from "./messages.ts";

/** An error of the database, as node-postgres would raise it. */
class DatabaseError extends Error {
  override readonly name = "DatabaseError";
  readonly code: string | null;
  readonly detail: string | null;
  readonly constraint: string | null;

  constructor(error: ReplyError) {
    super(error.message);
    this.code = error.code;
    this.detail = error.detail;
    this.constraint = error.constraint;
  }
}

interface QueryResult<Row> {
  readonly rows: Row[];
  readonly affectedRows?: number;
  readonly fields: { dataTypeID: number; name: string }[];
}
interface Queryable {
  query<Row>(text: string, parameters?: unknown[]): Promise<QueryResult<Row>>;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A PGlite that runs in a worker thread, with as much of its interface as Kysely's PGliteDialect uses.
 *
 * Kysely hands it one query or transaction at a time. Should the thread end on its own, every call rejects from then
 * on and `onLost` is told: the state on disk is as after a kill, and the coordinator starts again from it.
 */
export class RemotePglite implements Queryable {
  readonly waitReady: Promise<void>;
  ready = false;
  closed = false;
  /** Statements so far that may have changed something. */
  writeCount = 0;
  readonly #worker = new Worker(new URL("./pglite.worker.ts", import.meta.url));
  readonly #waiting = new Map<number, Waiting>();
  #lost: Error | undefined;
  #number = 0;

  /** @param loadFrom  A dump to fill a folder from that does not exist yet; null for initdb or an existing folder. */
  constructor(folder: string, loadFrom: string | null, onLost: (error: Error) => void) {
    this.#worker.on("message", (reply: Reply) => this.#settle(reply));
    const lose = (error: Error) => {
      if (this.closed || this.#lost !== undefined) return;
      this.#lost = error;
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
      onLost(error);
    };
    this.#worker.on("error", lose);
    this.#worker.on("exit", (code) =>
      lose(new Error(`the thread of the embedded database ended with code ${code}`)),
    );
    this.waitReady = this.#ask({ type: "open", folder, loadFrom }).then(() => {
      this.ready = true;
    });
  }

  async query<Row>(text: string, parameters: unknown[] = []): Promise<QueryResult<Row>> {
    if (!/^\s*select\b/i.test(text)) this.writeCount += 1;
    const { rows, affectedRows } = (await this.#ask({ type: "query", text, parameters })) as QueryReply;
    return { rows: rows as Row[], fields: [], ...(affectedRows === undefined ? {} : { affectedRows }) };
  }

  async transaction<T>(run: (tx: Queryable & { rollback(): Promise<void> }) => Promise<T>): Promise<T> {
    // Not awaited here: Kysely waits for `run` to be called, for ever where the thread is lost before that.
    const begun = this.#ask({ type: "begin" });
    begun.catch(() => undefined);
    const rollback = async () => {
      await this.#ask({ type: "rollback" });
    };
    let value: T;
    try {
      value = await run({ query: (text, parameters) => this.query(text, parameters), rollback });
      await begun;
    } catch (error) {
      // What made the transaction end is the news; that a lost thread cannot roll back as well is not.
      await rollback().catch(() => undefined);
      throw error;
    }
    await this.#ask({ type: "commit" });
    return value;
  }

  /** Writes a gzipped tar of the folder to `path`, durably, between two transactions. */
  async dump(path: string): Promise<void> {
    await this.#ask({ type: "dump", path });
  }

  /** A clean shutdown of the database, then of its thread. */
  async close(): Promise<void> {
    if (this.closed) return;
    try {
      if (this.#lost === undefined) await this.#ask({ type: "close" });
    } finally {
      this.closed = true;
      await this.#worker.terminate();
    }
  }

  #ask(request: Request): Promise<unknown> {
    if (this.closed) return Promise.reject(new Error("the embedded database is closed"));
    if (this.#lost !== undefined) return Promise.reject(this.#lost);
    const number = ++this.#number;
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject });
      this.#worker.postMessage({ number, request } satisfies NumberedRequest);
    });
  }

  #settle(reply: Reply): void {
    const waiting = this.#waiting.get(reply.number);
    this.#waiting.delete(reply.number);
    if (reply.ok) waiting?.resolve(reply.value);
    else waiting?.reject(new DatabaseError(reply.error));
  }
}
