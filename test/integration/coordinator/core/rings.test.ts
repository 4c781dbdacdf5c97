// A federation on the 16-bit ring, end to end, against an oracle that adds the devices' own numbers in BigInt.
import { describe, expect, test } from "vitest";
import { present } from "#shared/kernel/assert.ts";
import type { RoundDetail } from "#shared/protocol/api.ts";
import { layoutOf } from "#shared/vector/task-layout.ts";
import type { MemoryDevice } from "#test/kit/devices/memory-device.ts";
import { oracleNextModel, oracleSigns, oracleUnrotate } from "#test/kit/ring-oracle.ts";
import { segmentOf } from "#test/kit/vectors.ts";
import { Federation, partsOf } from "#test/kit/worlds/federation.ts";

const PARAMETERS = 15;
const COORDINATES = 16;

const all = (federation: Federation) => federation.devices;
const without = (federation: Federation, ...gone: number[]) =>
  federation.devices.filter((_, index) => !gone.includes(index));
const hex = (weights: Float32Array) =>
  Buffer.from(weights.buffer, weights.byteOffset, weights.byteLength).toString("hex");

/** (B / Q) W, for one device of full weight. */
function scaleOf(federation: Federation): number {
  const { coordinate, quantizedMax } = segmentOf(layoutOf(federation.task, "train", null), "update").clip;
  return (coordinate / quantizedMax) * federation.task.aggregation.weightCap;
}

/** True if the round's next model equals the oracle's, bit for bit. */
function isExact(
  federation: Federation,
  round: RoundDetail,
  survivors: readonly MemoryDevice[],
  asRound = round.round,
) {
  const { parts } = partsOf(round, survivors);
  const place = { runId: round.runId, round: asRound, scale: scaleOf(federation) };
  const expected = oracleNextModel(federation.weights(round.parentModelHash), parts, place);
  return hex(federation.weights(present(round.modelHash, "a model"))) === hex(expected);
}

describe("a run on the 16-bit ring", () => {
  test("[S2] [S20] [S22] commits its rounds; each next model is the oracle's to the last bit", async () => {
    const federation = await Federation.create({ devices: 5, task: { ring: 16 } });
    federation.connectAll();
    const runId = await federation.launch(3);
    expect((await federation.ended(runId)).roundsCommitted).toBe(3);
    const rounds = await federation.rounds(runId);
    expect(rounds).toHaveLength(3);
    for (const round of rounds) {
      expect(round.survivors).toBe(5);
      expect(isExact(federation, round, all(federation))).toBe(true);
      // It is also near the mean of the clipped updates, which does not involve the ring.
      expect(federation.distanceFromOracle(round, all(federation))).toBeLessThan(0.5);
      // Another round's signs, or one device fewer, make another model (positive control).
      expect(isExact(federation, round, all(federation), round.round + 1)).toBe(false);
      expect(() => isExact(federation, round, without(federation, 2))).toThrow("weight");
    }
    for (const device of federation.devices) expect(device.refusals).toEqual([]);
    expect(federation.logged).toEqual([]);
  });

  test("[S2] [S20] devices that vanish at each step are not in the sum, and their masks are removed", async () => {
    const federation = await Federation.create({ devices: 8, task: { ring: 16 } });
    present(federation.devices[0], "a device").goneBefore = "advertise";
    present(federation.devices[2], "a device").goneBefore = "input";
    present(federation.devices[3], "a device").goneBefore = "confirm";
    federation.connectAll();
    const runId = await federation.launch(1);
    expect((await federation.ended(runId)).state).toBe("completed");
    const round = present((await federation.rounds(runId)).at(-1), "the round");
    expect([round.advertised, round.shared, round.survivors, round.left]).toEqual([7, 7, 6, 2]);
    expect(isExact(federation, round, without(federation, 0, 2))).toBe(true);
  });

  test("[S20] what leaves a device is 2 bytes a coordinate; what is published has 4, and gives the next model", async () => {
    const federation = await Federation.create({ devices: 4, task: { ring: 16 } });
    federation.connectAll();
    const runId = await federation.launch(1);
    await federation.ended(runId);
    const round = present((await federation.rounds(runId)).at(-1), "the round");
    const { words } = present(partsOf(round, all(federation)).parts[0], "a part");
    // Update, weight, metrics, sentinels.
    expect(words.byteLength).toBe(2 * COORDINATES + 4 * (1 + 6 + 4));
    for (const device of federation.devices) {
      expect(device.receipts.map(({ byteCount }) => byteCount)).toEqual([words.byteLength]);
    }
    const blob = present(federation.disk.blobs.get(present(round.sumHash, "a sum")), "the published sum");
    const published = new Int32Array(blob.slice().buffer);
    expect(published).toHaveLength(COORDINATES + 1 + 4);
    expect([...published.subarray(COORDINATES)]).toEqual([round.weightSum, 4, 4, 4, 4]);
    const coordinates = [...published.subarray(0, COORDINATES)].map(BigInt);
    const update = oracleUnrotate(coordinates, PARAMETERS, oracleSigns(runId, round.round, PARAMETERS));
    const parent = federation.weights(round.parentModelHash);
    const step = scaleOf(federation) / 4;
    const next = parent.map((weight, index) =>
      Math.fround(weight + (Number(update[index]) * step) / (round.weightSum ?? 0)),
    );
    expect(hex(federation.weights(present(round.modelHash, "a model")))).toBe(hex(next));
  });

  test("the task's page says how many bits a weight takes", async () => {
    const narrow = await Federation.create({ devices: 3, task: { ring: 16 } });
    const wide = await Federation.create({ devices: 3 });
    expect((await narrow.coordinator.tasks.taskView("small"))?.bitsPerWeight).toBeCloseTo((16 * 16) / 15, 9);
    expect((await wide.coordinator.tasks.taskView("small"))?.bitsPerWeight).toBe(32);
  });
});
