import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { afterAll, describe, expect, test, vi } from "vitest";
import { openStore } from "#coordinator/adapters/database/open-store.ts";
import { InstanceLock } from "#coordinator/adapters/database/postgres-lock.ts";
import type { Store } from "#coordinator/core/ports/ports.ts";
import { storeTrouble } from "#coordinator/core/ports/store-trouble.ts";
import { event, newRunId, newSlug, runRecord, viewLike } from "#test/kit/store-contract/rows.ts";
import { startPostgres } from "#test/kit/worlds/postgres-server.ts";

/* One coordinator for each PostgreSQL database, and what happens to it while the server is away. */

const server = await startPostgres();
const scratch = await mkdtemp(join(tmpdir(), "chorus-alone-"));
afterAll(async () => {
  await server?.stop();
  await rm(scratch, { recursive: true, force: true });
});
/** Every database has its own data folder. */
const folderOf = (databaseUrl: string) => join(scratch, new URL(databaseUrl).pathname);

function watcher() {
  return { onLost: vi.fn(), onRegained: vi.fn(), onTaken: vi.fn() };
}

function gate() {
  let open = () => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, passed };
}

const stores: Store[] = [];
async function open(databaseUrl: string, alone = watcher()) {
  const store = await openStore({ dataDir: folderOf(databaseUrl), databaseUrl, alone });
  stores.push(store);
  return { store, alone };
}
afterAll(async () => {
  for (const store of stores) await store.close();
});

/** A database of a user who is not its owner. */
async function strangerIn(databaseUrl: string): Promise<string> {
  const name = `stranger_${Math.floor(performance.now())}`;
  await server?.query(`create role ${name} login password 'x'`);
  const url = new URL(databaseUrl);
  url.username = name;
  return url.href;
}

if (server === null) {
  test.skip("PostgreSQL: no server here, see above", () => undefined);
} else {
  /** Ends the sessions that hold a lock in this database. */
  const endSessions = (databaseUrl: string) =>
    server.query(
      "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())",
      databaseUrl,
    );
  const lockCount = async (databaseUrl: string): Promise<number> => {
    const client = new pg.Client({ connectionString: databaseUrl });
    await client.connect();
    const { rowCount } = await client.query(
      "select 1 from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())",
    );
    await client.end();
    return rowCount ?? 0;
  };

  describe("the one coordinator of a database", () => {
    test("[R42] a second one is refused with what to do, until the first has stopped", async () => {
      const databaseUrl = await server.createDatabase();
      const first = await openStore({ dataDir: folderOf(databaseUrl), databaseUrl, alone: watcher() });
      await expect(
        openStore({ dataDir: folderOf(databaseUrl), databaseUrl, alone: watcher() }),
      ).rejects.toThrow(
        /in use by another coordinator \(session \d+.*\)\. Stop that one first.*pg_terminate_backend/,
      );
      await first.close();
      const second = await openStore({ dataDir: folderOf(databaseUrl), databaseUrl, alone: watcher() });
      await second.close();
    });

    test("[L6] enters runs of an earlier version; a process beside it writes nothing as it opens", async () => {
      const databaseUrl = await server.createDatabase();
      const { store } = await open(databaseUrl);
      const [projectId, runId] = [newSlug(), newRunId()];
      const view = viewLike({
        ...{ code: null, endedBy: null, endedAt: null, roundsPlanned: 2, seed: 3, configHash: "ab" },
        ...{ strategy: { name: "fedavg" }, training: { epochs: 2, optimizer: { kind: "sgd" } } },
      });
      const records = [runRecord(runId, { projectId, view })];
      await store.append({ kind: "run", id: runId }, [{ event: event(1), records }]);
      await store.close();
      await server.query(
        "delete from tracking_param; delete from tracking_tag; delete from tracking_run",
        databaseUrl,
      );
      const beside = await openStore({ dataDir: folderOf(databaseUrl), databaseUrl });
      expect(await beside.findTrackedRun(projectId, runId)).toBeNull();
      const again = await open(databaseUrl);
      expect(await beside.findTrackedRun(projectId, runId)).toMatchObject({ run: { runId, isOwn: true } });
      await beside.close();
      await again.store.close();
    });

    test("[R42] a lock that is just being retaken is released if the store closes meanwhile", async () => {
      const databaseUrl = await server.createDatabase();
      const lock = new InstanceLock(databaseUrl, watcher(), undefined);
      await lock.takeFirst();
      const [held, asked] = [gate(), gate()];
      const query = pg.Client.prototype.query as (...parameters: unknown[]) => Promise<unknown>;
      function answeredLate(this: pg.Client, ...parameters: unknown[]): Promise<unknown> {
        const answer = query.apply(this, parameters);
        if (!String(parameters[0]).includes("pg_try_advisory_lock")) return answer;
        return answer.then(async (result) => {
          asked.open();
          await held.passed;
          return result;
        });
      }
      const spy = vi.spyOn(pg.Client.prototype, "query").mockImplementation(answeredLate as never);
      try {
        await endSessions(databaseUrl);
        await asked.passed;
        await lock.close();
        await expect.poll(() => lockCount(databaseUrl)).toBe(0);
      } finally {
        held.open();
        spy.mockRestore();
      }
      await expect.poll(() => lock.held).toBe(false);
    });

    test("[R42] two concurrent takes are one, and neither ends the other's session", async () => {
      const databaseUrl = await server.createDatabase();
      const events = watcher();
      const lock = new InstanceLock(databaseUrl, events, undefined);
      await Promise.all([lock.takeFirst(), lock.takeFirst()]);
      expect([lock.held, await lockCount(databaseUrl)]).toEqual([true, 1]);
      expect(events.onLost).not.toHaveBeenCalled();
      await lock.close();
      await expect.poll(() => lockCount(databaseUrl)).toBe(0);
    });

    test("[R42] a lock whose session ended is retaken; meanwhile nothing is read or written", async () => {
      const databaseUrl = await server.createDatabase();
      const { store, alone } = await open(databaseUrl);
      await endSessions(databaseUrl);
      await expect.poll(() => alone.onLost).toHaveBeenCalledOnce();
      const refused = await store.ping().catch((error: unknown) => error);
      expect(storeTrouble(refused)).toBe("away");
      await expect.poll(() => alone.onRegained).toHaveBeenCalledOnce();
      await store.ping();
      expect(alone.onTaken).not.toHaveBeenCalled();
      await expect(
        openStore({ dataDir: folderOf(databaseUrl), databaseUrl, alone: watcher() }),
      ).rejects.toThrow(/in use by another/);
    });

    test("[R42] another coordinator that came first keeps it: the old one is told, and stays closed", async () => {
      const databaseUrl = await server.createDatabase();
      const { store, alone } = await open(databaseUrl);
      // The newcomer is next in line for the lock when its holder's session ends.
      const newcomer = new pg.Client({ connectionString: databaseUrl });
      newcomer.on("error", () => undefined);
      await newcomer.connect();
      const { rows } = await newcomer.query(
        "select pid, (classid::bigint << 32 | objid::bigint)::text as key from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())",
      );
      const taking = newcomer.query("select pg_advisory_lock($1::bigint)", [rows[0].key]);
      await vi.waitFor(async () => {
        const waiting = "select 1 / count(*) from pg_locks where locktype = 'advisory' and not granted";
        await server.query(waiting, databaseUrl);
      }, 60_000);
      await server.query(`select pg_terminate_backend(${rows[0].pid})`);
      await taking;
      await expect.poll(() => alone.onTaken).toHaveBeenCalledOnce();
      expect(alone.onTaken.mock.calls[0]?.[0]).toMatch(
        /in use by another coordinator .* Stop that one first/,
      );
      expect(storeTrouble(await store.ping().catch((error: unknown) => error))).toBe("away");
      await newcomer.end();
    });

    test("a connection that is lost while in use ends only its transaction", async () => {
      const databaseUrl = await server.createDatabase();
      const { store } = await open(databaseUrl);
      const id = "a".repeat(32);
      const writing = Array.from({ length: 200 }, (_, index) =>
        store
          .append({ kind: "run", id }, [{ event: { sequence: index + 1, at: 0, event: {} }, records: [] }])
          .catch((e: unknown) => e),
      );
      await server.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and application_name = ''",
        databaseUrl,
      );
      const outcomes = await Promise.all(writing);
      expect(outcomes.some((outcome) => outcome instanceof Error)).toBe(true);
      await store.ping();
    });

    test.skipIf(server.outage === null)(
      "[R42] a server that is restarted is waited for, and its coordinator goes on",
      async () => {
        const databaseUrl = await server.createDatabase();
        const { store, alone } = await open(databaseUrl);
        await server.outage?.down();
        await expect.poll(() => alone.onLost).toHaveBeenCalledOnce();
        const outcomes = await Promise.all(
          Array.from({ length: 5 }, () => store.ping().catch((error: unknown) => error)),
        );
        expect(outcomes.map(storeTrouble)).toEqual(Array(5).fill("away"));
        await sleep(3_000);
        await server.outage?.up();
        await expect.poll(() => alone.onRegained).toHaveBeenCalledOnce();
        await store.ping();
        expect(alone.onTaken).not.toHaveBeenCalled();
      },
    );
  });

  describe("[R42] a server that hangs with its connections open", () => {
    test.skipIf(server.outage === null)("is noticed by its silence, and the lock is retaken", async () => {
      const databaseUrl = await server.createDatabase();
      const { store, alone } = await open(databaseUrl);
      await store.ping();
      await server.outage?.freeze();
      try {
        // A statement that nobody answers would hold its run for as long as TCP does.
        const hanging = store.ping().catch((error: unknown) => error);
        await expect.poll(() => alone.onLost).toHaveBeenCalledOnce();
        expect(storeTrouble(await hanging)).toBe("away");
        // A run that is told of it waits; anything else would count as its fault (R43).
        expect(storeTrouble(alone.onLost.mock.calls[0]?.[0])).toBe("away");
        expect(storeTrouble(await store.ping().catch((error: unknown) => error))).toBe("away");
      } finally {
        await server.outage?.thaw();
      }
      await expect.poll(() => alone.onRegained).toHaveBeenCalledOnce();
      await store.ping();
      expect(alone.onTaken).not.toHaveBeenCalled();
    });
  });

  describe("a database that cannot be used gets its own sentence at the start", () => {
    test("no right to make tables in the schema public", async () => {
      const databaseUrl = await strangerIn(await server.createDatabase());
      await expect(openStore({ dataDir: folderOf(databaseUrl), databaseUrl })).rejects.toThrow(
        /The user stranger_\d+ may not create or use tables in the database chorus_test_\w+ .*grant usage, create/,
      );
    });

    test("tables that belong to somebody else", async () => {
      const owned = await server.createDatabase();
      await (await openStore({ dataDir: folderOf(owned), databaseUrl: owned })).close();
      const databaseUrl = await strangerIn(owned);
      await expect(openStore({ dataDir: folderOf(databaseUrl), databaseUrl })).rejects.toThrow(
        /The user stranger_\d+ may not create or use tables/,
      );
    });

    test.each(["LATIN1", "SQL_ASCII"])(
      "an encoding that does not hold every character: %s",
      async (encoding) => {
        const databaseUrl = await server.createDatabase(
          `encoding '${encoding}' locale 'C' template template0`,
        );
        await expect(openStore({ dataDir: folderOf(databaseUrl), databaseUrl })).rejects.toThrow(
          new RegExp(`is in ${encoding}; Chorus needs UTF8\\. Create one \\(createdb --encoding=UTF8`),
        );
      },
    );
  });
}
