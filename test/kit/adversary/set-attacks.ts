import { assert } from "#shared/kernel/assert.ts";
import type { Edit } from "../planted.ts";
import type { CohortOptions } from "../worlds/cohort-device.ts";
import type { Attack, Loot, World } from "./attack.ts";
import { RogueCoordinator, type View } from "./rogue-coordinator.ts";

/*
 * U2 and U3: different sets for different devices, contradictory sets, and sets that are too small. Seven devices
 * unless stated otherwise: t = q = 5, c = 2; the adversary has 6 and 7, the victim is 1.
 */
const ALL = [1, 2, 3, 4, 5, 6, 7];
const COLLUDERS = [6, 7];

async function shared(world: World, options: Partial<CohortOptions> = {}): Promise<RogueCoordinator> {
  const rogue = await RogueCoordinator.create(world, { count: 7, ...options }, COLLUDERS);
  await rogue.advertise();
  assert(await rogue.share(), "an honest roster");
  return rogue;
}

async function inputOf(rogue: RogueCoordinator, position: number): Promise<Loot | null> {
  const words = await rogue.sumOf([position]);
  return words && { kind: "input", of: rogue.cohort, position, words };
}

/** A sum over fewer than `least` honest devices. */
async function smallSum(
  rogue: RogueCoordinator,
  positions: readonly number[],
  least: number,
): Promise<Loot | null> {
  const words = await rogue.sumOf(positions);
  return words && { kind: "small-sum", of: rogue.cohort, positions, words, least };
}

/**
 * Shows each honest device its own U3, large enough and with itself in it. Together these views make 3, 4 and 5
 * dropouts for t devices each, colluders included, so that the sum of 1 and 2 alone opens.
 */
const PATCHWORK: ReadonlyMap<number, View> = new Map(
  (
    [
      [1, [3, 4]],
      [2, [4, 5]],
      [3, [4, 5]],
      [4, [3, 5]],
      [5, [3, 4]],
    ] as const
  ).map(([position, gone]) => {
    const u3 = ALL.filter((other) => !gone.includes(other as never));
    return [position, { collect: ALL, u2: ALL, u3 }];
  }),
);

type Confirm = (rogue: RogueCoordinator, view: View) => ReturnType<RogueCoordinator["confirmationsOf"]>;

async function patchwork(world: World, confirm?: Confirm, options?: Partial<CohortOptions>) {
  const rogue = await shared(world, options);
  await rogue.showViews(
    (position) => PATCHWORK.get(position) ?? null,
    confirm && ((view) => confirm(rogue, view)),
  );
  // Devices that took the bait gave us the shares; t - c honest inputs were promised.
  return smallSum(rogue, [1, 2], 3);
}

const ENOUGH: Edit = {
  file: "shared/secagg/client-open.ts",
  find: 'if (!reachesThreshold(roster, position, signers)) return err("NOT_ENOUGH_SIGS");',
  replace: "",
};
const OWN_U2 =
  'const { roster, position, u2 } = state;\n  if (!equalBytes(message.u2, u2.bitmap)) return err("EQUIVOCATION");';

/** The same view, confirmed in three other attempts by the three honest devices that may be in it. */
async function replayed(
  world: World,
  elsewhere: (index: number) => Partial<CohortOptions>,
): Promise<Loot | null> {
  const collected = new Map<string, Awaited<ReturnType<Confirm>>>();
  const views = [PATCHWORK.get(1), PATCHWORK.get(2), PATCHWORK.get(4)] as const;
  for (const [index, view] of views.entries()) {
    assert(view !== undefined, "a view");
    const earlier = await shared(world, {
      seed: `earlier ${index}`,
      identitySeed: "cohort",
      ...elsewhere(index),
    });
    const signers = view.u3.filter((position) => earlier.honest.includes(position));
    await earlier.showViews(
      (position) => (signers.includes(position) ? view : null),
      async () => [],
    );
    collected.set(view.u3.join(), await earlier.confirmationsOf(view));
  }
  return patchwork(world, async (_, view) => collected.get(view.u3.join()) ?? []);
}

/** The other attempts of this round, and one of the next round. */
const ATTEMPTS = [{ attempt: 2 }, { attempt: 3 }, { round: 2, attempt: 2 }] as const;

const SESSION_UNBOUND: readonly Edit[] = [
  {
    file: "shared/secagg/signed-items.ts",
    find: "return E(DOMAINS.sets, sid, u2Hash, u3Hash);",
    replace: "return E(DOMAINS.sets, u2Hash, u3Hash);",
  },
  {
    file: "shared/crypto/commitments.ts",
    find: "E(DOMAINS.set, sid, bitmap)",
    replace: "E(DOMAINS.set, bitmap)",
  },
];

function replay(what: string, elsewhere: (index: number) => Partial<CohortOptions>): Attack {
  return {
    name: `[S5] confirmations of ${what}, shown again for these sets`,
    section: "5 R3",
    stoppedBy: "BAD_SET_SIG",
    without: SESSION_UNBOUND,
    run: (world) => replayed(world, elsewhere),
  };
}

export const SET_ATTACKS: readonly Attack[] = [
  {
    name: "[S6] [S8] U1 split: a roster of two honest devices, with the colluders in every part",
    section: "9 ADVERTISED",
    stoppedBy: "COHORT_TOO_SMALL",
    without: [
      {
        file: "shared/secagg/roster.ts",
        find: 'if (members.length < cohortSizeMin) return err("COHORT_TOO_SMALL");',
        replace: "",
      },
      { file: "shared/cohort/threshold.ts", find: "c + 2, cohortSizeMin", replace: "c + 2, 0" },
    ],
    run: async (world) => {
      const rogue = await RogueCoordinator.create(world, { count: 7, config: { cohortSizeMin: 7 } }, [3, 4]);
      await rogue.advertise();
      rogue.cohort.members.splice(4);
      if (!(await rogue.share())) return null;
      const part = [1, 2, 3, 4];
      await rogue.showViews((position) => (position <= 2 ? { collect: part, u2: part, u3: part } : null));
      return smallSum(rogue, [1, 2], 7 - COLLUDERS.length);
    },
  },
  {
    name: "[S8] the victim alone is told a U2 of itself and the colluders",
    section: "9 SHARED",
    stoppedBy: "U2_BELOW_T",
    without: [
      {
        file: "shared/secagg/client-mask.ts",
        find: 'if (inU2.size < roster.thresholds.q) return refuseMasking("U2_BELOW_T");',
        replace: "",
      },
      {
        file: "shared/secagg/client-mask.ts",
        find: 'if (!reachesThreshold(roster, position, inU2)) return refuseMasking("U2_BELOW_T");',
        replace: "",
      },
    ],
    run: async (world) => {
      const rogue = await shared(world);
      const view = { collect: ALL, u2: ALL, u3: ALL };
      await rogue.showViews((position) => (position === 1 ? { ...view, collect: [1, ...COLLUDERS] } : view));
      return inputOf(rogue, 1);
    },
  },
  {
    name: "[S6] the victim masks for another U2 than it is asked to confirm",
    section: "9 MASKED",
    stoppedBy: "EQUIVOCATION",
    without: [
      {
        file: "shared/secagg/client-open.ts",
        find: OWN_U2,
        replace:
          "const { roster, position } = state; const told = await setOfBitmap(primitives, roster, message.u2); const u2 = told.value;",
      },
    ],
    run: async (world) => {
      const rogue = await shared(world);
      // The victim masks with 2 and 3, who then drop out, and with the colluders; the others believe that it masked
      // with all.
      const view = { collect: ALL, u2: ALL, u3: [1, 4, 5, ...COLLUDERS] };
      const small = { ...view, collect: [1, 2, 3, ...COLLUDERS] };
      await rogue.showViews((position) => [small, null, null, view, view][position - 1] ?? null);
      return inputOf(rogue, 1);
    },
  },
  {
    name: "[S1] [S6] U3 with the victim for some and without it for the others, under a t of the coordinator's own",
    section: "4",
    stoppedBy: "NOT_ENOUGH_SIGS",
    without: [
      { file: "shared/cohort/threshold.ts", find: 'model === "active"', replace: 'model !== "active"' },
    ],
    run: async (world) => {
      const rogue = await shared(world);
      const view = { collect: ALL, u2: ALL, u3: ALL };
      const without = { ...view, u3: ALL.filter((position) => position !== 1) };
      await rogue.showViews((position) => (position <= 3 ? view : without));
      return inputOf(rogue, 1);
    },
  },
  {
    name: "[S6] U3 of a patchwork: every device another view, each with fewer than t confirmations",
    section: "9 SIGNED",
    stoppedBy: "NOT_ENOUGH_SIGS",
    without: [ENOUGH],
    run: (world) => patchwork(world),
  },
  {
    name: "[S6] the patchwork, with forged confirmations for those that are missing",
    section: "9 SIGNED",
    stoppedBy: "BAD_SET_SIG",
    without: [
      {
        file: "shared/secagg/client-open.ts",
        find: 'return verdicts.every(Boolean) ? ok(undefined) : err("BAD_SET_SIG");',
        replace: "return ok(undefined);",
      },
    ],
    run: (world) =>
      patchwork(world, async (rogue, view) => {
        const given = await rogue.confirmationsOf(view);
        return view.u3.map(
          (signer) =>
            given.find((confirmation) => confirmation.signer === signer) ?? {
              signer: signer as never,
              signature: new Uint8Array(64),
            },
        );
      }),
  },
  {
    name: "[S6] the patchwork, with one colluder's confirmation several times",
    section: "9 SIGNED",
    stoppedBy: "BAD_SET_SIG",
    without: [
      {
        file: "shared/secagg/client-open.ts",
        find: 'if (signer <= before || !survivors.has(signer)) return err("BAD_SET_SIG");',
        replace: "",
      },
      // Signers are counted as a set; a device that counts signatures is fooled.
      {
        file: "shared/secagg/client-open.ts",
        find: "if (!reachesThreshold(roster, position, signers)) return",
        replace: "if (confirmations.length < roster.thresholds.t) return",
      },
    ],
    run: (world) =>
      patchwork(world, async (rogue, view) => {
        const given = await rogue.confirmationsOf(view);
        return [...given, ...given, ...given].slice(0, 5);
      }),
  },
  replay("other attempts", (index) => ({ terms: ATTEMPTS[index] as (typeof ATTEMPTS)[number] })),
  replay("other rounds", (index) => ({ terms: { round: index + 2 } })),
  replay("another run", (index) => ({
    terms: { round: index + 1, runId: "0192f0c0ffee70008000000000000bad" },
  })),
  replay("another task", (index) => ({ terms: { round: index + 1 }, config: { task: "hmda" as never } })),
  {
    name: "[S8] U3 below the agreed minimum, though not below t",
    section: "9 MASKED",
    stoppedBy: "U3_BELOW_T",
    without: [
      {
        file: "shared/secagg/client-open.ts",
        find: 'if (survivors.size < roster.thresholds.q) return err("U3_BELOW_T");',
        replace: "",
      },
    ],
    run: async (world) => {
      const rogue = await shared(world, { config: { cohortSizeMin: 7 } });
      const view = { collect: ALL, u2: ALL, u3: [1, 2, 3, ...COLLUDERS] };
      await rogue.showViews((position) => (view.u3.includes(position) ? view : null));
      return smallSum(rogue, [1, 2, 3], 7 - COLLUDERS.length);
    },
  },
  {
    name: "[S6] U3 filled up with a device outside U2",
    section: "9 MASKED",
    stoppedBy: "U3_NOT_IN_U2",
    without: [
      {
        file: "shared/secagg/client-open.ts",
        find: 'if (without(u3, u2).length > 0) return err("U3_NOT_IN_U2");',
        replace: "",
      },
    ],
    run: async (world) => {
      const rogue = await shared(world, { config: { cohortSizeMin: 6 } });
      const u2 = [1, 2, 3, 4, ...COLLUDERS];
      const view = { collect: u2, u2, u3: [1, 2, 3, 5, ...COLLUDERS] };
      await rogue.showViews((position) => (position <= 3 ? view : null));
      return smallSum(rogue, [1, 2, 3], 6 - COLLUDERS.length);
    },
  },
  {
    name: "[S8] both sets filled up with a position that does not exist, in the padding of the bitmap",
    section: "5",
    stoppedBy: "BAD_MESSAGE",
    without: [
      {
        file: "shared/crypto/position-set.ts",
        find: 'if (bit >= rosterSize) return err({ type: "padding" });',
        replace: "",
      },
    ],
    run: async (world) => {
      const rogue = await shared(world, { config: { cohortSizeMin: 6 } });
      const view = { collect: [...ALL, 8], u2: [...ALL, 8], u3: [1, 2, 3, ...COLLUDERS, 8] };
      await rogue.showViews((position) => (position <= 3 ? view : null));
      return smallSum(rogue, [1, 2, 3], 6 - COLLUDERS.length);
    },
  },
  {
    name: "[S1] after the opening the same question again, for a U3 without the victim",
    section: "9 REVEALED",
    stoppedBy: "EQUIVOCATION",
    without: [
      // A device that keeps everyone's other share, and accepts sets again.
      { file: "shared/secagg/client-open.ts", find: "z?.wipe();", replace: "" },
      { file: "shared/secagg/client-open.ts", find: "b.wipe();", replace: "" },
      {
        file: "shared/secagg/client-open.ts",
        find: "sets: { u2, u3 },",
        replace: "sets: { u2, u3 }, u2, shares: state.shares,",
      },
      {
        file: "shared/secagg/client-open.ts",
        find: "inputRoot,\n    signature,",
        replace: "inputRoot,\n    signature, u2: sets.u2, shares: state.shares,",
      },
      {
        file: "shared/secagg/client.ts",
        find: 'if (state.phase !== "masked") return onRepeated(state, message);',
        replace: "",
      },
    ],
    run: async (world) => {
      const rogue = await shared(world);
      const view = { collect: ALL, u2: ALL, u3: ALL };
      await rogue.showViews(() => view);
      const again = { ...view, u3: ALL.filter((position) => position !== 1) };
      const others = rogue.honest.filter((position) => position !== 1);
      for (const position of others) await rogue.confirm(position, again);
      for (const position of others) await rogue.open(position, again);
      return inputOf(rogue, 1);
    },
  },
  {
    name: "[S6] the patchwork, with a t of the coordinator's own in the question",
    section: "4",
    stoppedBy: "BAD_MESSAGE",
    without: [
      {
        file: "shared/protocol/messages/coordinator.ts",
        find: "confirmations: z.array(",
        replace: "t: z.int().optional(),\n  confirmations: z.array(",
      },
      {
        file: "shared/secagg/client-open.ts",
        find: 'if (!sameSets(state, message)) return err({ code: "EQUIVOCATION", logFault: null });',
        replace: "roster.thresholds.t = message.t ?? roster.thresholds.t;",
      },
    ],
    run: async (world) => {
      const rogue = await shared(world);
      await rogue.showViews((position) => PATCHWORK.get(position) ?? null, undefined, { t: 3 });
      return smallSum(rogue, [1, 2], 3);
    },
  },
];
