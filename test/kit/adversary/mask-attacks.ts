import { bCommit } from "#shared/crypto/commitments.ts";
import { maskKeyPairFromSeed } from "#shared/crypto/key-agreement.ts";
import { addMasks } from "#shared/crypto/mask-stream.ts";
import { selectPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import { type Bytes, equalBytes } from "#shared/kernel/bytes.ts";
import type { AttemptTerms } from "#shared/secagg/attempt.ts";
import type { LayoutTerms } from "#shared/vector/segment.ts";
import { encodeVector } from "#test/kit/vectors.ts";
import { randomWords } from "../secagg-fixtures.ts";
import { lastSent } from "../worlds/cohort-device.ts";
import { SecaggCohort } from "../worlds/secagg-cohort.ts";
import type { Attack, Loot, World } from "./attack.ts";
import { RogueCoordinator } from "./rogue-coordinator.ts";

/* Attacks on the masks, on the invitation, and with sums that honest inputs cannot give. */

const ALL = [1, 2, 3, 4, 5, 6, 7];
const EVERYONE = { collect: ALL, u2: ALL, u3: ALL };

const body = (rogue: RogueCoordinator, position: number) =>
  new Uint32Array(present(rogue.cohort.device(position).body, "an input").slice().buffer);

/** The victim is declared a dropout although its input arrived: its pair masks open, its self mask must not. */
async function lateInput(world: World): Promise<Loot | null> {
  const rogue = await RogueCoordinator.create(world, { count: 7 }, [6, 7]);
  await rogue.advertise();
  await rogue.share();
  const view = { ...EVERYONE, u3: ALL.filter((position) => position !== 1) };
  await rogue.collect(1, ALL);
  await rogue.showViews((position) => (position === 1 ? null : view));
  const masks = await rogue.pairMasks(1, [1]);
  if (masks === null) return null;
  const words = body(rogue, 1);
  await addMasks(rogue.cohort.primitives, words, masks);
  return { kind: "input", of: rogue.cohort, position: 1, words };
}

/** t - 1 shares of every self-mask seed: the colluders' own, and those of two devices that answered. */
async function tooFewShares(world: World): Promise<Loot | null> {
  const rogue = await RogueCoordinator.create(world, { count: 7 }, [6, 7]);
  await rogue.advertise();
  await rogue.share();
  for (const position of rogue.honest) {
    await rogue.collect(position, ALL);
    await rogue.confirm(position, EVERYONE);
  }
  for (const position of [2, 3]) assert(await rogue.open(position, EVERYONE), "t confirmations");
  const b = await rogue.secret("b", 1);
  return b && { kind: "seed", of: rogue.cohort, position: 1, b };
}

/** Compares every one-byte seed with what its owner announced. No share is needed. */
async function guessedSeeds(world: World): Promise<Loot | null> {
  const rogue = await RogueCoordinator.create(world, { count: 3 });
  const { cohort } = rogue;
  const { primitives } = cohort;
  await rogue.advertise();
  await rogue.share();
  await rogue.collect(1, [1, 2, 3]);
  const guess = (first: number) => Uint8Array.of(first, ...new Uint8Array(31));
  const { identity, s, bCommit: committed } = present(cohort.members[0], "the victim");
  const guesses = Array.from({ length: 256 }, (_, first) => guess(first));
  const find = async (fits: (seed: Bytes) => Promise<boolean>) => {
    for (const seed of guesses) if (await fits(seed)) return seed;
    return null;
  };
  const b = await find(async (seed) => equalBytes(await bCommit(primitives, identity, seed), committed));
  const z = await find(async (seed) =>
    equalBytes((await maskKeyPairFromSeed(primitives, seed)).publicKey, s),
  );
  if (b === null || z === null) return null;
  rogue.learns(1, { z, b, c: new Uint8Array(32) });
  const words = await rogue.sumOf([1]);
  return words && { kind: "input", of: cohort, position: 1, words };
}

/** Asks for the input a second time, as after a reconnect. The device would encode it with fresh rounding. */
async function secondInput(world: World): Promise<Loot | null> {
  const rogue = await RogueCoordinator.create(world, { count: 3 });
  await rogue.advertise();
  await rogue.share();
  const victim = rogue.cohort.device(1);
  await rogue.collect(1, [1, 2, 3]);
  const [first, before] = [body(rogue, 1), victim.input];
  victim.input = randomWords("encoded anew", before.length);
  await rogue.collect(1, [1, 2, 3]);
  const again = body(rogue, 1);
  const words = first.map((word, index) => word - (again[index] as number));
  return { kind: "difference", inputs: [before, victim.input], words };
}

/** A smaller minimum cohort than the owner agreed to. */
async function otherRules(world: World): Promise<Loot | null> {
  const rogue = await RogueCoordinator.create(world, { count: 3, config: { cohortSizeMin: 3 } }, [2, 3]);
  return invited(world, rogue, { cohortSizeMin: 10 });
}

/** A round to evaluate, although the owner agreed only to train. */
async function otherPurpose(world: World): Promise<Loot | null> {
  const options = { count: 3, roundParams: { purpose: "evaluate" } } as const;
  return invited(world, await RogueCoordinator.create(world, options, [2, 3]), {});
}

/** @param own  What the device agreed to, if it differs from what the coordinator says. */
async function invited(
  world: World,
  rogue: RogueCoordinator,
  own: Partial<AttemptTerms["config"]>,
): Promise<Loot | null> {
  const { cohort } = rogue;
  const { config, roundParams, runId, round, attempt, modelHash } = cohort.attempt.terms;
  const invite = {
    type: "invite" as const,
    runId: runId as never,
    round,
    attempt,
    config,
    roundParams,
    modelHash: modelHash as never,
    modelByteCount: 1,
    deadlineInMs: 1_000,
  };
  const agreed = { ...config, ...own };
  const idle = await world.engine.client.acceptInvitation(
    cohort.primitives,
    invite,
    agreed,
    modelHash,
    cohort.device(1).signer.publicKey,
  );
  if (!idle.ok) {
    world.codes.push(idle.error);
    return null;
  }
  cohort.device(1).state = idle.value;
  await rogue.advertise();
  if (!(await rogue.share())) return null;
  const view = { collect: [1, 2, 3], u2: [1, 2, 3], u3: [1, 2, 3] };
  await rogue.showViews(() => view);
  const words = await rogue.sumOf([1]);
  return words && { kind: "input", of: cohort, position: 1, words };
}

const LAYOUT_TERMS: LayoutTerms = {
  parameterCount: 6,
  clipNormL2: 1,
  weightCap: 100,
  cohortSizeMax: 8,
};

/** Device 3 masks something other than an input. The honest coordinator opens the sum and reads it. */
export async function spoiled(
  world: World,
  spoil: (input: Uint32Array<ArrayBuffer>) => void,
): Promise<Loot | null> {
  const primitives = await selectPrimitives(globalThis.crypto.subtle);
  const metrics = { count: 10, lossSum: 12.5, correct: 7 };
  const layout = world.engine.layout.vectorLayout(LAYOUT_TERMS);
  const inputs = new Map<number, Uint32Array<ArrayBuffer>>();
  for (const position of [1, 2, 3]) {
    const update = Float32Array.from({ length: 6 }, (_, index) => (index - position) / 20);
    const contribution = { update, numExamples: 10, metricsBefore: metrics, metricsAfter: metrics };
    const encoded = await encodeVector(primitives, layout, contribution, new Uint8Array(32));
    assert(encoded.ok, "a finite update");
    inputs.set(position, encoded.value.words);
  }
  const cohort = await SecaggCohort.create({
    count: 3,
    engine: world.engine,
    vectorLength: layout.length,
    input: (position) => present(inputs.get(position), "an input"),
  });
  for (const step of ["advertiseAll", "shareAll"] as const) await cohort[step]();
  const spoiler = cohort.device(3);
  const own = spoiler.input;
  spoiler.input = own.slice();
  spoil(spoiler.input);
  for (const step of ["collectAll", "confirmAll", "openAll"] as const) await cohort[step]();
  spoiler.input = own;
  assert(lastSent(spoiler, "unmask").bShares.length === 3, "it went along to the end");
  const result = await cohort.finish();
  assert(result.kind === "committed", "all masks came off");
  const decoded = world.engine.decode.decodeSum(layout, result.sum.slice(), 3);
  if (!decoded.ok) {
    world.codes.push(decoded.error.type);
    return null;
  }
  return { kind: "wrong-sum", of: cohort, taken: result };
}

export const MASK_ATTACKS: readonly Attack[] = [
  {
    name: "[S3] [S4] an input that is there while its device counts as a dropout, whose pair masks are opened",
    section: "9 INPUT",
    stoppedBy: null,
    without: [
      {
        file: "shared/secagg/client-mask.ts",
        find: "const masks: Mask[] = [{ key: selfKey, sign: 1 }];",
        replace: "const masks: Mask[] = [];",
      },
    ],
    run: lateInput,
  },
  {
    name: "[S7] a self-mask seed from one share fewer than t",
    section: "3",
    stoppedBy: null,
    without: [
      {
        file: "shared/secagg/client-share.ts",
        find: "splitSecret(state.b.reveal(), t, xs, random, field)",
        replace: "splitSecret(state.b.reveal(), t - 1, xs, random, field)",
      },
    ],
    run: tooFewShares,
  },
  {
    name: "[S13] every seed that a weak source could have drawn is tried",
    section: "2",
    stoppedBy: null,
    without: [
      {
        file: "shared/secagg/client.ts",
        find: "const z = new Secret(random(32));",
        replace: "const z = new Secret(random(32).fill(0, 1));",
      },
      {
        file: "shared/secagg/client.ts",
        find: "const b = new Secret(random(32));",
        replace: "const b = new Secret(random(32).fill(0, 1));",
      },
    ],
    run: guessedSeeds,
  },
  {
    name: "[S10] the input is asked for again, so that one mask lies over two inputs",
    section: "6",
    stoppedBy: null,
    without: [
      {
        file: "shared/secagg/client.ts",
        find: 'if (state.phase !== "shared") return onRepeated(state, message);',
        replace: "",
      },
      { file: "shared/secagg/client-mask.ts", find: "state.b.wipe();", replace: "" },
      {
        file: "shared/secagg/client-mask.ts",
        find: "for (const key of [...state.pairMaskKeys.values(), ...state.openingKeys.values()]) key.wipe();",
        replace: "",
      },
      {
        file: "shared/secagg/client-mask.ts",
        find: "inputRoot: root,",
        replace:
          "inputRoot: root, b: state.b, ownBShare: state.ownBShare, pairMaskKeys: state.pairMaskKeys, openingKeys: state.openingKeys,",
      },
    ],
    run: secondInput,
  },
  {
    name: "[S8] an invitation with a smaller least cohort than was agreed to",
    section: "9 IDLE",
    stoppedBy: "CONFIG",
    without: [
      {
        file: "shared/secagg/client.ts",
        find: 'if (!equalBytes(offered, agreed) || invite.modelHash !== modelHash) return err("CONFIG");',
        replace: "",
      },
      // Its own rules are the next line of defence: the rules told to the others would differ.
      {
        file: "shared/secagg/client.ts",
        find: "attempt, config: expected, roundParams",
        replace: "attempt, config: invite.config, roundParams",
      },
    ],
    run: otherRules,
  },
  {
    name: "[S6] [S25] a round of a purpose that nobody agreed to",
    section: "9 IDLE",
    stoppedBy: "CONFIG",
    without: [
      {
        file: "shared/secagg/client.ts",
        find: 'if (expected.vectors[roundParams.purpose] === undefined) return err("CONFIG");',
        replace: "",
      },
      // Nobody agreed to a length for such a vector, so a device could not make one either.
      {
        file: "shared/task/config.ts",
        find: "terms.config.vectors[purpose]",
        replace: "terms.config.vectors.train",
      },
    ],
    run: otherPurpose,
  },
  {
    name: "[S2] a device whose mask is not the agreed one",
    section: "5",
    stoppedBy: "sentinel",
    without: [
      {
        file: "shared/vector/segments/sentinels.ts",
        find: "(value) => value !== survivorCount * clip.value",
        replace: "(value) => value === Infinity",
      },
      {
        file: "shared/vector/segments/update.ts",
        find: "if (value > bound || value < -bound) return",
        replace: "if (value === Infinity) return",
      },
      {
        file: "shared/vector/segments/weight.ts",
        find: "value < 1 || value > clip.max * survivorCount",
        replace: "value === Infinity",
      },
      {
        file: "shared/vector/segments/metrics.ts",
        find: "if (value < (signed ? -bound : 0) || value > bound) return",
        replace: "if (value === Infinity) return",
      },
    ],
    run: (world) =>
      spoiled(world, (input) => {
        for (const [index, word] of randomWords("garbage", input.length).entries()) {
          input[index] = (input[index] as number) + word;
        }
      }),
  },
  {
    name: "[S2] an update outside of what all devices together can have",
    section: "7",
    stoppedBy: "range",
    without: [
      {
        file: "shared/vector/segments/update.ts",
        find: "if (value > bound || value < -bound) return",
        replace: "if (value === Infinity) return",
      },
    ],
    run: (world) =>
      spoiled(world, (input) => {
        input[0] = 2 ** 31 - 1 - 2 ** 20;
      }),
  },
];
