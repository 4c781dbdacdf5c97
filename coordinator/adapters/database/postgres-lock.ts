import { randomBytes as nodeRandomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { backoffMs } from "#coordinator/core/backoff.ts";
import type { Log } from "#coordinator/core/ports.ts";
import { randomBytes } from "../system.ts";
import { messageOf } from "../system-errors.ts";

/*
 * One coordinator for each PostgreSQL database: a session-level advisory lock, held on a connection of its own for as
 * long as the process lives. Two coordinators would both drive every run; the log's sequence keeps them from
 * corrupting it, and each would end the other's rounds.
 *
 * The lock ends with its session: on a restart of the server, on a cut connection. Then the holder stops reading and
 * writing and takes it again as soon as it can, unless another coordinator came first.
 *
 * Does not hold behind a pooler that gives each transaction another session (PgBouncer's transaction mode).
 */

/** "chorus" in ASCII. */
const KEY = 0x63_68_6f_72_75_73n;
const CONNECT_MS = 10_000;
/** A server that does not answer the lock's connection within this time is away, whatever its sockets say. */
const ANSWER_MS = 10_000;
const HEARTBEAT_MS = 5_000;
/** A coordinator that was killed a moment ago: the server needs a little to notice. */
const TRIES_AT_START = 6;

export interface InstanceEvents {
  /** The store refuses everything from now on. */
  readonly onLost: (reason: Error) => void;
  /** The store works again; what others wrote meanwhile is not known to this process. */
  readonly onRegained: () => void;
  /** Another coordinator has the database. The store goes on refusing; this process should end with the sentence. */
  readonly onTaken: (sentence: string) => void;
}

/** @throws Error with what to do, where another coordinator has the database; the driver's error where it cannot be reached. */
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
  /** Names this process's sessions to the server, so that it knows its own old one. */
  readonly #name = `chorus-${nodeRandomBytes(8).toString("hex")}`;
  readonly #closing = new AbortController();
  #client: pg.Client | null = null;
  /** The take under way. One at a time: a second one would take the first one's session for a leftover and end it. */
  #taking: Promise<Holder | null> | null = null;
  /** The connection of that take, which may have the lock already. */
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
   * @returns null if the lock is held now, else who holds it.
   * @throws the driver's error, and if this is closed meanwhile.
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
    // Without a listener, a connection that is lost would end the process.
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
      // An old session of this very process, whose end the server has not noticed yet.
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
  /** Of the server's process for that session. */
  readonly pid: number;
  readonly name: string;
  readonly address: string | null;
}

/** Who has the lock; session 0 if the holder has just let go. */
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
