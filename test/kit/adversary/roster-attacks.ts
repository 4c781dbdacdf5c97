import { shareEncryptionKey } from "#shared/crypto/key-agreement.ts";
import type { Signer } from "#shared/kernel/ports.ts";
import type { AttemptTerms } from "#shared/secagg/attempt.ts";
import { openShares } from "#shared/secagg/bundle.ts";
import { advertItem } from "#shared/secagg/signed-items.ts";
import { positionNo } from "../places.ts";
import { randomWords, seededRandom } from "../secagg-fixtures.ts";
import type { Attack, Loot, World } from "./attack.ts";
import { RogueCoordinator, type View } from "./rogue-coordinator.ts";

/* What a device is told before it advertises, and the roster: R0 and U1. The victim is always position 1. */

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
const everyone = (count: number): View => ({ collect: upTo(count), u2: upTo(count), u3: upTo(count) });

/** Plays the rest of the attempt honestly, and returns what that reveals about the victim. */
async function toTheEnd(rogue: RogueCoordinator): Promise<Loot | null> {
  const count = rogue.cohort.members.length;
  if (!(await rogue.share())) return null;
  await rogue.showViews(() => everyone(count));
  const words = await rogue.sumOf([1]);
  return words && { kind: "input", of: rogue.cohort, position: 1, words };
}

/** A signer that has a device's name but not its key. */
function forger({ publicKey }: Signer): Signer {
  return { publicKey, sign: async (message) => seededRandom(`forged ${message.length}`)(64).fill(1, 31) };
}

/**
 * The others train on a model, or by a plan, that makes every update zero; the victim does not. The sum over all is
 * then the victim's input.
 * Source: Pasquini, Francati and Ateniese 2022, "Eluding secure aggregation in federated
 * learning via model inconsistency".
 */
function inconsistent(what: string, lie: Partial<AttemptTerms>, find: string): Attack {
  return {
    name: `[S6] the others are told another ${what}, under which their updates are zero`,
    section: "5 R0",
    stoppedBy: "BAD_ADVERT_SIG",
    without: [{ file: "shared/secagg/attempt.ts", find, replace: "new Uint8Array(32)" }],
    run: async (world) => {
      const input = (position: number) =>
        position === 1 ? randomWords("of the victim", 8) : new Uint32Array(8);
      const rogue = await RogueCoordinator.create(world, { count: 4, input });
      for (const position of [2, 3, 4]) {
        rogue.cohort.device(position).state = {
          phase: "idle",
          terms: { ...rogue.cohort.attempt.terms, ...lie },
        };
      }
      await rogue.advertise();
      if (!(await rogue.share())) return null;
      await rogue.showViews(() => everyone(4));
      const words = await rogue.sumOf([1, 2, 3, 4]);
      return words && { kind: "input", of: rogue.cohort, position: 1, words };
    },
  };
}

const PLAN = {
  purpose: "train" as const,
  training: {
    epochs: 1,
    batchSize: 32,
    optimizer: { kind: "sgd" as const, learningRate: 1e-30, momentum: 0 },
    proximalMu: 0,
  },
};

async function lowOrder(world: World): Promise<Loot | null> {
  const primitives = world.engine.javascript.javascriptPrimitives();
  // No colluder: the eavesdropper has no secrets.
  const rogue = await RogueCoordinator.create(world, { count: 3, primitives });
  const { cohort } = rogue;
  await rogue.advertise();
  const degenerate = { ...(cohort.members[2] as (typeof cohort.members)[number]), c: new Uint8Array(32) };
  const signature = await cohort.device(3).signer.sign(advertItem(cohort.attempt.header, degenerate));
  cohort.members[2] = { ...degenerate, signature };
  if (!(await rogue.share([1]))) return null;
  const { sid } = cohort.roster;
  const key = await shareEncryptionKey(primitives, new Uint8Array(32), sid, 1, 3);
  const box = cohort.bundles.get(positionNo(1))?.leaves[2]?.ciphertext;
  const opened = box && openShares(key, { sid, dealer: positionNo(1), holder: positionNo(3) }, box);
  return opened?.ok === true
    ? { kind: "sealed-share", of: cohort, dealer: positionNo(1), holder: positionNo(3), b: opened.value.b }
    : null;
}

export const ROSTER_ATTACKS: readonly Attack[] = [
  inconsistent("model", { modelHash: "77".repeat(32) }, "hexToBytes(modelHash)"),
  inconsistent("training plan", { roundParams: PLAN }, "await roundHash(primitives, terms.roundParams)"),
  {
    name: "[S8] a cohort below the agreed minimum, all of it the adversary's but one",
    section: "9 ADVERTISED",
    stoppedBy: "COHORT_TOO_SMALL",
    without: [
      {
        file: "shared/secagg/roster.ts",
        find: 'if (members.length < cohortSizeMin) return err("COHORT_TOO_SMALL");',
        replace: "",
      },
      // The minimum is also part of q, which would otherwise refuse U2 next.
      { file: "shared/cohort/threshold.ts", find: "c + 2, cohortSizeMin", replace: "c + 2, 0" },
    ],
    run: async (world) => {
      const rogue = await RogueCoordinator.create(world, { count: 3, config: { cohortSizeMin: 5 } }, [2, 3]);
      await rogue.advertise();
      return toTheEnd(rogue);
    },
  },
  {
    name: "[S8] a roster filled up with devices that the issuer never certified",
    section: "13",
    stoppedBy: "BAD_CERTIFICATE",
    without: [
      {
        file: "shared/secagg/roster.ts",
        find: 'if (!(await certifies(primitives, config, identity, certificate))) return err("BAD_CERTIFICATE");',
        replace: 'if (certificate.length + identity.length === 0) return err("BAD_CERTIFICATE");',
      },
    ],
    run: async (world) => {
      const rogue = await RogueCoordinator.create(world, { count: 4 }, [2, 3, 4]);
      await rogue.advertise();
      const { members } = rogue.cohort;
      for (const index of [1, 2, 3]) {
        const member = members[index] as (typeof members)[number];
        members[index] = { ...member, certificate: new Uint8Array(64) };
      }
      return toTheEnd(rogue);
    },
  },
  {
    name: "[S6] the coordinator's own keys under the names of all others",
    section: "5 R0",
    stoppedBy: "BAD_ADVERT_SIG",
    without: [
      {
        file: "shared/crypto/signature.ts",
        find: "if (publicKey.length !== 32 || signature.length !== 64) return false;",
        replace: "return true;",
      },
    ],
    run: async (world) => {
      const rogue = await RogueCoordinator.create(world, { count: 4 });
      await rogue.advertise();
      for (const position of [2, 3, 4])
        await rogue.usurp(position, forger(rogue.cohort.device(position).signer));
      if (!(await rogue.share())) return null;
      const view = everyone(4);
      const forged = [2, 3, 4].map((signer) => ({ signer: signer as never, signature: new Uint8Array(64) }));
      await rogue.showViews(
        () => view,
        async () => forged,
      );
      const words = await rogue.sumOf([1]);
      return words && { kind: "input", of: rogue.cohort, position: 1, words };
    },
  },
  {
    name: "[S8] one certified identity on all seats but one",
    section: "9 ADVERTISED",
    stoppedBy: "DUP_KEY",
    without: [
      {
        file: "shared/secagg/roster.ts",
        find: 'if (new Set(keys).size !== keys.length) return err("DUP_KEY");',
        replace: "",
      },
      {
        file: "shared/secagg/roster.ts",
        find: '>= 0) return err("BAD_MESSAGE");',
        replace: '> 0) return err("BAD_MESSAGE");',
      },
    ],
    run: async (world) => {
      const rogue = await RogueCoordinator.create(world, { count: 4 });
      const { cohort } = rogue;
      await rogue.advertise();
      const { signer, certificate } = cohort.device(4);
      for (const position of [2, 3, 4]) {
        await rogue.usurp(position, signer);
        const member = cohort.members[position - 1] as (typeof cohort.members)[number];
        cohort.members[position - 1] = { ...member, certificate };
      }
      if (!(await rogue.share())) return null;
      const view = everyone(4);
      await rogue.showViews(
        () => view,
        async (shown) => rogue.signedBy(signer, shown, [2, 3, 4]),
      );
      const words = await rogue.sumOf([1]);
      return words && { kind: "input", of: cohort, position: 1, words };
    },
  },
  {
    name: "[S5] a device with a sealing key of small order: its shares are for everyone on the line",
    section: "9 ADVERTISED",
    stoppedBy: "LOW_ORDER",
    without: [
      {
        file: "shared/crypto/primitives-javascript.ts",
        find: 'return isAllZero(shared) ? err({ type: "low-order-point" }) : ok(shared);',
        replace: "return ok(shared);",
      },
    ],
    run: lowOrder,
  },
  {
    name: "[S6] a signature plus the group order, which one library takes and another does not",
    section: "2",
    stoppedBy: "BAD_SET_SIG",
    without: [
      {
        file: "shared/crypto/signature.ts",
        find: "if (!isBelow(signature.subarray(32), GROUP_ORDER)) return false;",
        replace: "",
      },
    ],
    run: malleated,
  },
  {
    name: "[S5] [S9] the victim's keys of an earlier life in its roster, so that honest devices complain about one another",
    section: "9 ADVERTISED",
    stoppedBy: "NOT_IN_ROSTER",
    without: [
      {
        file: "shared/secagg/client-share.ts",
        find: 'if (!unchanged) return err("NOT_IN_ROSTER");',
        replace: "",
      },
    ],
    run: earlierAdvert,
  },
  {
    name: "[S6] a sum opened outside the public log that the config names",
    section: "9 SIGNED",
    stoppedBy: "NOT_LOGGED",
    without: [
      {
        file: "shared/secagg/client-open.ts",
        find: "if (!logged.ok) return err({ code: logRefusal(logged.error).code, logFault: logged.error });",
        replace: "",
      },
    ],
    run: unlogged,
  },
];

/** Shows all others the victim's keys from an earlier life, which it signed for the same terms. */
async function earlierAdvert(world: World): Promise<Loot | null> {
  const earlier = await RogueCoordinator.create(world, { count: 4, seed: "earlier", identitySeed: "cohort" });
  await earlier.advertise();
  const rogue = await RogueCoordinator.create(world, { count: 4 });
  const { cohort } = rogue;
  await rogue.advertise();
  cohort.members[0] = earlier.cohort.members[0] as (typeof cohort.members)[number];
  if (!(await rogue.share())) return null;
  // The victim cannot open anyone's boxes and nobody can open the victim's, so every honest device blames another.
  for (const position of upTo(4)) {
    await rogue.collect(position, upTo(4));
    const complaint = cohort.device(position).sent.findLast(({ type }) => type === "complaint");
    if (complaint?.type === "complaint")
      return { kind: "framed-by-complaint", of: cohort, complaint, by: position };
  }
  return null;
}

/** A config that names a public log, and an opening without a proof. */
async function unlogged(world: World): Promise<Loot | null> {
  const config = { logKey: "11".repeat(32) as never };
  const rogue = await RogueCoordinator.create(world, { count: 3, config });
  await rogue.advertise();
  if (!(await rogue.share())) return null;
  await rogue.showViews(() => everyone(3));
  const words = await rogue.sumOf(upTo(3));
  // Every sum of such a config must be in the log; this one is not.
  return words && { kind: "small-sum", of: rogue.cohort, positions: upTo(3), words, least: Infinity };
}

/** S + L is the same scalar: a device with tweetnacl accepts it, one with WebCrypto does not. */
async function malleated(world: World): Promise<Loot | null> {
  const rogue = await RogueCoordinator.create(world, { count: 3 });
  const { cohort } = rogue;
  const javascript = cohort.device(2);
  javascript.tools = { ...javascript.tools, primitives: world.engine.javascript.javascriptPrimitives() };
  await rogue.advertise();
  const view = everyone(3);
  if (!(await rogue.share())) return null;
  for (const position of [1, 2, 3]) {
    await rogue.collect(position, view.collect);
    await rogue.confirm(position, view);
  }
  const confirmations = (await rogue.confirmationsOf(view)).map(({ signer, signature }) =>
    signer === 3 ? { signer, signature: plusGroupOrder(signature) } : { signer, signature },
  );
  const verdicts: string[] = [];
  for (const position of [1, 2]) {
    verdicts.push((await rogue.open(position, view, confirmations)) ? "opens" : "refuses");
  }
  return { kind: "split-verdict", verdicts };
}

const GROUP_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

function plusGroupOrder(signature: Uint8Array): Uint8Array<ArrayBuffer> {
  let scalar = GROUP_ORDER;
  for (let index = 31; index >= 0; index--)
    scalar += BigInt(signature[32 + index] as number) << BigInt(8 * index);
  const changed = Uint8Array.from(signature);
  for (let index = 0; index < 32; index++) changed[32 + index] = Number((scalar >> BigInt(8 * index)) & 255n);
  return changed;
}
