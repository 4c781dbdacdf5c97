import { execFileSync, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Worker } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openStore } from "#coordinator/adapters/database/open-store.ts";
import { takeLock } from "#coordinator/adapters/database/pglite/lock.ts";
import { openSpool } from "#coordinator/adapters/spool.ts";
import { primitives } from "#coordinator/adapters/system.ts";

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "chorus-embedded-"));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const stream = { kind: "run", id: "a".repeat(32) } as const;
const event = (sequence: number) => ({ sequence, at: sequence, event: { sequence } });

const writerScript = fileURLToPath(new URL("../kit/children/store-writer.ts", import.meta.url));

/** A process that writes until it is killed, and its lines as they come. */
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
    /** Only whole lines count: the last may be torn by the kill. */
    lines: () => output.split("\n").slice(0, -1),
    kill: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

describe("a killed coordinator", () => {
  test("has lost nothing that it acknowledged, and half a transaction is none", async () => {
    const dataDir = join(scratch, "killed");
    const runs: { runId: string; lines: string[] }[] = [];
    let acknowledged = 0;
    for (let attempt = 0; attempt < 8; attempt++) {
      // The stale lock of the one before is taken over each time.
      const runId = randomBytes(16).toString("hex");
      const child = startWriter(dataDir, runId);
      const wanted = 5 + attempt * 4;
      while (child.lines().length < wanted) await new Promise((resolve) => setTimeout(resolve, 3));
      await child.kill();
      runs.push({ runId, lines: child.lines() });
      acknowledged += child.lines().length;
    }
    expect(acknowledged).toBeGreaterThan(100);

    const store = await openStore({ dataDir, snapshotEveryMs: null });
    const spool = await openSpool(join(dataDir, "spool"), primitives);
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
      // The one in flight may have been written or not; either way it is whole.
      expect([last, last + 1]).toContain(events.length);
      expect(events.map((stored) => stored.sequence)).toEqual(events.map((_, index) => index + 1));
      // Each event but the first came with a leaf, in its transaction.
      expect(leaves.filter((leaf) => leaf.kind === `leaf.${runId}`)).toHaveLength(
        Math.max(0, events.length - 1),
      );
      const inputs = await store.listInputs(sid);
      const material = await store.loadMaterial(sid, "share");
      for (const line of lines) {
        const [kind, position, sha256] = line.split(" ");
        if (kind === "material") expect(material.get(Number(position))?.length).toBe(3_000);
        if (kind === "input")
          expect(inputs.find((input) => input.position === Number(position))?.sha256).toBe(sha256);
      }
      for (const input of inputs) {
        const file = await readFile(spool.path(sid, input.position));
        expect(createHash("sha256").update(file).digest("hex")).toBe(input.sha256);
      }
    }
    await store.close();
  });

  test("while it made its database leaves none, and the next start makes it", async () => {
    const dataDir = join(scratch, "killed-early");
    for (const delayMs of [150, 300, 500, 800]) {
      const child = startWriter(dataDir, "b".repeat(32));
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      await child.kill();
    }
    const store = await openStore({ dataDir, snapshotEveryMs: null });
    await store.ping();
    expect(existsSync(join(dataDir, "database.new"))).toBe(false);
    await store.close();
  });
});

describe("the lock", () => {
  test("keeps a second process out, and says what to do", async () => {
    const dataDir = join(scratch, "locked");
    const child = startWriter(dataDir, "c".repeat(32));
    while (child.lines().length < 1) await new Promise((resolve) => setTimeout(resolve, 20));
    await expect(openStore({ dataDir })).rejects.toThrow(
      /in use by process \d+\. Stop it first \(kill \d+\), or .* --data/,
    );
    await child.kill();
    const store = await openStore({ dataDir, snapshotEveryMs: null });
    await expect(openStore({ dataDir })).rejects.toThrow(/in use by this process itself/);
    await store.close();
    expect(existsSync(join(dataDir, "database.lock"))).toBe(false);
  });

  test("of a process whose id was given to another is stale", async () => {
    const path = join(scratch, "reused.lock");
    await writeFile(path, JSON.stringify({ pid: process.pid, startedAt: "another boot 1", token: "t" }));
    const giveBack = await takeLock(path);
    expect(JSON.parse(await readFile(path, "utf8"))).toMatchObject({ pid: process.pid });
    await giveBack();
    expect(existsSync(path)).toBe(false);
  });

  test.each(["", "{", '{"pid":0}'])("that is unreadable (%j) is taken over", async (text) => {
    const path = join(scratch, "unreadable.lock");
    await writeFile(path, text);
    const giveBack = await takeLock(path);
    await giveBack();
  });

  test("that is stale is taken over by one of many", async () => {
    const path = join(scratch, "raced.lock");
    for (let attempt = 0; attempt < 20; attempt++) {
      await writeFile(path, JSON.stringify({ pid: 2 ** 22 + 1, startedAt: "gone", token: String(attempt) }));
      const taken = await Promise.allSettled(Array.from({ length: 8 }, () => takeLock(path)));
      const won = taken.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
      expect(won).toHaveLength(1);
      await won[0]?.();
    }
    const left = (await readdir(scratch)).filter((name) => name.startsWith("raced.lock"));
    expect(left).toEqual([]);
  });
});

describe("snapshots", () => {
  test("are taken now and then and at the close, where something was written, and three are kept", async () => {
    const dataDir = join(scratch, "snapshots");
    const newest = async () =>
      Number.parseInt((await readdir(join(dataDir, "snapshots")).catch(() => [])).at(-1) ?? "0", 10);
    const store = await openStore({ dataDir, snapshotEveryMs: 20 });
    let sequence = 0;
    // Writes go on beside the snapshots.
    while ((await newest()) < 4) await store.append(stream, event(++sequence), []);
    await store.close();
    const last = await newest();
    const kept = [last - 2, last - 1, last].map((number) => `${String(number).padStart(8, "0")}.tar.gz`);
    expect(await readdir(join(dataDir, "snapshots"))).toEqual(kept);
    const reader = await openStore({ dataDir });
    expect(await reader.readStream(stream)).toHaveLength(sequence);
    await reader.close();
    expect(await newest()).toBe(last);
  });

  test("are what a broken database goes back to, by the command that the error names", async () => {
    const dataDir = join(scratch, "broken");
    const store = await openStore({ dataDir });
    await store.append(stream, event(1), []);
    await store.close();
    await rename(join(dataDir, "database", "global"), join(dataDir, "lost"));
    const refused = await openStore({ dataDir }).then(
      () => "",
      (error: Error) => error.message,
    );
    expect(refused).toMatch(/does not open .* power cut/);
    const command = /go back to the newest snapshot: (.*)$/.exec(refused)?.[1] ?? "false";
    execFileSync("sh", ["-c", command]);
    const restored = await openStore({ dataDir, snapshotEveryMs: null });
    expect(await restored.readStream(stream)).toEqual([event(1)]);
    await restored.close();
  });

  test("that cannot be written are a warning, and the database goes on", async () => {
    const dataDir = join(scratch, "no-room");
    await mkdir(dataDir);
    await writeFile(join(dataDir, "snapshots"), "a file is in the way");
    const warnings: string[] = [];
    const log = {
      info: () => undefined,
      warn: (_: object, text: string) => warnings.push(text),
      error: () => undefined,
    };
    const store = await openStore({ dataDir, log });
    await store.append(stream, event(1), []);
    await store.close();
    expect(warnings).toEqual(["no snapshot of the database could be taken"]);
    const reader = await openStore({ dataDir, snapshotEveryMs: null });
    expect(await reader.readStream(stream)).toHaveLength(1);
    await reader.close();
  });
});

describe("the database's thread", () => {
  test("that ends by itself is told, and no call waits for ever", async () => {
    const workers: Worker[] = [];
    const note = (worker: Worker) => workers.push(worker);
    process.on("worker", note);
    const dataDir = join(scratch, "lost");
    const told: Error[] = [];
    const store = await openStore({ dataDir, snapshotEveryMs: null, onLost: (error) => told.push(error) });
    process.off("worker", note);
    await store.append(stream, event(1), []);
    const waiting = [store.append(stream, event(2), []), store.ping(), store.readStream(stream)];
    const outcomes = Promise.allSettled(waiting);
    await workers.at(-1)?.terminate();
    expect((await outcomes).at(-1)?.status).toBe("rejected");
    expect(told).toHaveLength(1);
    await expect(store.append(stream, event(3), [])).rejects.toThrow(/thread of the embedded database ended/);
    await expect(store.ping()).rejects.toThrow(/ended/);
    await store.close();
    const again = await openStore({ dataDir, snapshotEveryMs: null });
    expect((await again.readStream(stream)).length).toBeGreaterThanOrEqual(1);
    await again.close();
  });

  test("keeps the event loop free while the database works", async () => {
    const store = await openStore({ dataDir: join(scratch, "free"), snapshotEveryMs: null });
    const writes = Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        store.saveMaterial("d".repeat(64), "share", index, new Uint8Array(50_000)),
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
    // In its own thread the loop would have turned no more often than the database answered.
    expect(turns).toBeGreaterThan(20);
    await store.close();
  });
});
