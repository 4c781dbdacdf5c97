import { describe, expect, test } from "vitest";
import type { Sequencer } from "#coordinator/core/audit/sequencer.ts";
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
      expect(await log.covers(at.db.leaves.length - 1)).toBe(true);
      const size = at.db.leaves.length;
      expect(await signersOf(log.checkpoint(), one, two)).toEqual({
        size,
        names: expect.arrayContaining(["w.example/1", "w.example/2"]),
      });
      expect(at.disk.checkpoints[0]).toBe(log.checkpoint());
      expect(log.witnesses()).toMatchObject([
        { signed: { size, timeS: WITNESS_TIME_S }, trouble: null },
        { signed: { size, timeS: WITNESS_TIME_S }, trouble: null },
      ]);
    }
    expect(one.bodies.map((body) => body.split("\n")[0])).toEqual(["old 0", "old 3", "old 4"]);
    await log.stop();
  });

  test("one that is down is not waited for after the first time, is asked with growing pauses, and signs once it is back", async () => {
    const at = durable();
    const [up, down] = [await make("up.example"), await make("down.example")];
    down.answer = async () => NO_ANSWER;
    const clock = new ManualClock();
    // Only retries are due later than the wait for an answer.
    const log = open(at, [up, down], { clock, after: clock.after, random: (count) => new Uint8Array(count) });
    await stage(at, 1);
    expect(await log.covers(0)).toBe(true);
    expect(await signersOf(log.checkpoint(), up, down)).toEqual({ size: 1, names: ["up.example"] });
    expect(troublesOf(log)).toEqual([null, "no-answer"]);
    const before = down.bodies.length;
    for (let index = 1; index < 20; index++) {
      await stage(at, 1);
      expect(await log.covers(index)).toBe(true);
    }
    // The clock stood, so no pause has ended.
    expect(down.bodies).toHaveLength(before);
    down.answer = async () => undefined;
    clock.advance(500);
    await expect.poll(() => troublesOf(log)).toEqual([null, null]);
    await expect
      .poll(() => signersOf(at.disk.checkpoints[0], up, down))
      .toEqual({
        size: 20,
        names: expect.arrayContaining(["up.example", "down.example"]),
      });
    await log.stop();
  });

  test("one that does not answer in time does not hold the log; its signature is published when it comes", async () => {
    const at = durable();
    const slow = await make("slow.example");
    let release = () => {};
    slow.answer = () =>
      new Promise((resolve) => {
        release = () => resolve(undefined);
      });
    const clock = new ManualClock();
    const log = open(at, [slow], { clock, after: clock.after });
    await stage(at, 1);
    const covered = log.covers(0);
    await expect.poll(() => slow.bodies.length).toBe(1);
    // The planted control: before its second has passed, the checkpoint waits for it.
    expect(log.checkpoint()).toBeNull();
    clock.advance(1_000);
    expect(await covered).toBe(true);
    expect(await signersOf(at.disk.checkpoints[0], slow)).toEqual({ size: 1, names: [] });
    release();
    await expect
      .poll(() => signersOf(at.disk.checkpoints[0], slow))
      .toEqual({ size: 1, names: ["slow.example"] });
    // From now on it is not waited for.
    await stage(at, 1);
    expect(await log.covers(1)).toBe(true);
    release();
    await log.stop();
  });

  test("after a restart the signatures are still there, and what is missing is asked for", async () => {
    const at = durable();
    const [one, two] = [await make("w.example/1"), await make("w.example/2")];
    two.answer = async () => NO_ANSWER;
    const log = open(at, [one, two]);
    await stage(at, 2);
    await log.covers(1);
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
      trouble: "no-answer",
    });
    await next.stop();
  });

  test("one that knows another size is told apart from one that knows another history", async () => {
    const at = durable();
    const [one, forgetful] = [await make("w.example/1"), await make("w.example/2")];
    const log = open(at, [one, forgetful]);
    await stage(at, 5);
    await log.covers(4);
    // Its memory was put back, which the log does not know.
    forgetful.memory.notes.clear();
    await stage(at, 1);
    await log.covers(5);
    expect(await signersOf(log.checkpoint(), one, forgetful)).toMatchObject({
      names: expect.arrayContaining(["w.example/2"]),
    });
    await log.stop();
    // An earlier copy of the database and its files: the witness has seen more.
    const earlier = durable();
    await stage(earlier, 3);
    const forked = open(earlier, [one]);
    expect(await forked.covers(2)).toBe(true);
    expect(troublesOf(forked)).toEqual(["other-history"]);
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
    expect(troublesOf(split)).toEqual(["other-history"]);
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
    const log = open(at, [liar]);
    for (const [status, text, mediaType = "text/plain"] of answers) {
      liar.answer = async () => ({ type: "answer", status, mediaType, text });
      await stage(at, 1);
      expect(await log.covers(at.db.leaves.length - 1)).toBe(true);
      expect(await signersOf(log.checkpoint(), liar)).toMatchObject({ names: [] });
      expect(troublesOf(log)).not.toEqual([null]);
    }
    await log.stop();
    // Another witness's line is not this one's, and a line of an earlier checkpoint not of this.
    const next = open(at, [liar]);
    liar.answer = async (body) => other.addCheckpoint(body);
    await stage(at, 1);
    await next.covers(at.db.leaves.length - 1);
    expect(await signersOf(next.checkpoint(), liar, other)).toMatchObject({ names: [] });
    await next.stop();
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
    const log = open(at, [liar], { clock, after: clock.after });
    expect(await log.covers(49)).toBe(true);
    expect(liar.bodies).toHaveLength(4);
    expect(troublesOf(log)).toEqual(["no-answer"]);
    await log.stop();
  });
});

describe("[A94] who demands signatures of witnesses", () => {
  test("waits until enough of them have signed, and gets that checkpoint though a newer one is published", async () => {
    const at = durable();
    const [one, two] = [await make("w.example/1"), await make("w.example/2")];
    const clock = new ManualClock();
    const log = open(at, [one, two], { clock, after: clock.after, random: (count) => new Uint8Array(count) });
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
    const log = open(at, [one], { clock, after: clock.after });
    await stage(at, 250);
    expect(await log.covers(249, { demand: demand(1, one) })).toBe(true);
    one.answer = async () => NO_ANSWER;
    await stage(at, 300);
    expect(await log.covers(549)).toBe(true);
    for (const path of [...at.disk.files.keys()].filter((name) => name.endsWith(".p/250")))
      at.disk.files.delete(path);
    const proof = await log.proof({ from: 100, leaves: [7, 249], demand: demand(1, one) });
    if (!proof.ok) throw new Error(proof.error.type);
    const known = { origin: LOG_ORIGIN, key: logSigner.publicKey, seen: null, witnesses: [one.key] };
    const verified = await verifyLogProof(primitives, { ...proof.value, leaves: [] }, known);
    expect(verified).toMatchObject({
      ok: true,
      value: { checkpoint: { size: 250 }, cosigned: { length: 1 } },
    });
    expect(proof.value.leaves).toHaveLength(2);
    await log.stop();
  });
});
