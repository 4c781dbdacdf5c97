import { assert, present } from "#shared/kernel/assert.ts";
import { randomWords } from "../secagg-fixtures.ts";
import { SecaggCohort } from "../worlds/secagg-cohort.ts";
import type { Loot, OpenAttack, World } from "./attack.ts";
import { spoiled } from "./mask-attacks.ts";
import { RogueCoordinator } from "./rogue-coordinator.ts";
import { soleOutcome } from "./share-attacks.ts";

/* Attacks that no secure aggregation stops. They succeed against the product. */

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

async function sybils(world: World): Promise<Loot | null> {
  const rogue = await RogueCoordinator.create(world, { count: 7 }, [3, 4, 5, 6, 7]);
  await rogue.advertise();
  await rogue.share();
  for (const position of rogue.honest) await rogue.collect(position, upTo(7));
  // Nothing needs opening: t colluders already hold t shares of everything.
  const words = await rogue.sumOf([1]);
  return words && { kind: "input", of: rogue.cohort, position: 1, words };
}

/**
 * The coordinator serves a page that draws its "random" bytes as the coordinator likes. The core is the product's own.
 */
async function badPage(world: World): Promise<Loot | null> {
  const rogue = await RogueCoordinator.create(world, { count: 3 });
  const { cohort } = rogue;
  for (const device of cohort.devices) {
    let draws = 0;
    const random = (byteCount: number) => new Uint8Array(byteCount).fill(device.position * 64 + draws++);
    device.tools = { ...device.tools, random };
  }
  await rogue.advertise();
  await rogue.share();
  await rogue.collect(1, upTo(3));
  for (const position of upTo(3)) {
    const seed = (draw: number) => new Uint8Array(32).fill(position * 64 + draw);
    rogue.learns(position, { z: seed(0), b: seed(1), c: seed(2) });
  }
  const words = await rogue.sumOf([1]);
  return words && { kind: "input", of: cohort, position: 1, words };
}

async function summed(world: World, options: Partial<Parameters<typeof SecaggCohort.create>[0]>) {
  const cohort = await SecaggCohort.create({ count: 4, vectorLength: 8, engine: world.engine, ...options });
  const result = await cohort.run();
  assert(result.kind === "committed", "an honest round");
  return { cohort, sum: result.sum };
}

/** Two models that differ by very little give the same updates; the victim is away the second time. */
async function almostEqualModel(world: World): Promise<Loot | null> {
  const input = (position: number) => randomWords(`whichever the model, ${position}`, 8);
  const first = await summed(world, { input });
  const second = await summed(world, {
    input,
    terms: { round: 2, modelHash: "34".repeat(32) },
    lastSteps: new Map([[1, "share"]]),
  });
  const words = first.sum.map((word, index) => word - (second.sum[index] as number));
  return { kind: "input", of: first.cohort, position: 1, words };
}

/** A model in which each device's rows move weights that no other device's rows move. */
async function craftedLayers(world: World): Promise<Loot | null> {
  const own = (position: number) => (_: number, index: number) => (index >> 1) + 1 === position;
  const input = (position: number) =>
    randomWords(`rows ${position}`, 8).map((word, index) => (own(position)(word, index) ? word : 0));
  const { cohort, sum } = await summed(world, { input });
  const words = sum.map((word, index) => (own(1)(word, index) ? word : 0));
  return { kind: "input", of: cohort, position: 1, words };
}

export const OPEN_ATTACKS: readonly OpenAttack[] = [
  {
    name: "[S8] more colluders than c, each certified",
    section: "13",
    answer: "an issuer that the coordinator does not control; a minimum of certified devices on the device",
    run: sybils,
  },
  {
    name: "[S12] [S13] a page whose random bytes the coordinator chose",
    section: "13",
    answer: "the pinned edge client and the published hash of the build; a page trusts who serves it",
    run: badPage,
  },
  {
    name: "[S6] an almost equal model in the next round, and the victim away",
    section: "6",
    answer: "differential privacy; a larger minimum only dilutes it",
    run: almostEqualModel,
  },
  {
    name: "[S6] layers crafted so that the sum keeps devices apart, the same for everyone",
    section: "13",
    answer: "the architecture is pinned in the config; differential privacy",
    run: craftedLayers,
  },
  {
    name: "[S2] a device that never heard U3 is told that it is in a sum of q, which does not exist",
    section: "9 MASKED",
    answer: "the round's published record: its root and its signed sets are those of everyone else",
    run: (world) => soleOutcome(world, 5),
  },
  {
    name: "[S2] a poisoned update within the range",
    section: "13",
    answer: "clipping on the device, the gate on held-out data, the median over sums of shards",
    run: (world) =>
      spoiled(world, (input) => {
        input[0] = present(input[0], "a word") ^ 0xffff;
      }),
  },
];
