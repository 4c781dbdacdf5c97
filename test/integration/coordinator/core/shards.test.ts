import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { Folder } from "#coordinator/core/ports/ports.ts";
import { selectPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { present } from "#shared/kernel/assert.ts";
import { type RoundDetail, roundDetailSchema } from "#shared/protocol/api.ts";
import type { Task } from "#shared/task/task.ts";
import { layoutOf } from "#shared/vector/task-layout.ts";
import { noiseForOne } from "#test/kit/adversary/dishonest.ts";
import type { MemoryDevice, Step } from "#test/kit/devices/memory-device.ts";
import { memoryFolder } from "#test/kit/fakes/memory-files.ts";
import { segmentOf } from "#test/kit/vectors.ts";
import { Federation, partsOf, type WriteHook } from "#test/kit/worlds/federation.ts";

/* Rounds of several sums, end to end in memory with the real protocol: 30 devices in four shards of about eight. */

const DEVICES = 30;
const SHARDED = {
  goal: 20,
  overSelection: 1.5,
  cohortSizeMin: 3,
  cohortSizeMax: 40,
  graph: { kind: "shards", size: 8 },
} as const satisfies Partial<Task["aggregation"]>;

/** A draw in which each shard is large enough to lose some devices. */
const SEED = "shards 19";

const sharded = (seed: string, change: Partial<Task["aggregation"]> = {}) =>
  Federation.create({ devices: DEVICES, seed, task: { ...SHARDED, ...change } });

/** True once a device's answer to the opening is in the log. */
const isOpening = (federation: Federation) =>
  federation.db.log.some(({ body }) => body.includes('"unmask-received"'));

/** Each item as its length, u32 big-endian, and its bytes. */
function encode(...items: readonly (string | number | Buffer)[]): Buffer {
  const u32 = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return bytes;
  };
  const parts = items.map((item) => (typeof item === "number" ? u32(item) : Buffer.from(item as string)));
  return Buffer.concat(parts.flatMap((bytes) => [u32(bytes.length), bytes]));
}

/** The shard of a device, from the specification and without the product's code. */
function shardOf(
  device: MemoryDevice,
  { runId, round, parentModelHash }: RoundDetail,
  shardCount = 4,
): number {
  const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest();
  const seed = sha256(encode("chorus/1/shard-seed", runId, round, Buffer.from(parentModelHash, "hex")));
  const digest = sha256(encode("chorus/1/shard", seed, Buffer.from(device.identity, "hex")));
  return Math.floor((digest.readUInt32BE(0) * shardCount) / 2 ** 32);
}

/** The update's coordinates in the published sum, added over all its shards. */
function publishedUpdate(federation: Federation, round: RoundDetail, shards: number): bigint[] {
  const blob = present(federation.disk.blobs.get(present(round.sumHash, "a sum")), "the published sum");
  const words = new Int32Array(blob.slice().buffer);
  const update = segmentOf(layoutOf(federation.task, "train", null), "update");
  const each = words.length / shards;
  expect(each).toBe(update.length + 1 + 4);
  return Array.from({ length: update.length }, (_, index) => {
    let total = 0n;
    for (let shard = 0; shard < shards; shard++) total += BigInt(words[shard * each + index] as number);
    return total;
  });
}

/** The same, from the devices' own lists before masking. */
function ownUpdate(federation: Federation, round: RoundDetail, survivors: readonly MemoryDevice[]): bigint[] {
  const update = segmentOf(layoutOf(federation.task, "train", null), "update");
  const { parts } = partsOf(round, survivors);
  return Array.from({ length: update.length }, (_, index) =>
    parts.reduce((sum, { words }) => sum + BigInt.asIntN(32, BigInt(words[index] as number)), 0n),
  );
}

const counted = (federation: Federation) =>
  federation.devices.filter(({ outcomes }) => outcomes.at(-1)?.kind === "committed");

/** Plays the round's first seconds, until everyone is invited: from then on the shards are known. */
async function begin(
  federation: Federation,
): Promise<{ readonly runId: string; readonly round: RoundDetail }> {
  federation.connectAll();
  const runId = await federation.launch(1);
  await federation.until(
    async () => (await federation.run(runId)).currentRound?.phase === "recruiting",
    "recruiting",
  );
  return { runId, round: present((await federation.rounds(runId))[0], "the round") };
}

async function end(federation: Federation, runId: string): Promise<RoundDetail> {
  await federation.ended(runId);
  const round = present((await federation.rounds(runId)).at(-1), "the round");
  return roundDetailSchema.parse(round) as RoundDetail;
}

function expectExact(federation: Federation, round: RoundDetail, shards: number): void {
  const survivors = counted(federation);
  expect(survivors).toHaveLength(present(round.survivors, "survivors"));
  expect(publishedUpdate(federation, round, shards)).toEqual(ownUpdate(federation, round, survivors));
  expect(federation.distanceFromOracle(round, survivors)).toBeLessThanOrEqual(1);
}

describe("a round of several shards", () => {
  test("[R23] [S2] every shard is a session of its own, and the sum over all of them is exact", async () => {
    const federation = await sharded(SEED);
    const { runId, round: begun } = await begin(federation);
    const round = await end(federation, runId);
    expect([round.phase, round.attempt, round.shards]).toEqual(["committed", 1, { count: 4, leftOut: 0 }]);
    expectExact(federation, round, 4);
    const list = present(round.shardList, "shards");
    expect(new Set(list.map(({ sid }) => sid)).size).toBe(4);
    for (const { shard, advertised, leftOut } of list) {
      const own = federation.devices.filter((device) => shardOf(device, begun) === shard);
      expect([shard, advertised, leftOut]).toEqual([shard, own.length, null]);
    }
    // Leaves of a session are in the log once for each shard; leaves of the round are there once.
    const kinds = federation.db.leaves.map(({ kind }) => kind);
    for (const kind of ["cohort.sealed", "inputs.sealed", "survivors.signed", "round.unmasked"]) {
      expect([kind, kinds.filter((one) => one === kind).length]).toEqual([kind, 4]);
    }
    expect(kinds.filter((kind) => kind === "model.published")).toHaveLength(1);
    expect([federation.db.material.size, federation.disk.spool.size, federation.logged]).toEqual([0, 0, []]);
  });

  /** Devices of the largest shard, which the round can do without, and of the others. */
  async function split(seed: string, change: Partial<Task["aggregation"]> = {}) {
    const federation = await sharded(seed, change);
    const { runId, round } = await begin(federation);
    const shard = 1;
    const inShard = federation.devices.filter((device) => shardOf(device, round) === shard);
    const others = federation.devices.filter((device) => !inShard.includes(device));
    return { federation, runId, shard, inShard, others };
  }
  const stopAt = (devices: readonly MemoryDevice[], step: Step) => {
    for (const device of devices) device.goneBefore = step;
  };

  const FALLS: readonly (readonly [Step, string])[] = [
    ["share", "U2_BELOW_T"],
    ["input", "U3_BELOW_T"],
    ["confirm", "NOT_ENOUGH_SIGS"],
    ["unmask", "BELOW_T"],
  ];
  test.each(FALLS)(
    "[R23] a shard that falls short at %s is left out (%s) and the rest is exact",
    async (step, code) => {
      const { federation, runId, shard, inShard, others } = await split(SEED);
      // All but two of one shard, and one of another: that one is missing from its shard's sum, the first shard as a
      // whole.
      stopAt(inShard.slice(2), step);
      const [dropout] = others;
      if (step === "input") stopAt([present(dropout, "a device")], step);
      const round = await end(federation, runId);
      expect([round.phase, round.attempt, round.shards]).toEqual(["committed", 1, { count: 4, leftOut: 1 }]);
      expect(round.shardList?.[shard]?.leftOut).toBe(code);
      expectExact(federation, round, 3);
      for (const device of inShard) expect(device.outcomes).toEqual([]);
      for (const device of inShard.slice(0, 2)) {
        expect(device.abandoned.map((message) => [message.code, message.retry])).toEqual([[code, false]]);
        // Nothing of it is opened: before the last step nobody was even asked.
        expect(device.heard.includes("open")).toBe(step === "unmask");
      }
      expect([federation.db.material.size, federation.disk.spool.size]).toEqual([0, 0]);
    },
  );

  test("[R23] [S2] a shard with a bad sum is left out of the model and of what is published", async () => {
    const { federation, runId, shard, inShard } = await split(SEED);
    const { offset } = segmentOf(layoutOf(federation.task, "train", null), "sentinels");
    present(inShard[0], "a device").spoil = (words) => void words.fill(7, offset, offset + 1);
    const round = await end(federation, runId);
    expect([round.phase, round.shards]).toEqual(["committed", { count: 4, leftOut: 1 }]);
    expect(round.shardList?.[shard]?.leftOut).toBe("SENTINEL");
    expectExact(federation, round, 3);
    // With the bad shard it would be another sum (positive control).
    const [bad] = inShard;
    expect(() => partsOf(round, [...counted(federation), present(bad, "a device")])).toThrow("weight");
  });

  test("[R23] if the others do not reach the goal the attempt is repeated, and after the opening the round is void", async () => {
    const before = await split(SEED, { goal: 27, overSelection: 1.1 });
    stopAt(before.inShard.slice(2), "share");
    const runId = before.runId;
    await before.federation.until(
      async () => (await before.federation.run(runId)).currentRound?.attempt === 2,
      "another attempt",
    );
    expect(before.inShard[0]?.abandoned.at(-1)).toMatchObject({ code: "U2_BELOW_T", retry: true });

    const after = await split(SEED, { goal: 27, overSelection: 1.1 });
    stopAt(after.inShard.slice(2), "unmask");
    await after.federation.until(
      async () =>
        (await after.federation.run(after.runId)).currentRound?.phase !== "unmasking" &&
        (await after.federation.rounds(after.runId))[0]?.phase === "voided",
      "the void round",
    );
    const [round] = await after.federation.rounds(after.runId);
    expect([round?.phase, round?.code, round?.opened, round?.sumHash]).toEqual([
      "voided",
      "BELOW_T",
      true,
      null,
    ]);
  });

  test("[R23] a complaint costs its shard its part, not the round its attempt", async () => {
    const { federation, runId, shard, inShard } = await split(SEED);
    const dealer = present(inShard[0], "a device");
    dealer.tamper = noiseForOne(dealer);
    const round = await end(federation, runId);
    expect([round.phase, round.attempt, round.shardList?.[shard]?.leftOut]).toEqual([
      "committed",
      1,
      "COMPLAINT",
    ]);
    expectExact(federation, round, 3);
    expect(inShard.filter((device) => device.heard.includes("open"))).toEqual([]);
  });
});

describe("[R19] a coordinator of several shards that is killed", () => {
  /** One device of each shard leaves before its input, so that pair keys are rebuilt in all of them. */
  async function setUp(hook: WriteHook = () => "go") {
    const federation = await Federation.create({
      devices: 16,
      seed: "two shards",
      task: { ...SHARDED, goal: 12, overSelection: 1.33 },
    });
    federation.writes.length = 0;
    const { runId, round } = await begin(federation);
    for (const shard of [0, 1]) {
      const own = federation.devices.filter((device) => shardOf(device, round, 2) === shard);
      present(own[0], "a device").goneBefore = "input";
    }
    federation.hook = hook;
    return { federation, runId };
  }

  test("at writes all over a round goes on from its log, with each shard's sum once", async () => {
    const whole = await setUp();
    await end(whole.federation, whole.runId);
    const count = whole.federation.writes.length;
    expect(count).toBeGreaterThan(40);
    // Not every write, unlike for one sum: a stride that shares no factor with the period of the writes.
    for (let index = 1; index < count; index += 7) {
      let seen = 0;
      const { federation, runId } = await setUp(() =>
        seen++ === index ? (index % 2 === 0 ? "die-before" : "die-after") : "go",
      );
      await federation.until(async () => {
        if (!federation.running) await federation.restart();
        return federation.running && (await federation.run(runId)).state === "completed";
      }, "the run's end");
      await federation.inFlight.settle();
      const round = present((await federation.rounds(runId)).at(-1), "the round");
      const fault = `write ${index}`;
      expect([fault, round.phase, round.attempt, round.shards]).toEqual([
        fault,
        "committed",
        1,
        { count: 2, leftOut: 0 },
      ]);
      expectExact(federation, round, 2);
      expect([fault, federation.db.material.size, federation.disk.spool.size]).toEqual([fault, 0, 0]);
    }
  });
});

test("[R23] shares are asked for and accepted while the inputs are still being folded", async () => {
  const seen: boolean[] = [];
  const own: { federation?: Federation } = {};
  const slow: Folder = {
    fold: async (job) => {
      const federation = present(own.federation, "a federation");
      if (job.masks.length === 0) {
        for (let turn = 0; turn < 20_000 && !isOpening(federation); turn++)
          await new Promise((resolve) => setImmediate(resolve));
        seen.push(isOpening(federation));
      }
      return memoryFolder(federation.disk, await selectPrimitives(globalThis.crypto.subtle)).fold(job);
    },
    close: async () => {},
  };
  const federation = await Federation.create({
    devices: DEVICES,
    seed: SEED,
    task: SHARDED,
    ports: { folder: slow },
  });
  own.federation = federation;
  federation.connectAll();
  const runId = await federation.launch(1);
  await federation.ended(runId);
  expect((await federation.rounds(runId)).map(({ phase }) => phase)).toEqual(["committed"]);
  // At least one for each shard, some of them begun while inputs were still arriving.
  expect(seen.length).toBeGreaterThanOrEqual(4);
  expect(seen.every((isAsked) => isAsked)).toBe(true);
});
