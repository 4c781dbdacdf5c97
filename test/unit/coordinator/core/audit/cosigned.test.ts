import { describe, expect, test } from "vitest";
import { type Sequencer, seenOf } from "#coordinator/core/audit/sequencer.ts";
import type { LeafStore } from "#coordinator/core/ports/leaf-store.ts";
import { present } from "#shared/kernel/assert.ts";
import { primitives } from "#shared/node/system.ts";
import { openCheckpoint } from "#shared/tlog/checkpoint.ts";
import { verifyLogProof } from "#shared/tlog/log-proof.ts";
import { formatVerifierKey, SIGNATURE_TYPES, verifierKey } from "#shared/tlog/note.ts";
import { ManualClock } from "#test/kit/fakes/manual-clock.ts";
import { type MemoryDatabase, memoryDatabase } from "#test/kit/fakes/memory-database.ts";
import { memoryLeaves } from "#test/kit/fakes/memory-leaves.ts";
import { type MemoryLogDisk, memoryLogDisk, memoryLogFiles } from "#test/kit/fakes/memory-log-files.ts";
import { LOG_ORIGIN, logSigner, openTestLog } from "#test/kit/worlds/public-log.ts";
import { TestWitness, WITNESS_TIME_S } from "#test/kit/worlds/witnesses.ts";

const logKey = await verifierKey(primitives, LOG_ORIGIN, SIGNATURE_TYPES.ed25519, logSigner.publicKey);
const NO_ANSWER = { type: "no-answer" } as const;
const leaf = (index: number) => ({ kind: "round.opened", body: { version: 1, index } });

interface Durable {
  readonly db: MemoryDatabase;
  readonly disk: MemoryLogDisk;
}
const durable = (): Durable => ({ db: memoryDatabase(), disk: memoryLogDisk() });
const storeOf = ({ db }: Durable): LeafStore => memoryLeaves(db, async () => {});
const stage = (at: Durable, count: number) => {
  const begin = at.db.leaves.length;
  return storeOf(at).stageLeaves(
    Array.from({ length: count }, (_, index) => leaf(begin + index)),
    1,
  );
};
const open = (
  at: Durable,
  witnesses: readonly TestWitness[],
  change: Parameters<typeof openTestLog>[1] = {},
) => openTestLog(storeOf(at), { files: memoryLogFiles(at.disk), witnesses, ...change });
const make = (name: string, memory?: TestWitness["memory"]) => TestWitness.make(name, [logKey], memory);
const demand = (needed: number, ...witnesses: readonly TestWitness[]) => ({
  keys: witnesses.map(({ key }) => formatVerifierKey(key)),
  needed,
});

/** Names of those who signed a note, and its size. */
async function signersOf(note: string | null | undefined, ...witnesses: readonly TestWitness[]) {
  const keys = witnesses.map(({ key }) => key);
  const opened = await openCheckpoint(primitives, present(note, "a note"), logKey, keys);
  if (!opened.ok) throw new Error(opened.error.type);
  return {
    size: opened.value.checkpoint.size,
    names: opened.value.cosigned.map(({ key: { name } }) => name),
  };
}

const troublesOf = (log: Sequencer) => log.witnesses().map(({ trouble }) => trouble);

describe("[A93] the sequencer asks witnesses", () => {
  test("and publishes each checkpoint with their signatures, each from the tree that they signed last", async () => {
    const at = durable();
    const [one, two] = [await make("w.example/1"), await make("w.example/2")];
    const log = open(at, [one, two]);
    for (const count of [3, 1, 400]) {
      await stage(at, count);
      const size = at.db.leaves.length;
      expect(await log.covers(size - 1, { demand: demand(2, one, two) })).toBe(true);
      const both = { size, names: expect.arrayContaining(["w.example/1", "w.example/2"]) };
      expect(await signersOf(log.checkpoint(), one, two)).toEqual(both);
      await expect.poll(() => signersOf(at.disk.checkpoints[0], one, two)).toEqual(both);
      expect(log.witnesses()).toMatchObject([
        { signed: { size, timeS: WITNESS_TIME_S }, trouble: null },
        { signed: { size, timeS: WITNESS_TIME_S }, trouble: null },
      ]);
    }
    expect(one.bodies.map((body) => body.split("\n")[0])).toEqual(["old 0", "old 3", "old 4"]);
    await log.stop();
  });

  test("one that is down holds up nothing, is asked with growing pauses, and signs once it is back", async () => {
    const at = durable();
    const [up, down] = [await make("up.example"), await make("down.example")];
    down.answer = async () => NO_ANSWER;
    const clock = new ManualClock();
    const log = open(at, [up, down], { after: clock.after, random: (count) => new Uint8Array(count) });
    for (let index = 0; index < 20; index++) {
      await stage(at, 1);
      expect(await log.covers(index, { demand: demand(1, up) })).toBe(true);
      expect(await signersOf(log.checkpoint(), up, down)).toMatchObject({ names: ["up.example"] });
    }
    await expect.poll(() => troublesOf(log)).toEqual([null, "no-answer"]);
    // The clock stood, so no pause has ended.
    expect(down.bodies).toHaveLength(1);
    down.answer = async () => undefined;
    await expect
      .poll(() => {
        clock.advance(250);
        return signersOf(at.disk.checkpoints[0], up, down);
      })
      .toEqual({ size: 20, names: expect.arrayContaining(["up.example", "down.example"]) });
    expect(troublesOf(log)).toEqual([null, null]);
    await log.stop();
  });

  test("sees no checkpoint that is not published, and is waited for by nobody who does not demand it", async () => {
    const at = durable();
    const slow = await make("slow.example");
    let release = () => {};
    slow.answer = () =>
      new Promise((resolve) => {
        // What it is shown is durable, without its signature.
        expect(slow.bodies.at(-1)?.split("\n\n").slice(1).join("\n\n")).toBe(at.disk.checkpoints[0]);
        release = () => resolve(undefined);
      });
    const log = open(at, [slow]);
    await stage(at, 1);
    expect(await log.covers(0)).toBe(true);
    await expect.poll(() => slow.bodies.length).toBe(1);
    // The next is published while it still thinks about the first.
    await stage(at, 1);
    expect(await log.covers(1)).toBe(true);
    expect(await signersOf(log.checkpoint(), slow)).toEqual({ size: 2, names: [] });
    release();
    await expect.poll(() => slow.bodies.length).toBe(2);
    release();
    await expect
      .poll(() => signersOf(at.disk.checkpoints[0], slow))
      .toEqual({
        size: 2,
        names: ["slow.example"],
      });
    await log.stop();
  });

  test("signs no tree that an earlier database could replace: publishing fails, the database is an older copy", async () => {
    const at = durable();
    const one = await make("w.example/1");
    await stage(at, 2);
    const log = open(at, [one]);
    await log.covers(1, { demand: demand(1, one) });
    await log.stop();
    const older = structuredClone(at.db);
    // A life that moves the head and cannot publish it.
    const files = memoryLogFiles(at.disk);
    const publish = async () => {
      throw Object.assign(new Error("full"), { code: "ENOSPC" });
    };
    await stage(at, 1);
    const full = open(at, [one], { files: { ...files, publish } });
    await expect.poll(() => full.state().type).toBe("waiting");
    await full.stop();
    // The older copy comes back and takes another leaf at that place.
    const back = { db: older, disk: at.disk };
    await storeOf(back).stageLeaves([leaf(99)], 1);
    const next = open(back, [one]);
    expect(await next.covers(2, { demand: demand(1, one) })).toBe(true);
    expect(troublesOf(next)).toEqual([null]);
    expect(one.memory.splits.size).toBe(0);
    await next.stop();
  });

  test("a disk that is full is not asked more often because witnesses sign", async () => {
    const at = durable();
    const one = await make("w.example/1");
    const clock = new ManualClock();
    const files = memoryLogFiles(at.disk);
    let [tries, isFull] = [0, false];
    const publish = async (note: string) => {
      tries += 1;
      if (isFull) throw Object.assign(new Error("full"), { code: "ENOSPC" });
      await files.publish(note);
    };
    const log = open(at, [one], { files: { ...files, publish }, after: clock.after });
    await stage(at, 1);
    await log.covers(0, { demand: demand(1, one) });
    isFull = true;
    clock.advance(300);
    await expect.poll(() => log.state().type).toBe("waiting");
    const before = [tries, one.bodies.length];
    await new Promise((resolve) => setTimeout(resolve, 50));
    // The clock stands, so nothing is tried.
    expect([tries, one.bodies.length]).toEqual(before);
    isFull = false;
    await expect
      .poll(() => {
        clock.advance(1_000);
        return signersOf(at.disk.checkpoints[0], one);
      })
      .toEqual({ size: 1, names: ["w.example/1"] });
    await log.stop();
  });

  test("a file that could not be read for a moment is read again, and its witness is asked again", async () => {
    const at = durable();
    const one = await make("w.example/1");
    const files = memoryLogFiles(at.disk);
    let isBroken = false;
    const read: typeof files.read = async (path) => {
      if (isBroken) throw Object.assign(new Error("too many files"), { code: "EMFILE" });
      return files.read(path);
    };
    const clock = new ManualClock();
    const log = open(at, [one], { files: { ...files, read }, after: clock.after });
    await stage(at, 1);
    await log.covers(0, { demand: demand(1, one) });
    isBroken = true;
    await stage(at, 1);
    expect(await log.covers(1)).toBe(true);
    await expect(log.proof({ from: null, leaves: [0] })).rejects.toThrow("too many files");
    expect(troublesOf(log)).toEqual([null]);
    isBroken = false;
    const covered = log.covers(1, { demand: demand(1, one) });
    await expect
      .poll(() => {
        clock.advance(500);
        return Promise.race([covered, new Promise((resolve) => setTimeout(resolve, 1, "waits"))]);
      })
      .toBe(true);
    expect(await log.proof({ from: null, leaves: [0] })).toMatchObject({ ok: true });
    await log.stop();
  });

  test("after a restart the signatures are still there, and what is missing is asked for", async () => {
    const at = durable();
    const [one, two] = [await make("w.example/1"), await make("w.example/2")];
    two.answer = async () => NO_ANSWER;
    const log = open(at, [one, two]);
    await stage(at, 2);
    await log.covers(1);
    await expect.poll(() => signersOf(at.disk.checkpoints[0], one)).toMatchObject({ names: ["w.example/1"] });
    await log.stop();
    const again = await make("w.example/2", two.memory);
    const silent = await make("w.example/1", one.memory);
    silent.answer = async () => NO_ANSWER;
    const next = open(at, [silent, again]);
    await expect
      .poll(() => signersOf(at.disk.checkpoints[0], one, two))
      .toEqual({
        size: 2,
        names: ["w.example/1", "w.example/2"],
      });
    expect(next.witnesses()[0]).toMatchObject({
      signed: { size: 2, timeS: WITNESS_TIME_S },
      trouble: null,
    });
    // What is signed already is not asked for again.
    expect(silent.bodies).toEqual([]);
    await next.stop();
  });

  test("one that knows another size is told apart from one that knows another history", async () => {
    const at = durable();
    const [one, forgetful] = [await make("w.example/1"), await make("w.example/2")];
    const log = open(at, [one, forgetful]);
    await stage(at, 5);
    await log.covers(4, { demand: demand(2, one, forgetful) });
    // Its memory was put back, which the log does not know.
    forgetful.memory.notes.clear();
    await stage(at, 1);
    expect(await log.covers(5, { demand: demand(2, one, forgetful) })).toBe(true);
    expect(await signersOf(log.checkpoint(), one, forgetful)).toMatchObject({
      names: expect.arrayContaining(["w.example/2"]),
    });
    await log.stop();
    // An earlier copy of the database and its files: the witness has seen more.
    const earlier = durable();
    await stage(earlier, 3);
    const forked = open(earlier, [one]);
    expect(await forked.covers(2)).toBe(true);
    await expect.poll(() => troublesOf(forked)).toEqual(["other-history"]);
    expect(await signersOf(forked.checkpoint(), one)).toEqual({ size: 3, names: [] });
    await stage(earlier, 40);
    expect(await forked.covers(42)).toBe(true);
    await forked.stop();
    // With other leaves beyond, its proof from the witness's tree leads to nothing.
    const other = durable();
    await storeOf(other).stageLeaves(
      Array.from({ length: 9 }, (_, index) => leaf(100 + index)),
      1,
    );
    const split = open(other, [one]);
    await split.covers(8);
    await expect.poll(() => troublesOf(split)).toEqual(["other-history"]);
    await split.stop();
  });

  test("nothing that a witness answers but its own signature under this checkpoint is taken", async () => {
    const at = durable();
    const [liar, other] = [await make("liar.example"), await make("other.example")];
    const answers: readonly (readonly [number, string, string?])[] = [
      [200, ""],
      [200, "\n"],
      [200, "not a line\n"],
      [200, `\u2014 liar.example ${"A".repeat(104)}\n`],
      [200, "x".repeat(10_000)],
      [409, "5\n", "text/plain"],
      [409, "5", "text/x.tlog.size"],
      [409, "-5\n", "text/x.tlog.size"],
      [409, "9007199254740993\n", "text/x.tlog.size"],
      [409, "999999\n", "text/x.tlog.size"],
      [204, ""],
      [301, ""],
      [500, "Error"],
    ];
    for (const [status, text, mediaType = "text/plain"] of answers) {
      const fresh = durable();
      const log = open(fresh, [liar]);
      liar.answer = async () => ({ type: "answer", status, mediaType, text });
      await stage(fresh, 1);
      expect(await log.covers(0)).toBe(true);
      await expect.poll(() => troublesOf(log)).not.toEqual([null]);
      expect(await signersOf(log.checkpoint(), liar)).toMatchObject({ names: [] });
      await log.stop();
    }
    // Another witness's line is not this one's.
    liar.answer = async (body) => other.addCheckpoint(body);
    const log = open(at, [liar]);
    await stage(at, 1);
    await log.covers(0);
    await expect.poll(() => troublesOf(log)).toEqual(["no-answer"]);
    expect(await signersOf(log.checkpoint(), liar, other)).toMatchObject({ names: [] });
    await log.stop();
  });

  test("sizes that a witness tells without end are asked no more after a few", async () => {
    const at = durable();
    const liar = await make("liar.example");
    await stage(at, 50);
    let told = 0;
    liar.answer = async () => {
      told += 1;
      return { type: "answer", status: 409, mediaType: "text/x.tlog.size", text: `${told % 40}\n` };
    };
    const clock = new ManualClock();
    const log = open(at, [liar], { after: clock.after });
    expect(await log.covers(49)).toBe(true);
    await expect.poll(() => troublesOf(log)).toEqual(["no-answer"]);
    expect(liar.bodies).toHaveLength(4);
    await log.stop();
  });
});

describe("[A94] who demands signatures of witnesses", () => {
  test("waits until enough of them have signed, and gets that checkpoint though a newer one is published", async () => {
    const at = durable();
    const [one, two] = [await make("w.example/1"), await make("w.example/2")];
    const clock = new ManualClock();
    const log = open(at, [one, two], { after: clock.after, random: (count) => new Uint8Array(count) });
    await stage(at, 3);
    expect(await log.covers(2, { demand: demand(2, one, two) })).toBe(true);
    two.answer = async () => NO_ANSWER;
    await stage(at, 1);
    expect(await log.covers(3)).toBe(true);
    expect(await log.covers(3, { demand: demand(1, one, two) })).toBe(true);
    // Entries from before are proved under the checkpoint that both signed; the newest has one signature.
    const both = await log.proof({ from: 1, leaves: [2], demand: demand(2, one, two) });
    const newest = await log.proof({ from: 1, leaves: [2] });
    if (!both.ok || !newest.ok) throw new Error("no proof");
    expect(await signersOf(both.value.checkpoint, one, two)).toMatchObject({ size: 3, names: { length: 2 } });
    expect(await signersOf(newest.value.checkpoint, one, two)).toEqual({ size: 4, names: ["w.example/1"] });
    // Whoever has seen the newest never goes back behind it.
    expect(await log.proof({ from: 4, leaves: [2], demand: demand(2, one, two) })).toMatchObject({
      ok: false,
    });
    let isCovered = false;
    const covered = log.covers(3, { demand: demand(2, one, two) }).then((is) => {
      isCovered = is;
    });
    expect(isCovered).toBe(false);
    two.answer = async () => undefined;
    clock.advance(500);
    await covered;
    expect(isCovered).toBe(true);
    const proof = await log.proof({ from: 4, leaves: [3], demand: demand(2, one, two) });
    expect(await signersOf(proof.ok ? proof.value.checkpoint : null, one, two)).toMatchObject({
      size: 4,
      names: { length: 2 },
    });
    await log.stop();
  });

  test("who claims to have seen more than there is gets a proof from the beginning, and nothing waits for it", async () => {
    const at = durable();
    const one = await make("w.example/1");
    const log = open(at, [one]);
    await stage(at, 3);
    expect(await log.covers(2, { demand: demand(1, one) })).toBe(true);
    expect([seenOf(log.head(), 4), seenOf(log.head(), 3), seenOf(null, 3)]).toEqual([0, 3, 0]);
    one.answer = async () => NO_ANSWER;
    await stage(at, 1);
    expect(await log.covers(3)).toBe(true);
    const proof = await log.proof({ from: 10_000, leaves: [2], demand: demand(1, one) });
    expect(proof).toMatchObject({ ok: true, value: { consistency: [] } });
    await log.stop();
  });

  test("gets nothing from witnesses that it did not name, and one that is named twice counts once", async () => {
    const at = durable();
    const [one, two] = [await make("w.example/1"), await make("w.example/2")];
    const stranger = await make("stranger.example");
    const log = open(at, [one, stranger]);
    await stage(at, 1);
    expect(await log.covers(0, { demand: demand(1, one, two) })).toBe(true);
    const late = new AbortController();
    const never = [demand(2, one, two), demand(2, one, one), demand(1, two)].map((each) =>
      log.covers(0, { demand: each, signal: late.signal }),
    );
    late.abort();
    expect(await Promise.all(never)).toEqual([false, false, false]);
    await log.stop();
  });

  test("an earlier checkpoint's proofs hold for a device after tiles have filled", async () => {
    const at = durable();
    const one = await make("w.example/1");
    const clock = new ManualClock();
    const log = open(at, [one], { after: clock.after });
    await stage(at, 250);
    expect(await log.covers(249, { demand: demand(1, one) })).toBe(true);
    one.answer = async () => NO_ANSWER;
    await stage(at, 300);
    expect(await log.covers(549)).toBe(true);
    for (const path of [...at.disk.files.keys()].filter((name) => name.endsWith(".p/250")))
      at.disk.files.delete(path);
    const proof = await log.proof({ from: 100, leaves: [7, 249], demand: demand(1, one) });
    if (!proof.ok) throw new Error(proof.error.type);
    const known = {
      origin: LOG_ORIGIN,
      key: logSigner.publicKey,
      seen: null,
      quorum: { witnesses: [one.key], needed: 1 },
    };
    const verified = await verifyLogProof(primitives, { ...proof.value, leaves: [] }, known);
    expect(verified).toMatchObject({
      ok: true,
      value: { checkpoint: { size: 250 }, cosigned: { length: 1 } },
    });
    expect(proof.value.leaves).toHaveLength(2);
    await log.stop();
  });
});
