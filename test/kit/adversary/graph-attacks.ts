import { sessionId } from "#shared/crypto/commitments.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import { ringGraph } from "#shared/secagg/graph.ts";
import { shardOf, shardPlanOf } from "#shared/secagg/shard-plan.ts";
import { advertItem } from "#shared/secagg/signed-items.ts";
import { positionNo } from "../places.ts";
import type { CohortOptions } from "../worlds/cohort-device.ts";
import type { Attack, Loot, OpenAttack, World } from "./attack.ts";
import { RogueCoordinator } from "./rogue-coordinator.ts";

/* Large cohorts: shards from a public seed, and rosters in which a device meets only some of the others. */

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

/** Six devices in one shard, the victim's, whatever shards the others belong to. */
async function besieged(world: World, identitySeed: string, count: number): Promise<RogueCoordinator> {
  const options: CohortOptions = {
    count: 6,
    identitySeed,
    config: { graph: { kind: "shards", size: 8, count } },
  };
  const { cohort } = await RogueCoordinator.create(world, options);
  const shard = shardOf(shardPlanOf(cohort.attempt.terms), cohort.device(1).signer.publicKey);
  return RogueCoordinator.create(world, { ...options, terms: { shard } }, [2, 3, 4, 5, 6]);
}

/** The devices of a roster that belong to its shard. */
function atHome({ cohort }: RogueCoordinator): number[] {
  const { terms } = cohort.attempt;
  const plan = shardPlanOf(terms);
  return cohort.devices
    .filter(({ signer }) => shardOf(plan, signer.publicKey) === terms.shard)
    .map(({ position }) => position);
}

async function siege(rogue: RogueCoordinator): Promise<Loot | null> {
  await rogue.advertise();
  if (!(await rogue.share()) || !(await rogue.collect(1, upTo(6)))) return null;
  const words = await rogue.sumOf([1]);
  return words && { kind: "input", of: rogue.cohort, position: 1, words };
}

async function movedIdentities(world: World): Promise<Loot | null> {
  const rogue = await besieged(world, "moved", 3);
  // In such a shard c is 2: chance put at most that many colluders here.
  assert(atHome(rogue).length <= 3, "most are moved");
  return siege(rogue);
}

/** Two of seven collude and try new keys until the ring places them on both sides of the victim. */
async function groundRing(world: World, config: CohortOptions["config"]): Promise<Loot | null> {
  const rogue = await RogueCoordinator.create(
    world,
    { count: 7, config: { graph: { kind: "k-regular", corruptShare: 0, dropoutShare: 0 }, ...config } },
    [6, 7],
  );
  const { primitives, attempt, members, devices } = rogue.cohort;
  await rogue.advertise();
  for (let tries = 1; ; tries++) {
    assert(tries < 500, "one in fifteen rings suits");
    const adverts = members.map((member) => advertItem(attempt.header, member));
    const ring = ringGraph(await sessionId(primitives, attempt.header, adverts), 7, 2);
    if (ring.neighbours(positionNo(1)).join() === "6,7") break;
    await rogue.usurp(7, present(devices[6], "a colluder").signer, `try ${tries}`);
  }
  if (!(await rogue.share()) || !(await rogue.collect(1, upTo(7)))) return null;
  const words = await rogue.sumOf([1]);
  return words && { kind: "input", of: rogue.cohort, position: 1, words };
}

export const GRAPH_ATTACKS: readonly Attack[] = [
  {
    name: "[S6] identities of other shards moved into the victim's",
    section: "10",
    stoppedBy: "CONFIG",
    without: [
      { file: "shared/secagg/roster.ts", find: 'if (!sameShard) return err("CONFIG");', replace: "" },
    ],
    run: movedIdentities,
  },
  {
    name: "[S6] [S8] a sparse roster against an active coordinator, who sits on either side of the victim",
    section: "10",
    stoppedBy: "CONFIG",
    without: [
      {
        file: "shared/secagg/roster.ts",
        find: 'if (isSparse(graph) && securityModel === "active") return err("CONFIG");',
        replace: "",
      },
    ],
    run: (world) => groundRing(world, {}),
  },
];

export const OPEN_GRAPH_ATTACKS: readonly OpenAttack[] = [
  {
    name: "[S6] a sparse roster ground by an active coordinator where the task asks for an honest one",
    section: "10",
    answer:
      "a device under the active policy refuses such a roster; the task's page says which policy it has",
    run: (world) => groundRing(world, { securityModel: "honest-but-curious" }),
  },
  {
    name: "[S16] devices made, or chosen among those there are, after the seed of the shards was known",
    section: "10",
    answer: "an issuer that the coordinator does not control certifies before the round, not in it",
    run: async (world) => {
      const rogue = await besieged(world, GROUND_SEED, 2);
      assert(atHome(rogue).length === 6, "all are in the victim's shard by their own hash");
      return siege(rogue);
    },
  },
];

/** Found by trial: one seed in 32 puts five more devices into the victim's shard of two. */
const GROUND_SEED = "ground 25";
