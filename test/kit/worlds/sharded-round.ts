import { createPrivateKey, createPublicKey } from "node:crypto";
import type { AgreedGraph } from "#shared/cohort/graph-plan.ts";
import { bCommit } from "#shared/crypto/commitments.ts";
import { maskKeyPairFromSeed, pairMaskKey, pairMaskSign, selfMaskKey } from "#shared/crypto/key-agreement.ts";
import { addMasks, type Mask } from "#shared/crypto/mask-stream.ts";
import { fieldFor, splitSecret } from "#shared/crypto/shamir.ts";
import { localSigner } from "#shared/crypto/signature.ts";
import { PKCS8_PREFIX } from "#shared/crypto/subtle-like.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import { type Bytes, compareBytes, concatBytes } from "#shared/kernel/bytes.ts";
import type { Position } from "#shared/kernel/places.ts";
import type { Primitives } from "#shared/kernel/ports.ts";
import { openAttempt } from "#shared/secagg/attempt.ts";
import { reconstructMasks } from "#shared/secagg/opening.ts";
import { type SessionSets, setOfPositions, without } from "#shared/secagg/position-sets.ts";
import { memberAt, neighboursOf, type Roster, type RosterMember } from "#shared/secagg/roster.ts";
import { buildRoster, type GivenShares } from "#shared/secagg/server.ts";
import { type ShardPlan, shardOf, shardPlanOf } from "#shared/secagg/shard-plan.ts";
import { fakePrimitives } from "../fakes/fake-primitives.ts";
import { positionNo } from "../places.ts";
import { plainSum, seededRandom, TEST_TRAINING, testConfig } from "../secagg-fixtures.ts";
import type { LastStep } from "./cohort-device.ts";
import { runCohort } from "./secagg-cohort.ts";

/*
 * A round of thousands of devices in shards. Identities are real Ed25519 keys and are assigned to shards by the
 * product's code. A real shard runs the whole protocol with real cryptography, message by message. The others run only
 * its masks: real rosters, thresholds, key derivation, Shamir and opening over fake primitives, without messages.
 */

export interface ShardedRound {
  readonly deviceCount: number;
  /** Fraction of the devices that leave during the round. */
  readonly dropoutShare: number;
  readonly vectorLength: number;
  readonly seed: string;
  /** True if this shard uses real cryptography. */
  readonly isReal: (shard: number) => boolean;
}

export interface ShardResult {
  readonly shard: number;
  readonly rosterSize: number;
  readonly survivorCount: number;
  readonly real: boolean;
  /** Sum after the masks are removed, in the ring. */
  readonly sum: Uint32Array;
  /** Plain inputs of the survivors. */
  readonly inputs: readonly Int32Array[];
}

/** Largest coordinate that the layout allows for sums of up to 160. */
export const QUANTIZED_MAX = Math.floor((2 ** 31 - 1) / 160);

interface Device {
  readonly seed: Bytes;
  readonly identity: Bytes;
  readonly input: Int32Array<ArrayBuffer>;
  /** Null if it stays to the end. */
  readonly lastStep: LastStep | null;
}

/** The terms of this one round. */
const ROUND = { runId: "0192f0c0ffee7000800000000000beef", round: 1, modelHash: "33".repeat(32) };

function graphFor({ deviceCount }: ShardedRound): AgreedGraph {
  return { kind: "shards", size: 96, count: Math.ceil(deviceCount / 96) };
}

function sizesFor(options: ShardedRound) {
  return { cohortSizeMin: 10, cohortSizeMax: 160, graph: graphFor(options) };
}

/** All shards, in order. */
export async function* runShardedRound(options: ShardedRound): AsyncGenerator<ShardResult> {
  const plan = shardPlanOf({ ...ROUND, config: { graph: graphFor(options) } });
  assert(plan !== null, "enough devices for several shards");
  for (const [shard, devices] of devicesByShard(options, plan).entries()) {
    const run = options.isReal(shard) ? realShard : maskedShard;
    yield await run(options, shard, devices);
  }
}

function devicesByShard(options: ShardedRound, plan: ShardPlan): readonly (readonly Device[])[] {
  const random = seededRandom(options.seed);
  const shards = Array.from({ length: plan.shardCount }, (): Device[] => []);
  const dropoutCount = Math.round(options.dropoutShare * options.deviceCount);
  // Most leave between sharing and their input: those are the ones whose pair masks must be rebuilt.
  const leaving: readonly LastStep[] = ["share", "advertise", "share", "input"];
  const gone = new Map(
    shuffled(options.deviceCount, random)
      .slice(0, dropoutCount)
      .map((device, index) => [device, present(leaving[index % leaving.length], "a step")]),
  );
  for (let device = 0; device < options.deviceCount; device++) {
    const seed = random(32);
    const identity = publicKeyOf(seed);
    const input = inputFrom(random(4 * options.vectorLength));
    const lastStep = gone.get(device) ?? null;
    present(shards[shardOf(plan, identity)], "a shard of the round").push({
      seed,
      identity,
      input,
      lastStep,
    });
  }
  for (const devices of shards) devices.sort((left, right) => compareBytes(left.identity, right.identity));
  return shards;
}

/** Any sign, except for the first coordinate, whose sum over many shards does not fit the ring. */
function inputFrom(bytes: Bytes): Int32Array<ArrayBuffer> {
  const words = new Int32Array(bytes.buffer);
  return words.map((word, index) =>
    index === 0 ? QUANTIZED_MAX - (word & 0xffff) : word % (QUANTIZED_MAX + 1),
  );
}

function shuffled(count: number, random: (byteCount: number) => Bytes): number[] {
  const keys = new Uint32Array(random(4 * count).buffer);
  const order = Array.from({ length: count }, (_, index) => index);
  return order.sort((left, right) => (keys[left] as number) - (keys[right] as number));
}

/** OpenSSL takes a thirtieth of the time of plain JavaScript. */
function publicKeyOf(seed: Bytes): Bytes {
  const key = concatBytes([PKCS8_PREFIX.ed25519, seed]);
  const privateKey = createPrivateKey({ key: Buffer.from(key), format: "der", type: "pkcs8" });
  const spki = createPublicKey(privateKey).export({ format: "der", type: "spki" });
  return new Uint8Array(spki.subarray(-32));
}

function resultOf(
  shard: number,
  real: boolean,
  devices: readonly Device[],
  sum: Uint32Array,
  u3: readonly number[],
) {
  const inputs = u3.map((position) => present(devices[position - 1], "a survivor").input);
  return { shard, rosterSize: devices.length, survivorCount: u3.length, real, sum, inputs };
}

async function realShard(
  options: ShardedRound,
  shard: number,
  devices: readonly Device[],
): Promise<ShardResult> {
  const { subtle } = globalThis.crypto;
  const { result } = await runCohort({
    count: devices.length,
    seed: `${options.seed} shard ${shard}`,
    vectorLength: options.vectorLength,
    config: sizesFor(options),
    terms: { ...ROUND, shard },
    signers: devices.map(({ seed }) => localSigner(seed, subtle)),
    input: (position) => new Uint32Array(present(devices[position - 1], "a device").input.slice().buffer),
    lastSteps: new Map(
      devices.flatMap(({ lastStep }, index) => (lastStep === null ? [] : [[index + 1, lastStep] as const])),
    ),
  });
  assert(result.kind === "committed", `a sum of shard ${shard}: ${JSON.stringify(result)}`);
  return resultOf(shard, true, devices, result.sum, result.sets.u3.positions);
}

/** What a device of a masked shard keeps. */
interface MaskKeys {
  readonly b: Bytes;
  readonly z: Bytes;
  readonly sSecret: Bytes;
}

async function maskedShard(
  options: ShardedRound,
  shard: number,
  devices: readonly Device[],
): Promise<ShardResult> {
  const primitives = fakePrimitives();
  const random = seededRandom(`${options.seed} shard ${shard}`);
  const keys = await Promise.all(devices.map(() => freshKeys(primitives, random)));
  const roster = await rosterOf(primitives, options, shard, devices, keys);
  const sets = await setsOf(primitives, roster, devices);
  const masked: Uint32Array[] = [];
  for (const position of sets.u3.positions) {
    masked.push(await maskedInput(primitives, roster, sets, keys, position, devices));
  }
  const sum = plainSum(masked);
  const stayed = sets.u3.positions.filter((position) => devices[position - 1]?.lastStep === null);
  const openings = openingsOf(roster, sets, keys, stayed.slice(0, roster.thresholds.t), random);
  const masks = await reconstructMasks(primitives, roster, sets, openings);
  assert(masks.ok, `an opening of shard ${shard}: ${JSON.stringify(masks)}`);
  await addMasks(primitives, sum, masks.value);
  return resultOf(shard, false, devices, sum, sets.u3.positions);
}

async function freshKeys(primitives: Primitives, random: (byteCount: number) => Bytes): Promise<MaskKeys> {
  const z = random(32);
  const { secretKey } = await maskKeyPairFromSeed(primitives, z);
  return { b: random(32), z, sSecret: secretKey };
}

/** The product builds the roster and so checks shard, size and keys; certificates and signatures are not checked. */
async function rosterOf(
  primitives: Primitives,
  options: ShardedRound,
  shard: number,
  devices: readonly Device[],
  keys: readonly MaskKeys[],
): Promise<Roster> {
  const roundParams = { purpose: "train" as const, training: TEST_TRAINING };
  const config = testConfig({ ...sizesFor(options), vectorLength: options.vectorLength });
  const attempt = await openAttempt(primitives, { ...ROUND, attempt: 1, shard, config, roundParams });
  const members = await Promise.all(
    devices.map(async ({ identity, seed }, index): Promise<RosterMember> => {
      const { b, sSecret } = keys[index] as MaskKeys;
      return {
        identity,
        c: seed,
        s: await primitives.x25519PublicKey(sSecret),
        bCommit: await bCommit(primitives, identity, b),
        certificate: new Uint8Array(64),
        signature: new Uint8Array(64),
      };
    }),
  );
  const roster = await buildRoster(primitives, attempt, members);
  assert(roster.ok, `a roster of shard ${shard}: ${JSON.stringify(roster)}`);
  return roster.value;
}

async function setsOf(
  primitives: Primitives,
  roster: Roster,
  devices: readonly Device[],
): Promise<SessionSets> {
  const all = devices.map((_, index) => index + 1);
  const staying = (...gone: LastStep[]) =>
    all.filter((position) => !gone.includes(devices[position - 1]?.lastStep as LastStep));
  const u2 = await setOfPositions(primitives, roster, staying("advertise").map(positionNo));
  const u3 = await setOfPositions(primitives, roster, staying("advertise", "share").map(positionNo));
  assert(u3.positions.length >= roster.thresholds.q, "enough survivors");
  return { u2, u3 };
}

async function maskedInput(
  primitives: Primitives,
  roster: Roster,
  sets: SessionSets,
  keys: readonly MaskKeys[],
  position: number,
  devices: readonly Device[],
): Promise<Uint32Array> {
  const { b, sSecret } = keys[position - 1] as MaskKeys;
  const inU2 = new Set(sets.u2.positions);
  const masks: Mask[] = [{ key: await selfMaskKey(primitives, b, roster.sid, position), sign: 1 }];
  for (const other of neighboursOf(roster, positionNo(position))) {
    if (!inU2.has(other)) continue;
    const secret = await primitives.x25519(sSecret, memberAt(roster, other).s);
    assert(secret.ok, "an agreement");
    const key = await pairMaskKey(primitives, secret.value, roster.sid, position, other);
    masks.push({ key, sign: pairMaskSign(position, other) });
  }
  const vector = new Uint32Array(present(devices[position - 1], "a device").input.slice().buffer);
  await addMasks(primitives, vector, masks);
  return vector;
}

/** What `holders` give, as if everyone had dealt: b of each survivor, z of each dropout of U2. */
function openingsOf(
  roster: Roster,
  sets: SessionSets,
  keys: readonly MaskKeys[],
  holders: readonly Position[],
  random: (byteCount: number) => Bytes,
): readonly GivenShares[] {
  const dealt = (owners: readonly Position[], name: "b" | "z") =>
    owners.map((owner) => {
      const xs = holders.map((holder) => roster.graph.rankOf(owner, holder));
      const secret = (keys[owner - 1] as MaskKeys)[name];
      return splitSecret(secret, roster.thresholds.t, xs, random, fieldFor(roster.members.length));
    });
  const [survivors, dropouts] = [sets.u3.positions, without(sets.u2, sets.u3)];
  const [b, z] = [dealt(survivors, "b"), dealt(dropouts, "z")];
  const held = (owners: readonly Position[], shares: readonly (readonly Bytes[])[], at: number) =>
    owners.map((owner, index) => ({ owner, share: present(shares[index]?.[at], "a share") }));
  return holders.map((holder, at) => ({
    holder,
    bShares: held(survivors, b, at),
    zShares: held(dropouts, z, at),
    offCommitment: [],
  }));
}
