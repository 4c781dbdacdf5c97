import { describe, expect, test } from "vitest";
import { present } from "#shared/kernel/assert.ts";
import { ringGraph } from "#shared/secagg/graph.ts";
import { positionNo } from "#test/kit/places.ts";
import { Federation } from "#test/kit/worlds/federation.ts";

/*
 * Rounds over the k-regular graph, end to end in memory: each device shares keys with four of 39 others, and two of the
 * five that hold a secret rebuild it.
 */

const DEVICES = 40;
const sparse = (seed: string) =>
  Federation.create({
    devices: DEVICES,
    seed,
    task: {
      securityModel: "honest-but-curious",
      graph: { kind: "k-regular", corruptShare: 0.02, dropoutShare: 0.05 },
    },
  });

describe("a round over a sparse graph", () => {
  test("[R24] [S2] commits the exact sum with devices gone at each step", async () => {
    const federation = await sparse("sparse");
    for (const [index, step] of (["share", "input", "confirm", "unmask"] as const).entries()) {
      present(federation.devices[10 * index], "a device").goneBefore = step;
    }
    federation.connectAll();
    const runId = await federation.launch(1);
    await federation.ended(runId);
    const round = present((await federation.rounds(runId)).at(-1), "the round");
    expect([round.phase, round.attempt, round.advertised, round.shared, round.survivors]).toEqual([
      "committed",
      1,
      40,
      39,
      38,
    ]);
    const survivors = federation.devices.filter((_, index) => index !== 0 && index !== 10);
    expect(federation.distanceFromOracle(round, survivors)).toBeLessThanOrEqual(1);
    for (const device of survivors) expect(device.refusals).toEqual([]);
    // Each of them heard only about its own neighbours: four neighbours at most.
    expect(round.traffic.find(({ step }) => step === "shares")?.downByteCount).toBeLessThan(4 * 600);
  });

  test("[R24] [R10] a device whose holders are all silent voids the round, although most have answered", async () => {
    const federation = await sparse("silent");
    // By identity, because positions follow it.
    const byPosition = [...federation.devices].sort((left, right) =>
      left.identity < right.identity ? -1 : 1,
    );
    let holders: readonly number[] = [];
    for (const [index, device] of byPosition.entries()) {
      device.tamper = (message) => {
        if (message.type !== "confirm") return message;
        // The session id is known now: four of the five devices among the first device's holders leave once they have
        // confirmed.
        holders = ringGraph(new Uint8Array(Buffer.from(message.sid, "hex")), DEVICES, 4).holders(
          positionNo(1),
        );
        if (holders.slice(1).includes(index + 1)) device.goneBefore = "unmask";
        return message;
      };
    }
    federation.connectAll();
    const runId = await federation.launch(1);
    await federation.until(
      async () => (await federation.rounds(runId))[0]?.endedAt !== null,
      "the end of the round",
    );
    expect(holders).toHaveLength(5);
    const ended = present((await federation.rounds(runId))[0], "the round");
    expect([ended.phase, ended.code, ended.unmasked]).toEqual(["voided", "BELOW_T", DEVICES - 4]);
  });
});
