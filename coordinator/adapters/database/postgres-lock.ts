import { randomBytes as nodeRandomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { backoffMs } from "#coordinator/core/ports/backoff.ts";
import type { Log } from "#coordinator/core/ports/ports.ts";
import { randomBytes } from "#shared/node/system.ts";
import { messageOf } from "../system-errors.ts";

/*
 * At most one coordinator per PostgreSQL database: a session-level advisory lock, held on its own connection
 * while the process lives. Two coordinators would both drive every run. The log's sequence would keep them
 * from corrupting it, but each would end the other's rounds.
 *
 * The lock is lost with its session: when the server restarts or the connection is cut. The holder then stops
 * reading and writing, and takes the lock again as soon as it can, unless another coordinator was faster.
 *
 * It does not work behind a pooler that may switch sessions between transactions (PgBouncer's transaction
 * mode).
 */

/** "chorus" in ASCII. */
const KEY = 0x63_68_6f_72_75_73n;
const CONNECT_MS = 10_000;
/**
 * A server that leaves the lock's connection unanswered for this long counts as away, whatever its sockets
 * say.
 */
const ANSWER_MS = 10_000;
const HEARTBEAT_MS = 5_000;
/** The server needs a moment to notice that the previous coordinator was killed. */
const TRIES_AT_START = 6;

export interface InstanceEvents {
  /** The store refuses every call from now on. */
  readonly onLost: (reason: Error) => void;
  /** The store works again. Others may have written in the meantime. */
  readonly onRegained: () => void;
  /**
   * Another coordinator has the database. The store keeps refusing, and this process should end with the
   * sentence.
   */
  readonly onTaken: (sentence: string) => void;
}

/**
 * Takes the lock for this process. @throws Error that says what to do if another coordinator has the
 * database; the driver's error if it is unreachable.
 */
export async function takeInstanceLock(
  databaseUrl: string,
  events: InstanceEvents,
  log: Log | undefined,
): Promise<InstanceLock> {
  const lock = new InstanceLock(databaseUrl, events, log);
  await lock.takeFirst();
  return lock;
}

export class InstanceLock {
  readonly #databaseUrl: string;
  readonly #events: InstanceEvents;
  readonly #log: Log | undefined;
  /** Names this process's sessions to the server, so that it recognizes its own old one. */
  readonly #name = `chorus-${nodeRandomBytes(8).toString("hex")}`;
  readonly #closing = new AbortController();
  #client: pg.Client | null = null;
  /**
   * The attempt under way. There is at most one: a second would take the first's session for a leftover and
   * end it.
   */
  #taking: Promise<Holder | null> | null = null;
  /** That attempt's connection, which may already hold the lock. */
  #asking: pg.Client | null = null;
  #heartbeat: NodeJS.Timeout | undefined;

  constructor(databaseUrl: string, events: InstanceEvents, log: Log | undefined) {
    this.#databaseUrl = databaseUrl;
    this.#events = events;
    this.#log = log;
  }

  get held(): boolean {
    return this.#client !== null;
  }

  async takeFirst(): Promise<void> {
    for (let tries = 1; ; tries++) {
      const holder = await this.#tryTake();
      if (holder === null) return;
      if (tries >= TRIES_AT_START) throw new Error(sentenceOf(holder));
      await sleep(backoffMs(Math.min(tries, 3), randomBytes));
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    clearInterval(this.#heartbeat);
    const clients = [this.#client, this.#asking].filter((client) => client !== null);
    this.#client = null;
    await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
  }

  /**
   * @returns null if the lock is now held, otherwise its holder.
   * @throws the driver's error, or an error if this was closed in the meantime.
   */
  #tryTake(): Promise<Holder | null> {
    if (this.#client !== null) return Promise.resolve(null);
    this.#taking ??= this.#take().finally(() => {
      this.#taking = null;
    });
    return this.#taking;
  }

  async #take(): Promise<Holder | null> {
    const client = new pg.Client({
      connectionString: this.#databaseUrl,
      connectionTimeoutMillis: CONNECT_MS,
      query_timeout: ANSWER_MS,
      keepAlive: true,
    });
    // Without a listener, a lost connection would end the process.
    client.on("error", (error) => this.#lost(client, error));
    client.on("end", () => this.#lost(client, new Error("the server closed the connection")));
    let holder: Holder | null;
    try {
      await client.connect();
      this.#assertOpen();
      this.#asking = client;
      await client.query("select set_config('application_name', $1, false)", [this.#name]);
      const { rows } = await client.query<{ taken: boolean }>(
        "select pg_try_advisory_lock($1::bigint) as taken",
        [String(KEY)],
      );
      holder = rows[0]?.taken === true ? null : await readHolder(client);
      // The holder is an old session of this process, and the server has not noticed its end.
      if (holder?.name === this.#name) await client.query("select pg_terminate_backend($1)", [holder.pid]);
      this.#assertOpen();
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    } finally {
      this.#asking = null;
    }
    if (holder !== null) {
      await client.end().catch(() => undefined);
      return holder;
    }
    this.#client = client;
    this.#heartbeat = setInterval(() => this.#beat(client), HEARTBEAT_MS);
    this.#heartbeat.unref();
    return null;
  }

  #assertOpen(): void {
    if (this.#closing.signal.aborted) throw new Error("the database is closed");
  }

  #beat(client: pg.Client): void {
    client.query("select 1").catch((error: Error) => this.#lost(client, error));
  }

  #lost(client: pg.Client, reason: Error): void {
    if (this.#client !== client) return;
    this.#client = null;
    clearInterval(this.#heartbeat);
    client.end().catch(() => undefined);
    if (this.#closing.signal.aborted) return;
    this.#log?.error(
      { error: reason.message },
      "the database is away: nothing is read or written until it is back",
    );
    this.#events.onLost(reason);
    void this.#takeAgain();
  }

  async #takeAgain(): Promise<void> {
    const { signal } = this.#closing;
    for (let failures = 1; ; failures++) {
      await sleep(backoffMs(failures, randomBytes), undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        const holder = await this.#tryTake();
        if (holder === null) {
          this.#log?.info({}, "the database is back");
          this.#events.onRegained();
          return;
        }
        if (holder.pid !== 0 && holder.name !== this.#name) {
          this.#events.onTaken(sentenceOf(holder));
          return;
        }
      } catch (error) {
        if (signal.aborted) return;
        this.#log?.warn({ tries: failures, error: messageOf(error) }, "the database is still away");
      }
    }
  }
}

interface Holder {
  /** Of the server process for that session. */
  readonly pid: number;
  readonly name: string;
  readonly address: string | null;
}

/** Returns who holds the lock; pid 0 if it has just been released. */
async function readHolder(client: pg.Client): Promise<Holder> {
  const { rows } = await client.query<Holder>(
    `select activity.pid, coalesce(application_name, '') as name, host(client_addr) as address
     from pg_locks join pg_stat_activity activity using (pid)
     where locktype = 'advisory' and granted and objsubid = 1
       and database = (select oid from pg_database where datname = current_database())
       and classid::bigint = $1::bigint >> 32 and objid::bigint = $1::bigint & 4294967295`,
    [String(KEY)],
  );
  return rows[0] ?? { pid: 0, name: "", address: null };
}

function sentenceOf({ pid, address }: Holder): string {
  const from = address === null ? "" : ` from ${address}`;
  const end =
    pid === 0 ? "" : ` If it is gone and its session was left behind: select pg_terminate_backend(${pid}).`;
  return `The database of DATABASE_URL is in use by another coordinator (session ${pid}${from}). Stop that one first, or give this one a database of its own.${end}`;
}
