import { assert, present } from "#shared/kernel/assert.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import { bundleTree } from "#shared/secagg/bundle.ts";
import { holdersIn } from "#shared/secagg/roster.ts";
import { bundleItem, unmaskItem } from "#shared/secagg/signed-items.ts";
import { positionNo } from "../places.ts";
import { type CohortDevice, lastSent, type Unmask } from "../worlds/cohort-device.ts";
import { SecaggCohort } from "../worlds/secagg-cohort.ts";
import type { Attack, Loot, World } from "./attack.ts";

/*
 * Shares: what a coordinator changes in transit, and what dishonest dealers and holders do to an honest coordinator.
 * Seven devices, t = 5; 6 and 7 are dishonest.
 */
const HONEST = [1, 2, 3, 4, 5];
type Sealed = ReturnType<SecaggCohort["collectMessage"]>["shares"];

const flip = (bytes: Bytes): Bytes =>
  Uint8Array.from(bytes, (byte, index) => (index === 30 ? byte ^ 4 : byte));

/** The coordinator changes what device 1 receives; an honest one would judge the complaint that follows. */
function framing(name: string, change: (shares: Sealed, others: Sealed) => Sealed): Attack {
  return {
    name,
    section: "5 R1",
    stoppedBy: "SHARE_AUTH",
    without: [
      {
        file: "shared/secagg/client-mask.ts",
        find: 'if (!included || !signed) return refuseMasking("SHARE_AUTH");',
        replace: "",
      },
    ],
    run: async (world) => {
      const cohort = await shared(world);
      const message = cohort.collectMessage(1);
      const shares = change(message.shares, cohort.collectMessage(4).shares);
      await world.tell(cohort, 1, { ...message, shares });
      const complaint = cohort.device(1).sent.findLast(({ type }) => type === "complaint");
      return complaint?.type === "complaint"
        ? { kind: "framed-by-complaint", of: cohort, complaint, by: 1 }
        : null;
    },
  };
}

async function shared(world: World, dropout?: number): Promise<SecaggCohort> {
  const lastSteps = new Map<number, "share">(dropout === undefined ? [] : [[dropout, "share"]]);
  const cohort = await SecaggCohort.create({ count: 7, vectorLength: 8, engine: world.engine, lastSteps });
  for (const step of ["advertiseAll", "shareAll"] as const) assert((await cohort[step]()) === null, step);
  return cohort;
}

/** Runs an attempt up to the opening, which `tamper` may change. */
async function opened(
  world: World,
  cohort: SecaggCohort,
  tamper?: Parameters<SecaggCohort["openAll"]>[0],
): Promise<SecaggCohort> {
  for (const step of ["collectAll", "confirmAll"] as const) {
    const code = await cohort[step]();
    if (code !== null) world.codes.push(code);
    if (code !== null) return cohort;
  }
  await cohort.openAll(tamper);
  return cohort;
}

async function taken(world: World, cohort: SecaggCohort): Promise<Loot> {
  const result = await cohort.finish();
  if (result.kind === "ended") world.codes.push(result.code);
  return { kind: "wrong-sum", of: cohort, taken: result };
}

/** The dealers that an honest coordinator blames for a sum that does not open. */
async function namedDealers(world: World, cohort: SecaggCohort): Promise<Loot> {
  const result = await cohort.finish();
  if (result.kind === "ended") world.codes.push(result.code);
  return { kind: "framed", named: result.kind === "ended" ? result.dealers : [], honest: HONEST };
}

/** Device 6 deals well-committed shares of a secret other than the one it announced. */
async function dealtWrongly(world: World, secret: "b" | "z"): Promise<Loot> {
  const lastSteps = new Map<number, "share">(secret === "z" ? [[6, "share"]] : []);
  const cohort = await SecaggCohort.create({ count: 7, vectorLength: 8, engine: world.engine, lastSteps });
  await cohort.advertiseAll();
  const { state } = cohort.device(6);
  assert(state.phase === "advertised", "after R0");
  // It masks with what it announced; only the shares belong to something else.
  const announced = state[secret].reveal().slice();
  state[secret].reveal().fill(42);
  await cohort.shareAll();
  state[secret].reveal().set(announced);
  await opened(world, cohort);
  return taken(world, cohort);
}

/** Device 6 seals a share for device 1 that differs from the one it committed to. */
async function dealtTwoWays(world: World): Promise<SecaggCohort> {
  const cohort = await shared(world);
  const { primitives, roster, engine } = cohort;
  const dealer = cohort.device(6);
  const leaves = lastSent(dealer, "share").leaves.map((leaf, index) =>
    index === 0 ? { ...leaf, bShareCommit: flip(leaf.bShareCommit) } : leaf,
  );
  const { root } = await bundleTree(primitives, holdersIn(roster, positionNo(6)), leaves);
  const signature = await dealer.signer.sign(bundleItem(roster.sid, positionNo(6), root));
  const message = { sid: roster.sidHex, leaves, signature };
  const bundle = await engine.server.verifyShareBundle(primitives, roster, positionNo(6), message);
  assert(bundle.ok, "a well-formed bundle");
  cohort.bundles.set(positionNo(6), bundle.value);
  return cohort;
}

/** Gives a wrong share of device 1's b, with a new signature. */
async function lying(cohort: SecaggCohort, device: CohortDevice, message: Unmask): Promise<Unmask> {
  if (HONEST.includes(device.position)) return message;
  const bShares = message.bShares.map((held) =>
    held.owner === 1 ? { ...held, share: flip(held.share) } : held,
  );
  return signedAnew(cohort, device, message, bShares);
}

async function signedAnew(
  cohort: SecaggCohort,
  device: CohortDevice,
  message: Unmask,
  bShares: Unmask["bShares"],
): Promise<Unmask> {
  const { roster, sets } = cohort;
  const hashes = { u2Hash: sets.u2.hash, u3Hash: sets.u3.hash };
  const item = unmaskItem(roster.sid, device.position, hashes, bShares, message.zShares);
  return { ...message, bShares, signature: await device.signer.sign(item) };
}

/** Makes the coordinator believe a dishonest holder. */
const HOLDERS_WORD = {
  file: "shared/secagg/server.ts",
  find: "bShares: bShares.filter((_, index) => bMatches[index]),",
  replace: "bShares,",
};
const DEALERS_WORD = {
  file: "shared/secagg/opening.ts",
  find: "if (equalBytes(await bCommit(primitives, announced.identity, b), announced.bCommit)) {",
  replace: "if (b.length === 32) {",
};

/** Both dishonest holders lie, and position 2 has left. Without spare shares every wrong one counts. */
async function withLiar(world: World): Promise<SecaggCohort> {
  const cohort = await SecaggCohort.create({
    count: 7,
    vectorLength: 8,
    engine: world.engine,
    lastSteps: new Map([[2, "confirm"]]),
  });
  for (const step of ["advertiseAll", "shareAll"] as const) await cohort[step]();
  return opened(world, cohort, (device, message) => lying(cohort, device, message));
}

/**
 * A device that was away since its upload is told of a sum of `survivorCount` that does not exist: its own leaf is
 * real, the others are made up.
 */
export async function soleOutcome(world: World, survivorCount: number): Promise<Loot | null> {
  const cohort = await shared(world);
  await world.tell(cohort, 1, cohort.collectMessage(1));
  const { state } = cohort.device(1);
  assert(state.phase === "masked", "its input is in");
  const roots = Array.from({ length: survivorCount }, (_, index) =>
    index === 0 ? state.inputRoot : new Uint8Array(32).fill(index),
  );
  const inputs = await cohort.engine.opening.inputsTree(cohort.primitives, roots);
  const { committedOutcome } = cohort.engine.opening;
  const u3 = { ...state.u2, positions: state.u2.positions.slice(0, survivorCount) };
  const outcome = committedOutcome(
    cohort.roster,
    { u2: state.u2, u3 },
    inputs,
    positionNo(1),
    "44".repeat(32),
  );
  await world.tell(cohort, 1, outcome);
  return { kind: "false-receipt", of: cohort, position: 1, summed: [] };
}

export const SHARE_ATTACKS: readonly Attack[] = [
  framing("[S9] a sealed share with a flipped bit, so that its dealer is complained about", (shares) =>
    shares.map((share, index) => (index === 0 ? { ...share, ciphertext: flip(share.ciphertext) } : share)),
  ),
  framing("[S5] [S9] two dealers' sealed shares in each other's place", (shares) => {
    const [first, second, ...rest] = shares as [Sealed[number], Sealed[number], ...Sealed];
    const boxOf = ({ ciphertext, path, root, signature }: Sealed[number]) => ({
      ciphertext,
      path,
      root,
      signature,
    });
    return [{ ...first, ...boxOf(second) }, { ...second, ...boxOf(first) }, ...rest];
  }),
  framing("[S5] [S9] a sealed share that is meant for another device", (shares, others) =>
    shares.map((share) => others.find(({ dealer }) => dealer === share.dealer) ?? share),
  ),
  framing("[S9] a share's commitment exchanged on the way", (shares) =>
    shares.map((share, index) =>
      index === 0 ? { ...share, zShareCommit: flip(share.zShareCommit) } : share,
    ),
  ),
  {
    name: "[S9] a dealer commits to another share than it seals, so that the holder is blamed later",
    section: "5 R1",
    stoppedBy: "COMPLAINT",
    without: [
      {
        file: "shared/secagg/client-mask.ts",
        find: "if (zMatches && bMatches) return opened;",
        replace: "if (zMatches || bMatches) return opened;",
      },
    ],
    run: async (world) => {
      const cohort = await opened(world, await dealtTwoWays(world));
      const named = [...cohort.openings.values()].filter(({ offCommitment }) => offCommitment.length > 0);
      return { kind: "framed", named: named.map(({ holder }) => holder), honest: HONEST };
    },
  },
  {
    name: "[S2] [S9] a survivor deals shares of another self-mask seed than it announced",
    section: "5 R4",
    stoppedBy: "BAD_B",
    without: [DEALERS_WORD],
    run: (world) => dealtWrongly(world, "b"),
  },
  {
    name: "[S2] [S9] a dropout dealt shares of another pair-mask seed than it announced",
    section: "5 R4",
    stoppedBy: "BAD_S",
    without: [
      {
        file: "shared/secagg/opening.ts",
        find: "if (equalBytes(pair.publicKey, memberAt(roster, owner).s)) {",
        replace: "if (pair.publicKey.length === 32) {",
      },
    ],
    run: (world) => dealtWrongly(world, "z"),
  },
  {
    name: "[S9] a holder gives a wrong share, so that its honest dealer is named",
    section: "5 R4",
    stoppedBy: "BELOW_T",
    without: [HOLDERS_WORD],
    run: async (world) => namedDealers(world, await withLiar(world)),
  },
  {
    name: "[S2] a holder gives a wrong share, so that the sum is another",
    section: "5 R4",
    stoppedBy: "BELOW_T",
    without: [HOLDERS_WORD, DEALERS_WORD],
    run: async (world) => taken(world, await withLiar(world)),
  },
  {
    name: "[S2] [S9] a holder hands its shares in twice, so that too few look like enough and the coordinator trips",
    section: "5 R4",
    stoppedBy: "BELOW_T",
    without: [
      {
        file: "shared/secagg/server.ts",
        find: "shares.map(({ owner }) => owner).join() === owners.filter((owner) => held.has(owner)).join() &&",
        replace: "owners.every((owner) => held.has(owner)) &&",
      },
    ],
    run: async (world) => {
      const lastSteps = new Map([1, 2, 3].map((position) => [position, "confirm"] as const));
      const cohort = await SecaggCohort.create({
        count: 7,
        vectorLength: 8,
        engine: world.engine,
        lastSteps,
      });
      for (const step of ["advertiseAll", "shareAll"] as const) await cohort[step]();
      // Four are left for the opening, one fewer than t.
      await opened(world, cohort, async (device, message) =>
        device.position === 7
          ? signedAnew(cohort, device, message, [...message.bShares, ...message.bShares])
          : message,
      );
      const fault = await cohort.finish().then(
        (result) => {
          if (result.kind === "ended") world.codes.push(result.code);
          return null;
        },
        (thrown: unknown) => thrown,
      );
      return { kind: "crash", fault };
    },
  },
  {
    name: "[S2] the outcome leaves out an input and says to its device that it is in the sum",
    section: "9 REVEALED",
    stoppedBy: "EQUIVOCATION",
    without: [
      {
        file: "shared/secagg/client.ts",
        find: 'if (!credible) return aborted("EQUIVOCATION");',
        replace: "",
      },
    ],
    run: async (world) => {
      const cohort = await opened(world, await shared(world));
      const summed = cohort.sets.u3.positions.filter((position) => position !== 1);
      const roots = cohort.sets.u3.positions.map(
        (position) => present(cohort.inputs.get(position === 1 ? positionNo(2) : position), "an input").root,
      );
      const tree = await cohort.engine.opening.inputsTree(cohort.primitives, roots);
      const outcome = cohort.engine.opening.committedOutcome(
        cohort.roster,
        cohort.sets,
        tree,
        positionNo(1),
        "44".repeat(32),
      );
      await world.tell(cohort, 1, outcome);
      return { kind: "false-receipt", of: cohort, position: 1, summed };
    },
  },
  {
    name: "[S2] [S8] a device that never heard U3 is told that it is in a sum, of itself alone",
    section: "9 MASKED",
    stoppedBy: "EQUIVOCATION",
    without: [
      {
        file: "shared/secagg/client-open.ts",
        find: "if (survivorCount < roster.thresholds.q) return false;",
        replace: "",
      },
    ],
    run: (world) => soleOutcome(world, 1),
  },
];
