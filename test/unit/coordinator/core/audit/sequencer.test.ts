import { describe, expect, test } from "vitest";
import type { Sequencer } from "#coordinator/core/audit/sequencer.ts";
import type { LeafStore } from "#coordinator/core/ports/leaf-store.ts";
import type { LogFiles } from "#coordinator/core/ports/public-log.ts";
import { webCryptoPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { localSigner } from "#shared/crypto/signature.ts";
import { parseCheckpoint } from "#shared/tlog/checkpoint.ts";
import { rotationBody } from "#shared/tlog/key-rotation.ts";
import { encodeLeaf } from "#shared/tlog/leaf.ts";
import { verifyLogProof } from "#shared/tlog/log-proof.ts";
import type { TreeHead } from "#shared/tlog/tree.ts";
import { type MemoryDatabase, memoryDatabase } from "#test/kit/fakes/memory-database.ts";
import { memoryLeaves } from "#test/kit/fakes/memory-leaves.ts";
import { type MemoryLogDisk, memoryLogDisk, memoryLogFiles } from "#test/kit/fakes/memory-log-files.ts";
import { LOG_ORIGIN, logSigner, openTestLog } from "#test/kit/worlds/public-log.ts";

const primitives = webCryptoPrimitives(crypto.subtle);
const AT = 1_700_000_000_000;
const roundId = (index: number) => index.toString(16).padStart(32, "0");
const leaf = (index: number) => {
  return {
    kind: "round.aborted",
    body: { version: 1, roundId: roundId(index), code: "TEST", opened: false },
  };
};

/** What survives a restart. */
interface Durable {
  readonly db: MemoryDatabase;
  readonly disk: MemoryLogDisk;
}
const durable = (): Durable => ({ db: memoryDatabase(), disk: memoryLogDisk() });
const storeOf = ({ db }: Durable): LeafStore => memoryLeaves(db, async () => {});
const stage = (at: Durable, begin: number, count: number) =>
  storeOf(at).stageLeaves(
    Array.from({ length: count }, (_, index) => leaf(begin + index)),
    AT,
  );
const open = (at: Durable, change: Parameters<typeof openTestLog>[1] = {}) =>
  openTestLog(storeOf(at), { files: memoryLogFiles(at.disk), ...change });

/** Verifies leaf `index` and what was seen before, as a device does. @returns The newest tree. */
async function verified(log: Sequencer, seen: TreeHead | null, index: number): Promise<TreeHead> {
  const proof = await log.proof({ from: seen?.size ?? null, leaves: [index] });
  if (!proof.ok) throw new Error(proof.error.type);
  const known = { origin: LOG_ORIGIN, key: logSigner.publicKey, seen };
  const checked = await verifyLogProof(primitives, proof.value, known);
  expect(checked).toMatchObject({ ok: true, value: { leaves: [{ facts: { roundId: roundId(index) } }] } });
  if (!checked.ok) throw new Error(checked.error.type);
  const { size, root } = checked.value.checkpoint;
  return { size, root };
}

async function halts(log: Sequencer): Promise<string> {
  await expect.poll(() => log.state().type).toBe("halted");
  expect(await log.covers(10_000)).toBe(false);
  const state = log.state();
  await log.stop();
  return state.type === "halted" ? state.sentence : "";
}

describe("[A35] the sequencer", () => {
  test("takes the backlog, then what is staged, and proves all of it from one checkpoint to the next", async () => {
    const at = durable();
    await stage(at, 0, 300);
    const log = open(at);
    expect(await log.covers(299)).toBe(true);
    const first = await verified(log, null, 7);
    expect(await log.find("round.aborted", roundId(299))).toBe(299);
    expect(await log.find("round.aborted", roundId(301))).toBeNull();
    await stage(at, 300, 2_000);
    expect(await log.find("round.aborted", roundId(301))).toBe(301);
    expect(await log.covers(2_299)).toBe(true);
    const second = await verified(log, first, 2_299);
    expect(second.size).toBe(2_300);
    expect(await log.isHead(first)).toBe(true);
    expect(await log.isHead({ ...first, size: 299 })).toBe(false);
    expect(await log.isHead({ ...second, size: 2_301 })).toBe(false);
    expect(await log.proof({ from: null, leaves: [2_300] })).toEqual({
      ok: false,
      error: { type: "not-covered" },
    });
    await log.stop();
    expect(await log.covers(2_300)).toBe(false);
  });

  test("a device that has seen more than the log has is shown no way there", async () => {
    const at = durable();
    await stage(at, 0, 3);
    const log = open(at);
    await log.covers(2);
    const proof = await log.proof({ from: 9, leaves: [0] });
    const seen = { size: 9, root: new Uint8Array(32) };
    const known = { origin: LOG_ORIGIN, key: logSigner.publicKey, seen };
    expect(proof.ok && (await verifyLogProof(primitives, proof.value, known))).toMatchObject({
      ok: false,
      error: { type: "rolled-back" },
    });
    await log.stop();
  });

  test("waits for a disk that is full, and goes on", async () => {
    const at = durable();
    await stage(at, 0, 3);
    let isFull = true;
    const files = memoryLogFiles(at.disk);
    const write: LogFiles["write"] = async (written) => {
      if (isFull) throw Object.assign(new Error("full"), { code: "ENOSPC" });
      return files.write(written);
    };
    const log = open(at, { files: { ...files, write } });
    const covered = log.covers(2);
    await expect.poll(() => log.state()).toMatchObject({ type: "waiting", sentence: /full/ });
    isFull = false;
    expect(await covered).toBe(true);
    await log.stop();
  });

  test("asks a full disk no more often because many wait for it, and forgets who waits no more", async () => {
    const at = durable();
    await stage(at, 0, 3);
    let tries = 0;
    const files = memoryLogFiles(at.disk);
    const write: LogFiles["write"] = async () => {
      tries += 1;
      throw Object.assign(new Error("full"), { code: "ENOSPC" });
    };
    const delays: number[] = [];
    const after = (delayMs: number) => {
      delays.push(delayMs);
      return () => {};
    };
    const log = open(at, { files: { ...files, write }, after });
    await expect.poll(() => log.state().type).toBe("waiting");
    expect([tries, delays.length]).toEqual([1, 1]);
    const late = new AbortController();
    const answers = [
      log.covers(0, { signal: late.signal }),
      log.covers(1, { signal: late.signal }),
      log.covers(2),
    ];
    await sleep(20);
    expect([tries, delays.length]).toEqual([1, 1]);
    late.abort();
    expect(await Promise.all(answers.slice(0, 2))).toEqual([false, false]);
    expect(await Promise.race([answers[2], sleep(5).then(() => "waits")])).toBe("waits");
    await log.stop();
    expect(await answers[2]).toBe(false);
  });

  test("[A37] shows only tiles and bundles that the published head has, though more are written", async () => {
    const at = durable();
    await stage(at, 0, 200);
    const [files, store] = [memoryLogFiles(at.disk), storeOf(at)];
    let isAway = false;
    const log = openTestLog(
      {
        ...store,
        moveLogHead: async (...moved) => {
          if (isAway) throw new Error("away");
          return store.moveLogHead(...moved);
        },
      },
      { files },
    );
    expect(await log.covers(199)).toBe(true);
    const growing = ["tile/0/000.p/200", "tile/entries/000.p/200"];
    const before = await Promise.all(growing.map((path) => log.file(path)));
    expect(before.every((bytes) => bytes !== null)).toBe(true);
    isAway = true;
    await stage(at, 200, 100);
    const full = ["tile/0/000", "tile/entries/000", "tile/1/000.p/1"];
    await expect.poll(() => full.filter((path) => at.disk.files.has(path))).toEqual(full);
    // As the folder does.
    for (const path of growing) at.disk.files.delete(path);
    for (const path of full) expect(await log.file(path)).toBeNull();
    expect(await Promise.all(growing.map((path) => log.file(path)))).toEqual(before);
    expect(await log.file("tile/0/000.p/201")).toBeNull();
    isAway = false;
    expect(await log.covers(299)).toBe(true);
    for (const path of full) expect(await log.file(path)).toEqual(at.disk.files.get(path));
    expect(await log.file("checkpoint")).toBeNull();
    await log.stop();
  });

  test("hands over to the next key by a leaf that the key before has signed", async () => {
    const at = durable();
    await stage(at, 0, 5);
    const next = localSigner(new Uint8Array(32).fill(42));
    const log = open(at, { signers: [logSigner, next] });
    await log.covers(4);
    const seen = await verified(log, null, 0);
    const body = await rotationBody(logSigner, LOG_ORIGIN, next.publicKey);
    const rotated = await storeOf(at).stageLeaves(
      [{ kind: "log.keyRotated", body: Object.assign({ version: 1 }, body) }],
      AT,
    );
    await log.covers(rotated - 1);
    expect(log.rotations()).toEqual([5]);
    await verified(log, seen, 3);
    await log.stop();
    // From then on the first key is not needed, and alone it is not enough.
    const after = open(at, { signers: [next] });
    await stage(at, 6, 1);
    expect(await after.covers(6)).toBe(true);
    await after.stop();
    await stage(at, 7, 1);
    expect(await halts(open(at, { signers: [logSigner] }))).toMatch(/log\.key/);
  });
});

describe("[A36] a start of the log", () => {
  /** Ends the process before the `step`th write of any kind, for good. */
  function killedAt(at: Durable, step: number) {
    let writes = 0;
    const dies = <Arguments extends readonly unknown[], Value>(
      act: (...given: Arguments) => Promise<Value>,
    ): ((...given: Arguments) => Promise<Value>) => {
      return async (...given) => {
        if (++writes >= step) return new Promise<never>(() => {});
        return act(...given);
      };
    };
    const [store, files] = [storeOf(at), memoryLogFiles(at.disk)];
    const writeOne = dies(files.write);
    return {
      store: { ...store, moveLogHead: dies(store.moveLogHead), importLeaves: dies(store.importLeaves) },
      files: {
        ...files,
        // Each file is a step of its own.
        write: async (written: Parameters<LogFiles["write"]>[0]) => {
          for (const file of written) await writeOne([file]);
        },
        publish: dies(files.publish),
      },
      isDead: () => writes >= step,
    };
  }

  test("after a kill at any write goes on from the last checkpoint that anyone can have seen", async () => {
    const batches = [200, 100, 300];
    let hasEnded = false;
    for (let step = 1; !hasEnded; step++) {
      const at = durable();
      let seen: TreeHead | null = null;
      const killed = killedAt(at, step);
      const log = openTestLog(killed.store, { files: killed.files });
      let count = 0;
      for (const batch of batches) {
        await stage(at, count, batch);
        count += batch;
        const covered = log.covers(count - 1);
        await expect
          .poll(async () => killed.isDead() || (await Promise.race([covered, sleep(5)])))
          .toBe(true);
        if (killed.isDead()) break;
        seen = await verified(log, seen, count - 1);
      }
      hasEnded = !killed.isDead();
      // What anyone can have fetched when it died.
      const shownBy = at.disk.checkpoints[0];
      const next = open(at);
      await stage(at, count, 1);
      expect(await next.covers(count)).toBe(true);
      const published = at.disk.checkpoints[0];
      const shown = shownBy === undefined ? null : parseCheckpoint(`${shownBy.split("\n\n")[0]}\n`);
      if (shown !== null) expect(shown.ok && (await next.isHead(shown.value))).toBe(true);
      expect(published).not.toBe(shownBy);
      const head = await verified(next, seen, count);
      expect(head.size).toBe(count + 1);
      await next.stop();
      expect(step).toBeLessThan(60);
    }
  });

  test("with an earlier database takes back its leaves from the bundles, and does not fork", async () => {
    const at = durable();
    await stage(at, 0, 700);
    const log = open(at);
    await log.covers(699);
    const seen = await verified(log, null, 0);
    await log.stop();
    for (const kept of [0, 1, 255, 256, 500, 700]) {
      const restored: Durable = { db: memoryDatabase(), disk: at.disk };
      const copy = structuredClone(at.disk);
      Object.assign(restored, { disk: copy });
      restored.db.leaves.push(...at.db.leaves.slice(0, kept));
      const again = open(restored);
      await expect.poll(() => again.state().type).toBe("signing");
      expect(restored.db.leaves).toEqual(at.db.leaves);
      await stage(restored, 700, 1);
      expect(await again.covers(700)).toBe(true);
      await verified(again, seen, 700);
      await again.stop();
    }
  });

  /** A log of 700, and its database as it was when the log had 300 and `staged` more waited; then `own` more were written. */
  async function restored(staged: number, own: readonly Parameters<LeafStore["stageLeaves"]>[0][number][]) {
    const at = durable();
    await stage(at, 0, 300);
    const log = open(at);
    await log.covers(299);
    const head = structuredClone(at.db.logHeads);
    await stage(at, 300, 400);
    await log.covers(699);
    const seen = await verified(log, null, 699);
    await log.stop();
    const back: Durable = { db: memoryDatabase(), disk: structuredClone(at.disk) };
    back.db.logHeads.push(...head);
    back.db.leaves.push(...at.db.leaves.slice(0, 300 + staged));
    await storeOf(back).stageLeaves(own, AT + 1);
    return { back, at, seen };
  }

  test.each([
    ["fewer", 0, 3],
    ["fewer, after some that the log has", 77, 3],
    ["more", 12, 900],
  ])(
    "[A107] of a restored database that was written to, its %s own entries come after the log's",
    async (_, staged, count) => {
      const own = Array.from({ length: count }, (__, index) => leaf(10_000 + index));
      const { back, at, seen } = await restored(staged, own);
      const log = open(back);
      expect(await log.covers(700 + count - 1)).toBe(true);
      const written = (leaves: MemoryDatabase["leaves"]) => leaves.map(({ kind, body }) => ({ kind, body }));
      expect(written(back.db.leaves)).toEqual([...written(at.db.leaves), ...own]);
      const proof = await log.proof({ from: seen.size, leaves: [700] });
      const known = { origin: LOG_ORIGIN, key: logSigner.publicKey, seen };
      expect(proof.ok && (await verifyLogProof(primitives, proof.value, known))).toMatchObject({
        ok: true,
        value: { leaves: [{ facts: { roundId: roundId(10_000) } }] },
      });
      await log.stop();
    },
  );

  test("[A107] moves no entry that a checkpoint has, none of a log whose past is unknown, and no rotation", async () => {
    const own = [leaf(10_000)];
    // Under the database's own head.
    const changed = (await restored(0, own)).back;
    changed.db.leaves[299] = { ...leaf(9_999), at: AT };
    expect(await halts(open(changed))).toMatch(/entry 299 is another/);
    await expect(storeOf(changed).importLeaves([{ sequence: 300, at: AT, ...leaf(1) }], 2)).rejects.toThrow(
      /under the head/,
    );
    // Without a head, nothing says that both are of one history.
    const headless = (await restored(0, own)).back;
    headless.db.logHeads.length = 0;
    expect(await halts(open(headless))).toMatch(/entry 300 is another/);
    const body = await rotationBody(
      logSigner,
      LOG_ORIGIN,
      localSigner(new Uint8Array(32).fill(42)).publicKey,
    );
    const rotated = { kind: "log.keyRotated", body: Object.assign({ version: 1 }, body) };
    const handed = (await restored(0, [...own, rotated])).back;
    const before = structuredClone(handed);
    expect(await halts(open(handed))).toMatch(/entry 300 is another/);
    expect(handed).toEqual(before);
  });

  test("with a database of another history signs nothing", async () => {
    const at = durable();
    await stage(at, 0, 40);
    const log = open(at);
    await log.covers(39);
    await log.stop();
    const other: Durable = { db: memoryDatabase(), disk: structuredClone(at.disk) };
    await stage(other, 0, 39);
    await stage(other, 1_000, 2);
    expect(await halts(open(other))).toMatch(/entry 39 is another/);
    expect(other.disk).toEqual(at.disk);
  });

  test("[O50] signs nothing before all files are checked, and a stop does not wait for the check", async () => {
    const at = durable();
    await stage(at, 0, 3);
    const before = open(at);
    expect(await before.covers(2)).toBe(true);
    await before.stop();
    await stage(at, 3, 1);
    let allow = () => {};
    const held = new Promise<null>((resolve) => {
      allow = () => resolve(null);
    });
    const check = { run: () => held, close: async () => {} };
    const log = open(at, { check });
    await expect.poll(() => log.head()?.size).toBe(3);
    const covered = log.covers(3);
    expect(log.state()).toEqual({ type: "starting" });
    allow();
    expect(await covered).toBe(true);
    await log.stop();

    await stage(at, 4, 1);
    let end = () => {};
    const ended = new Promise<null>((_, reject) => {
      end = () => reject(new Error("closed"));
    });
    const stopped = open(at, { check: { run: () => ended, close: async () => end() } });
    const never = stopped.covers(4);
    await expect.poll(() => stopped.head()?.size).toBe(4);
    await stopped.stop();
    expect(await never).toBe(false);
  });

  test("with a file that is torn, changed or gone signs nothing, and names it", async () => {
    const at = durable();
    await stage(at, 0, 600);
    const log = open(at);
    await log.covers(599);
    await log.stop();
    const newest = [...at.disk.files.keys()].filter(
      (path) => !/\.p\//.test(path) || /\.p\/(88|2)$/.test(path),
    );
    expect(newest).toHaveLength(7);
    for (const path of newest)
      for (const how of ["gone", "torn", "flipped"] as const) {
        const bad: Durable = { db: at.db, disk: structuredClone(at.disk) };
        const bytes = bad.disk.files.get(path) ?? new Uint8Array(0);
        if (how === "gone") bad.disk.files.delete(path);
        if (how === "torn") bad.disk.files.set(path, bytes.slice(0, -1));
        if (how === "flipped") bad.disk.files.set(path, bytes.with(9, (bytes[9] ?? 0) ^ 1));
        expect(await halts(open(bad))).toMatch(/tile\/.*is (missing|damaged)/);
      }
    const forged: Durable = { db: at.db, disk: structuredClone(at.disk) };
    forged.disk.checkpoints[0] = (forged.disk.checkpoints[0] ?? "").replace("600", "599");
    expect(await halts(open(forged))).toMatch(/checkpoint is damaged/);
  });

  test("of a copy that may not be the newest signs nothing", async () => {
    const at = durable();
    await stage(at, 0, 4);
    const files = { ...memoryLogFiles(at.disk), doubt: async () => "It was restored." };
    expect(await halts(open(at, { files }))).toBe("It was restored.");
    expect(at.disk.checkpoints).toEqual([]);
  });

  test("of a second sequencer ends the one that comes too late", async () => {
    const at = durable();
    await stage(at, 0, 4);
    const [store, files] = [storeOf(at), memoryLogFiles(at.disk)];
    const late = openTestLog({ ...store, moveLogHead: async () => false }, { files });
    expect(await halts(late)).toMatch(/Another coordinator/);
  });

  test("gives leaves from before they had a time to the log as they were", async () => {
    const at = durable();
    const { kind, body } = leaf(0);
    at.db.leaves.push({ kind, at: null, body });
    const log = open(at);
    expect(await log.covers(0)).toBe(true);
    const proof = await log.proof({ from: null, leaves: [0] });
    expect(proof.ok && proof.value.leaves[0]?.leaf).toEqual(encodeLeaf(kind, null, body));
    await verified(log, null, 0);
    await log.stop();
  });
});

const sleep = (ms: number) => new Promise<false>((resolve) => setTimeout(() => resolve(false), ms));
