import { spawn, spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { cp, mkdtemp, open, readFile, rm, stat, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import type { Worker } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openStore } from "#coordinator/adapters/database/open-store.ts";
import { connect } from "#coordinator/adapters/database/sqlite/connection.ts";
import { openSqlite } from "#coordinator/adapters/database/sqlite/open-sqlite.ts";
import { openIntake } from "#coordinator/adapters/intake.ts";
import { openSpool } from "#coordinator/adapters/spool.ts";
import { storeTrouble } from "#coordinator/core/ports/store-trouble.ts";
import { primitives } from "#shared/node/system.ts";
import { positionNo } from "#test/kit/places.ts";
import { storeContract } from "#test/kit/store-contract/index.ts";
import { noteRecord, saveMaterial } from "#test/kit/store-contract/rows.ts";

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "chorus-sqlite-"));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

storeContract("SQLite", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "chorus-store-"));
  const store = await openStore({ dataDir });
  return {
    store,
    end: async () => {
      await store.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
});

const stream = { kind: "run", id: "a".repeat(32) } as const;
const event = (sequence: number) => ({ sequence, at: sequence, event: { sequence } });

const writerScript = fileURLToPath(new URL("../../../../kit/children/store-writer.ts", import.meta.url));

/** A process that writes until it is killed, and its lines as they arrive. */
function startWriter(dataDir: string, runId: string) {
  const child = spawn(process.execPath, [writerScript, dataDir, runId], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.on("data", (data: Buffer) => {
    output += data.toString();
  });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return {
    /** Only whole lines count: the kill may have torn the last one. */
    lines: () => output.split("\n").slice(0, -1),
    kill: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

describe("a killed coordinator", () => {
  test("[D8] has lost nothing that it acknowledged, and has no partial transaction", async () => {
    const dataDir = join(scratch, "killed");
    const runs: { runId: string; lines: string[] }[] = [];
    let acknowledged = 0;
    for (let attempt = 0; attempt < 8; attempt++) {
      const runId = randomBytes(16).toString("hex");
      const child = startWriter(dataDir, runId);
      const wanted = 5 + attempt * 4;
      while (child.lines().length < wanted) await new Promise((resolve) => setTimeout(resolve, 3));
      await child.kill();
      runs.push({ runId, lines: child.lines() });
      acknowledged += child.lines().length;
    }
    expect(acknowledged).toBeGreaterThan(100);

    const store = await openStore({ dataDir });
    const spool = await openSpool(join(dataDir, "spool"), primitives, openIntake());
    const leaves: { sequence: number; kind: string }[] = [];
    for (let cursor: string | undefined, more = true; more; ) {
      const page = await store.auditLeaves({ limit: 200, cursor });
      leaves.push(...page.items);
      cursor = page.next ?? undefined;
      more = page.next !== null;
    }
    expect(leaves.map((leaf) => leaf.sequence)).toEqual(leaves.map((_, index) => index + 1));
    for (const { runId, lines } of runs) {
      const sid = `${runId}${runId}`;
      const events = await store.readStream({ kind: "run", id: runId });
      const last = lines.filter((line) => line.startsWith("event ")).length;
      // The write in flight may have happened or not; in both cases it is complete or absent.
      expect([last, last + 1]).toContain(events.length);
      expect(events.map((stored) => stored.sequence)).toEqual(events.map((_, index) => index + 1));
      // Each event but the first has a leaf, written in its transaction.
      expect(leaves.filter((leaf) => leaf.kind === `leaf.${runId}`)).toHaveLength(
        Math.max(0, events.length - 1),
      );
      const inputs = await store.listInputs(sid);
      const material = await store.loadMaterial(sid, "share");
      for (const line of lines) {
        const [kind, position, sha256] = line.split(" ");
        if (kind === "material") expect(material.get(positionNo(Number(position)))?.length).toBe(3_000);
        if (kind === "input")
          expect(inputs.find((input) => input.position === Number(position))?.sha256).toBe(sha256);
      }
      // Nothing that a device sent is stored without its event.
      expect(inputs.length + material.size).toBe(Math.max(0, events.length - 1));
      for (const input of inputs) {
        const file = await readFile(spool.path(sid, input.position));
        expect(createHash("sha256").update(file).digest("hex")).toBe(input.sha256);
      }
    }
    await store.close();
  });

  test("[D8] while it created its database leaves one with which the next start continues", async () => {
    const dataDir = join(scratch, "killed-early");
    for (const delayMs of [40, 80, 120, 160, 200, 240]) {
      const child = startWriter(dataDir, "b".repeat(32));
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      await child.kill();
      if (child.lines().length > 0) break;
    }
    const store = await openStore({ dataDir });
    await store.ping();
    await store.close();
  });
});

describe("what a power cut leaves", () => {
  /** A database with `count` events that nobody closed: its contents are in its write-ahead log. */
  async function unclosed(name: string, count: number): Promise<string> {
    const dataDir = join(scratch, name);
    const store = await openStore({ dataDir });
    for (let sequence = 1; sequence <= count; sequence++)
      await store.append(stream, [{ event: event(sequence), records: [] }]);
    const copy = join(scratch, `${name}-copy`);
    await cp(dataDir, copy, { recursive: true });
    await store.close();
    expect((await stat(join(copy, "chorus.db-wal"))).size).toBeGreaterThan(10_000);
    return copy;
  }
  const read = async (dataDir: string) => {
    const store = await openStore({ dataDir });
    const events = await store.readStream(stream);
    await store.append(stream, [{ event: event(events.length + 1), records: [] }]);
    await store.close();
    return events;
  };

  test("[D8] each commit is on disk before it is acknowledged: SQLite says so itself", async () => {
    const path = join(scratch, "pragmas.db");
    const onLost = (error: Error) => {
      throw error;
    };
    const opened = await openSqlite({
      path,
      markPath: `${path}.mark`,
      projectId: "default",
      log: undefined,
      onLost,
    });
    expect(opened.pragmas).toMatchObject({
      journal_mode: "wal",
      synchronous: 2,
      fullfsync: 1,
      foreign_keys: 1,
      secure_delete: 1,
    });
    await opened.store.close();
    // The last connection to close moves the log into the file.
    await expect(stat(`${path}-wal`)).rejects.toThrow(/ENOENT/);
  });

  test("[D8] every table is STRICT", async () => {
    const dataDir = join(scratch, "strict");
    await (await openStore({ dataDir })).close();
    const database = new DatabaseSync(join(dataDir, "chorus.db"), { readOnly: true });
    const tables = database.prepare("pragma table_list").all() as { name: string; strict: number }[];
    const loose = tables.filter(({ name, strict }) => strict === 0 && !/^(sqlite_|kysely_)/.test(name));
    expect(loose).toEqual([]);
    expect(tables.length).toBeGreaterThan(15);
    database.close();
  });

  test("[D8] a torn end of the log loses what was not acknowledged, and nothing before it", async () => {
    const copy = await unclosed("torn", 20);
    const log = join(copy, "chorus.db-wal");
    // Half a frame more than what was synced, as left by a commit in progress.
    const file = await open(log, "a");
    await file.write(randomBytes(2_000));
    await file.close();
    expect(await read(copy)).toHaveLength(20);
  });

  test("[D8] a log that breaks off or is damaged ends before that transaction: everything before it is complete", async () => {
    const cut = await unclosed("cut", 20);
    const log = join(cut, "chorus.db-wal");
    await truncate(log, (await stat(log)).size - 100);
    await rm(join(cut, "chorus.position"), { force: true });
    const events = await read(cut);
    expect(events.length).toBeGreaterThanOrEqual(18);
    expect(events.map((stored) => stored.sequence)).toEqual(events.map((_, index) => index + 1));
  });

  test("[D8] what is deleted is overwritten in the file (S11)", async () => {
    const dataDir = join(scratch, "wiped");
    const secret = randomBytes(64);
    const store = await openStore({ dataDir });
    const sid = "c".repeat(64);
    await saveMaterial(store, sid, "unmask", 1, new Uint8Array(secret));
    await store.close();
    const holds = async () => (await readFile(join(dataDir, "chorus.db"))).includes(secret);
    expect(await holds()).toBe(true);
    const again = await openStore({ dataDir });
    await again.deleteMaterial(sid);
    expect(await holds()).toBe(false);
    // What was written and deleted since is not in the log either.
    await saveMaterial(again, sid, "unmask", 1, new Uint8Array(secret));
    const log = () => readFile(join(dataDir, "chorus.db-wal"));
    expect((await log()).includes(secret)).toBe(true);
    await again.deleteMaterial(sid);
    expect((await log()).includes(secret)).toBe(false);
    expect(await holds()).toBe(false);
    // A project's data goes in the same way.
    await again.saveEvidence(sid, { salt: new Uint8Array(32), words: new Uint8Array(secret) });
    expect((await log()).includes(secret)).toBe(true);
    await again.deleteProjectData("default");
    expect((await log()).includes(secret)).toBe(false);
    expect(await holds()).toBe(false);
    await again.close();
  });
});

describe("[D8] [S11] what is deleted while another connection reads", () => {
  const sid = "c".repeat(64);
  /** A reader that began before the deletion: until it ends, SQLite cannot empty the log. */
  async function deletedUnderReader(name: string) {
    const dataDir = join(scratch, name);
    const secret = randomBytes(64);
    const store = await openStore({ dataDir });
    await saveMaterial(store, sid, "unmask", 1, new Uint8Array(secret));
    const reader = new DatabaseSync(join(dataDir, "chorus.db"), { readOnly: true });
    reader.exec("begin");
    reader.prepare("select count(*) from material").get();
    await store.deleteMaterial(sid);
    const logHolds = async (folder = dataDir) =>
      (await readFile(join(folder, "chorus.db-wal")).catch(() => Buffer.alloc(0))).includes(secret);
    expect(await logHolds()).toBe(true);
    return { dataDir, store, reader, logHolds };
  }

  test("leaves the log once the reader is done, without another write", async () => {
    const { store, reader, logHolds } = await deletedUnderReader("reader-ends");
    reader.exec("commit");
    while (await logHolds()) await new Promise((resolve) => setTimeout(resolve, 50));
    // The connection that read is still open.
    reader.close();
    await store.close();
  });

  test("leaves the log at the close", async () => {
    const { store, reader, logHolds } = await deletedUnderReader("reader-stays");
    reader.exec("commit");
    await store.close();
    expect(await logHolds()).toBe(false);
    reader.close();
  });

  test("leaves the log at the next start if the process died before", async () => {
    const { dataDir, store, reader, logHolds } = await deletedUnderReader("died");
    const copy = join(scratch, "died-copy");
    await cp(dataDir, copy, { recursive: true });
    reader.close();
    await store.close();
    expect(await logHolds(copy)).toBe(true);
    const again = await openStore({ dataDir: copy });
    expect(await logHolds(copy)).toBe(false);
    await again.close();
  });
});

describe("SQLite's threads", () => {
  /** The threads that `open` starts, in order: the writing one, the reading one. */
  async function withThreads<T>(act: () => Promise<T>): Promise<{ value: T; threads: Worker[] }> {
    const threads: Worker[] = [];
    const note = (worker: Worker) => threads.push(worker);
    process.on("worker", note);
    const value = await act();
    process.off("worker", note);
    return { value, threads };
  }

  test("[D9] if the writing one ends by itself the owner is told, and no call waits forever", async () => {
    const dataDir = join(scratch, "lost");
    const told: Error[] = [];
    const { value: store, threads } = await withThreads(() =>
      openStore({ dataDir, onLost: (error) => told.push(error) }),
    );
    await store.append(stream, [{ event: event(1), records: [] }]);
    const waiting = [store.append(stream, [{ event: event(2), records: [] }]), store.nextRunNumber("digits")];
    const outcomes = Promise.allSettled(waiting);
    await threads[0]?.terminate();
    expect((await outcomes).at(-1)?.status).toBe("rejected");
    expect(told).toHaveLength(1);
    await expect(store.append(stream, [{ event: event(3), records: [] }])).rejects.toThrow(
      /thread of the database ended/,
    );
    await expect(store.ping()).rejects.toThrow(/ended/);
    await store.close();
    const again = await openStore({ dataDir });
    expect((await again.readStream(stream)).length).toBeGreaterThanOrEqual(1);
    await again.close();
  });

  test("[D9] the writing one ends the process with it, unless told otherwise", () => {
    const script = fileURLToPath(new URL("../../../../kit/children/store-lost.ts", import.meta.url));
    const child = spawnSync(process.execPath, [script, join(scratch, "lost-alone")], { encoding: "utf8" });
    expect(child.stderr).toMatch(/a thread of the database ended with code 1/);
    expect(child.stdout).toBe("");
    expect(child.status).not.toBe(0);
  });

  test("[D9] the reading one is started again", async () => {
    const { value: store, threads } = await withThreads(() =>
      openStore({ dataDir: join(scratch, "reader") }),
    );
    await store.append(stream, [{ event: event(1), records: [noteRecord("run.started")] }]);
    expect(await store.readNotes(stream)).toHaveLength(1);
    const cut = store.readNotes(stream).then(
      (notes) => notes.length,
      (error: Error) => error.message,
    );
    await threads[1]?.terminate();
    expect([1, "a thread of the database ended with code 1"]).toContain(await cut);
    expect(await store.readNotes(stream)).toHaveLength(1);
    await store.append(stream, [{ event: event(2), records: [] }]);
    await store.close();
  });

  test("[D9] the event loop stays free while the database works", async () => {
    const store = await openStore({ dataDir: join(scratch, "free") });
    const writes = Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        saveMaterial(store, "d".repeat(64), "share", index, new Uint8Array(50_000)),
      ),
    );
    let isDone = false;
    void writes.then(() => {
      isDone = true;
    });
    let turns = 0;
    while (!isDone) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      turns += 1;
    }
    expect(turns).toBeGreaterThan(20);
    await store.close();
  });

  test("[D9] [W10] no write, round, launch or device waits behind what people and auditors read", async () => {
    const store = await openStore({ dataDir: join(scratch, "overtaken") });
    const body = { text: "x".repeat(2_000) };
    const leaves = Array.from({ length: 3_000 }, () => ({ type: "audit-leaf", kind: "leaf", body }) as const);
    await store.append(stream, [{ event: event(1), records: leaves }]);
    const order: string[] = [];
    const calls = {
      append: () => store.append(stream, [{ event: event(2), records: [] }]),
      readStream: () => store.readStream(stream),
      findTask: () => store.findTask("digits"),
      findPlaces: () => store.findPlaces({ type: "task", id: "digits" }),
      findEnrolments: () => store.findEnrolments("d".repeat(64)),
      findSession: () => store.findAuthRecords("session", [], { limit: 1 }),
      findRun: () => store.findRun(stream.id),
      findRound: () => store.findRound(stream.id),
      findInput: () => store.findInput("d".repeat(64), positionNo(1)),
      listTranscripts: () => store.listTranscripts(),
    };
    const reads = Array.from({ length: 16 }, () =>
      store.auditLeaves({ limit: 3_000 }).then(() => order.push("read by people")),
    );
    for (const [name, call] of Object.entries(calls)) await call().then(() => order.push(name));
    await Promise.all(reads);
    expect(order.slice(0, -1)).toEqual(expect.arrayContaining(Object.keys(calls)));
    expect(order.at(-1)).toBe("read by people");
    await store.close();
  });

  test("[D9] an error keeps its type between threads", async () => {
    const dataDir = join(scratch, "errors");
    const store = await openStore({ dataDir });
    const fault = await store
      .append(stream, [{ event: event(3), records: [] }])
      .catch((error: unknown) => error);
    expect(fault).toMatchObject({ message: expect.stringMatching(/follows 0/) });
    expect(storeTrouble(fault)).toBeNull();
    // Another program holds the write lock for longer than SQLite waits.
    const other = new DatabaseSync(join(dataDir, "chorus.db"));
    other.exec("begin immediate");
    const busy = await store
      .append(stream, [{ event: event(1), records: [] }])
      .catch((error: unknown) => error);
    expect(busy).toMatchObject({ code: "ERR_SQLITE_ERROR", errcode: 5 });
    expect(storeTrouble(busy)).toBe("away");
    expect(await store.readStream(stream)).toEqual([]);
    other.exec("rollback");
    other.close();
    expect((await store.append(stream, [{ event: event(1), records: [] }])).ok).toBe(true);
    await store.close();
  });
});

test("[S11] emptying the log never throws, because a timer of the store's thread may ask for it after the end", () => {
  const connection = connect(join(scratch, "closed.sqlite"), "write");
  expect(connection.emptyLog()).toBe(true);
  connection.close();
  expect(connection.emptyLog()).toBe(false);
});
