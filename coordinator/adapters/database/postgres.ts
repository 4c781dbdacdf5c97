import { Kysely, PostgresDialect, sql } from "kysely";
import pg from "pg";
import type { Log } from "#coordinator/core/ports/ports.ts";
import { isErrorCode, messageOf } from "../system-errors.ts";
import { migrate } from "./migrate.ts";
import { migrationsFor } from "./migrations/index.ts";
import { type InstanceEvents, type InstanceLock, takeInstanceLock } from "./postgres-lock.ts";
import type { Database } from "./schema.ts";
import type { OpenDatabase } from "./store.ts";
import { logEntered } from "./tracking/entered-runs.ts";
import { recordEarlierCosts, recordEarlierRuns } from "./tracking/own.ts";

const CONNECTIONS_MAX = 10;
const SERVER_VERSION_MIN = 150_000;
const BYTEA_OID = 17;
const INT8_OID = 20;
const JSON_OID = 114;

/**
 * Opens a PostgreSQL database at the newest schema.
 *
 * @param alone  Takes the lock of the database's only coordinator and hears of its loss. Absent for tools
 *               that only read and for tests with several writers: no lock.
 * @throws Error that says what to do if the server is unreachable or older than 15, the database is not in
 *   UTF-8, its user may not create tables, or another coordinator has it.
 */
export async function openPostgres(
  databaseUrl: string,
  log: Log | undefined,
  alone?: InstanceEvents,
): Promise<OpenDatabase> {
  const connections = new Connections(databaseUrl, log);
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool: connections }) });
  let lock: InstanceLock | null = null;
  let wasMade: boolean;
  try {
    await checkServer(db);
    if (alone !== undefined) {
      lock = await takeInstanceLock(databaseUrl, shutWhileLost(connections, alone), log);
    }
    ({ wasMade } = await migrateOrSayWhy(db));
    // Another process may be the one that writes.
    if (alone !== undefined) {
      await recordEarlierRuns(db, (entered) => logEntered(log, entered));
      await recordEarlierCosts(db);
    }
  } catch (error) {
    await db.destroy();
    await lock?.close();
    throw error;
  }
  return {
    kind: "postgresql",
    db,
    wasMade,
    close: async () => {
      await db.destroy();
      await lock?.close();
    },
  };
}

function shutWhileLost(connections: Connections, alone: InstanceEvents): InstanceEvents {
  return {
    onLost: (reason) => {
      connections.shut(reason);
      alone.onLost(new ShutError(reason));
    },
    onRegained: () => {
      connections.open();
      alone.onRegained();
    },
    onTaken: alone.onTaken,
  };
}

/** A connection pool that can be shut: work under way fails and nothing new begins. */
class Connections {
  readonly #pool: pg.Pool;
  readonly #clients = new Set<pg.PoolClient>();
  #shutFor: Error | null = null;

  constructor(databaseUrl: string, log: Log | undefined) {
    this.#pool = new pg.Pool({
      connectionString: databaseUrl,
      max: CONNECTIONS_MAX,
      connectionTimeoutMillis: 10_000,
      keepAlive: true,
      types: { getTypeParser },
    });
    this.#pool.on("connect", (client) => {
      this.#clients.add(client);
      // The pool only listens to idle connections. Losing one in use would end the process.
      client.on("error", (error) => log?.warn({ error: error.message }, "a database connection was lost"));
    });
    this.#pool.on("remove", (client) => this.#clients.delete(client));
    // The connection's own listener logs it. Without this listener, losing an idle connection would end the
    // process.
    this.#pool.on("error", () => undefined);
  }

  /** Read by Kysely. */
  get options(): pg.PoolOptions {
    return this.#pool.options;
  }

  async connect(): Promise<pg.PoolClient> {
    this.#refuseWhileShut();
    const client = await this.#pool.connect();
    try {
      this.#refuseWhileShut();
    } catch (error) {
      client.release(true);
      throw error;
    }
    return client;
  }

  end(): Promise<void> {
    return this.#pool.end();
  }

  /** Cuts connections, because a statement stuck on a dead server would block its run until TCP gives up. */
  shut(reason: Error): void {
    this.#shutFor = reason;
    for (const client of this.#clients) (client as unknown as pg.Client).connection.stream.destroy();
  }

  open(): void {
    this.#shutFor = null;
  }

  #refuseWhileShut(): void {
    if (this.#shutFor !== null) throw new ShutError(this.#shutFor);
  }
}

/** Carries PostgreSQL's code for a missing connection, so that callers wait as for any lost one. */
class ShutError extends Error {
  readonly code = "08003";
  constructor(reason: Error) {
    super(`the database is away: ${reason.message}`, { cause: reason });
  }
}

/** @throws Error that says what to do if the server is away, older than 15 or its database is not in UTF-8. */
export async function checkServer(db: Kysely<Database>): Promise<void> {
  let server: { readonly version: number; readonly encoding: string; readonly database: string } | undefined;
  try {
    const { rows } = await sql<NonNullable<typeof server>>`
      select current_setting('server_version_num')::int as version, current_setting('server_encoding') as encoding,
        current_database() as database`.execute(db);
    server = rows[0];
  } catch (error) {
    throw new Error(
      `PostgreSQL does not answer at DATABASE_URL (${messageOf(error)}). Check its host, name and password, and that the server runs.`,
      { cause: error },
    );
  }
  const { version = 0, encoding = "", database = "" } = server ?? {};
  if (version < SERVER_VERSION_MIN) {
    throw new Error(`This server is PostgreSQL ${Math.floor(version / 10_000)}; Chorus needs 15 or later.`);
  }
  if (encoding !== "UTF8") {
    throw new Error(
      `The database ${database} is in ${encoding}; Chorus needs UTF8. Create one (createdb --encoding=UTF8 --template=template0 NAME) and name it in DATABASE_URL.`,
    );
  }
}

/** No right to a schema or its contents, or no schema on the search path. */
const NO_RIGHTS = ["42501", "3F000"];

async function migrateOrSayWhy(db: Kysely<Database>): Promise<{ readonly wasMade: boolean }> {
  try {
    return await migrate(db, migrationsFor("postgresql"));
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    if (!isErrorCode(cause, ...NO_RIGHTS)) throw error;
    const { rows } = await sql<{ name: string; database: string }>`
      select current_user as name, current_database() as database`.execute(db);
    const { name = "", database = "" } = rows[0] ?? {};
    throw new Error(
      `The user ${name} may not create or use tables in the database ${database} (${messageOf(cause)}). Since PostgreSQL 15 only a database's owner may. As the owner or a superuser: alter database ${database} owner to ${name}; or grant usage, create on schema public to ${name}; and let ${name} own what already exists.`,
      { cause: error },
    );
  }
}

/**
 * Types as SQLite returns them: int8 as a number (all of ours are below 2^53), bytea as plain bytes,
 * documents as text.
 */
export function getTypeParser(oid: number, format?: "text" | "binary") {
  if (format !== "binary" && oid === INT8_OID) return Number;
  if (format !== "binary" && oid === JSON_OID) return String;
  const parse = pg.types.getTypeParser(oid, format);
  return oid === BYTEA_OID ? (value: string) => Uint8Array.from(parse(value) as Buffer) : parse;
}
