import * as nodeCrypto from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openFolder } from "#coordinator/adapters/folder.ts";
import { addMasks } from "#shared/crypto/mask-stream.ts";
import { nodePrimitives } from "#shared/crypto/primitives-node.ts";
import { localSigner } from "#shared/crypto/signature.ts";
import { present } from "#shared/kernel/assert.ts";
import { type Bytes, bytesToHex } from "#shared/kernel/bytes.ts";
import { release } from "#shared/kernel/release.ts";
import { primitives } from "#shared/node/system.ts";
import type { HashHex } from "#shared/protocol/ids.ts";
import type { AttemptTerms } from "#shared/secagg/attempt.ts";
import { shardOf, shardPlanOf } from "#shared/secagg/shard-plan.ts";
import { vectorLayout } from "#shared/vector/layout.ts";
import { type BareThreads, openBareThreads } from "../../kit/bare-threads.ts";
import { openChromiumDevice } from "../../kit/devices/chromium-device.ts";
import { openTimedDevice } from "../../kit/devices/timed-device.ts";
import { seededRandom, testConfig } from "../../kit/secagg-fixtures.ts";
import {
  openSimulatedCohort,
  type SimulatedCohort,
  seatAt,
  windowOf,
} from "../../kit/worlds/simulated-cohort.ts";
import { quantile } from "../line.ts";
import { type RealSeat, ShardBench, type ShardLevel } from "./shard.ts";
import { alternately, type Taken, taken } from "./timing.ts";

export interface Size {
  /** Devices in the whole round. */
  readonly count: number;
  readonly coordinates: number;
  /** Approximate number of devices in a shard; absent: one complete graph. */
  readonly shardSize?: number;
}

export interface SizeFigures {
  /** Words of the whole vector. */
  readonly vectorLength: number;
  readonly realCount: number;
  readonly comparedWordCount: number;
  readonly clientMasks: MaskFigures;
  /** R0 to R4; the median of the devices in Node. */
  readonly clientStepsS: readonly number[];
  /** R0 to R4 in Chromium; null if no browser took part. */
  readonly chromiumStepsS: readonly number[] | null;
  readonly upByteCount: number;
  readonly downByteCount: number;
  readonly ring16UpByteCount: number;
  readonly serverChecksS: number;
  readonly levels: readonly LevelFigures[];
}

/** A device's masks in one thread, measured alternately with the cipher. */
export interface MaskFigures {
  readonly byteCount: number;
  readonly masks: Taken;
  readonly cipherAlone: Taken;
  readonly prototype: Taken;
  /** Wall-clock seconds in a page, over WebCrypto; null if no browser took part. */
  readonly chromium: { readonly masksS: number; readonly cipherAloneS: number } | null;
}

/** Seconds of all opened shards together. */
export interface LevelFigures {
  readonly dropout: number;
  readonly shardCount: number;
  readonly openedShardCount: number;
  /** Number of survivors in opened shards. */
  readonly survivorCount: number;
  readonly clientS: number;
  readonly checksS: number;
  readonly foldS: number;
  readonly keys: Taken;
  readonly maskCount: number;
  readonly unmaskOne: Taken;
  readonly unmaskTwo: Taken;
  /** With two workers that start with this fold. */
  readonly unmaskCold: Taken;
  /** AES-256-CTR alone over as many bytes, on one thread and on two. */
  readonly cipherOne: Taken;
  readonly cipherTwo: Taken;
  readonly prototype: Taken;
}

const RUN_ID = "0192f0c0ffee7000800000000000beef";
const CLIP_NORM_L2 = 1;
const WEIGHT_CAP = 1_000;
/** R0 to R4. */
const STEP_COUNT = 5;

/** @param browser  If given, a device in Chromium takes part in the attempt without dropouts. */
export async function measureSize(
  size: Size,
  dropouts: readonly number[],
  browser: boolean,
): Promise<SizeFigures> {
  const folder = await mkdtemp(join(tmpdir(), "chorus-bench-secagg-"));
  const reals: RealSeat[] = [];
  const folders = [openFolder({ workerCount: 1 }), openFolder({ workerCount: 2 })] as const;
  const bares = [openBareThreads(1), openBareThreads(2)] as const;
  try {
    const issuer = localSigner(seededRandom("issuer")(32), crypto.subtle);
    const shards = splitIntoShards(termsOf(size, bytesToHex(issuer.publicKey)), size.count);
    const opened: ShardLevel[][] = dropouts.map(() => []);
    let serverChecksS = 0;
    // In the product the workers have already folded the round's inputs before they get masks.
    for (const one of folders) await one.fold({ length: 8, inputs: [], masks: [] });
    for (const one of bares) await one.cipherAlone(1e6);
    for (const { terms, seeds } of shards) {
      const cohort = await openSimulatedCohort(primitives, seeds, issuer, terms);
      // The first shard gets the real devices; in any other a device's work would be the same.
      const seated = terms.shard === 0 ? await seatDevices(cohort, dropouts.length, browser) : [];
      reals.push(...seated);
      const inputs = join(folder, String(terms.shard));
      await mkdir(inputs);
      const bench = new ShardBench(cohort, seated, inputs);
      await bench.deal();
      await bench.upload();
      for (const [level, dropout] of dropouts.entries()) {
        present(opened[level], "a level").push(await bench.open(level, dropout, folders, bares));
      }
      serverChecksS += bench.checksS;
      await rm(inputs, { recursive: true });
    }
    const levels = dropouts.map((dropout, level) => levelFigures(dropout, opened[level] ?? [], reals, level));
    const largest = Math.max(...shards.map(({ seeds }) => seeds.length));
    return { ...(await clientFigures(size, reals, largest, bares[0])), serverChecksS, levels };
  } finally {
    await Promise.all(reals.map(({ device }) => device.close()));
    await Promise.all([...folders, ...bares].map((one) => one.close()));
    await rm(folder, { recursive: true, force: true });
  }
}

/** Terms and identity seeds of each shard of the round; one of each if the round is not sharded. */
function splitIntoShards(
  terms: AttemptTerms,
  count: number,
): { readonly terms: AttemptTerms; readonly seeds: readonly Bytes[] }[] {
  const plan = shardPlanOf(terms);
  const random = seededRandom("identities");
  const seedsOf: Bytes[][] = Array.from({ length: plan?.shardCount ?? 1 }, () => []);
  for (let device = 0; device < count; device++) {
    const seed = random(32);
    const shard = shardOf(plan, localSigner(seed).publicKey);
    present(seedsOf[shard], "a shard").push(seed);
  }
  return seedsOf.map((seeds, shard) => ({ terms: { ...terms, shard }, seeds }));
}

function termsOf({ count, coordinates, shardSize }: Size, issuerKey: string): AttemptTerms {
  const config = testConfig({
    cohortSizeMin: 3,
    cohortSizeMax: count,
    vectorLength: layoutOf(coordinates, count, 32).length,
    graph:
      shardSize === undefined
        ? "complete"
        : { kind: "shards", size: shardSize, count: Math.ceil(count / shardSize) },
    issuerKey: issuerKey as HashHex,
  });
  const training = {
    epochs: 1,
    batchSize: 32,
    optimizer: { kind: "sgd", learningRate: 0.1, momentum: 0 },
    proximalMu: 0,
  } as const;
  return {
    runId: RUN_ID,
    round: 1,
    attempt: 1,
    shard: 0,
    modelHash: "33".repeat(32),
    config,
    roundParams: { purpose: "train", training },
  };
}

function layoutOf(parameterCount: number, cohortSizeMax: number, ring: 16 | 32) {
  return vectorLayout({
    parameterCount,
    cohortSizeMax,
    clipNormL2: CLIP_NORM_L2,
    weightCap: WEIGHT_CAP,
    ring,
  });
}

/** One device in Node for each dropout, spread evenly over the roster, and one in Chromium. */
async function seatDevices(
  { seats }: SimulatedCohort,
  levelCount: number,
  browser: boolean,
): Promise<RealSeat[]> {
  const figures = () => ({ stepsS: [], upByteCount: 0, downByteCount: 0 });
  const seated = Array.from({ length: levelCount }, (_, level): RealSeat => {
    const seat = seatAt(seats, 1 + Math.floor(((level + 0.5) * seats.length) / levelCount));
    const device = openTimedDevice(primitives, seat.signer);
    return { platform: "node", device, position: seat.position, level, ...figures() };
  });
  if (browser) {
    const { identitySeed, position } = seatAt(seats, 1);
    const device = await openChromiumDevice(identitySeed);
    const { measureMasks } = device;
    seated.push({ platform: "chromium", device, position, level: 0, measureMasks, ...figures() });
  }
  return seated;
}

function levelFigures(
  dropout: number,
  shards: readonly ShardLevel[],
  reals: readonly RealSeat[],
  level: number,
): LevelFigures {
  const opened = shards.flatMap((shard) => (shard.opened === null ? [] : [shard]));
  const total = (pick: (figures: NonNullable<ShardLevel["opened"]>) => number) =>
    opened.reduce((sum, shard) => sum + (shard.opened === null ? 0 : pick(shard.opened)), 0);
  const both = (pick: (figures: NonNullable<ShardLevel["opened"]>) => Taken): Taken => ({
    wallS: total((figures) => pick(figures).wallS),
    cpuS: total((figures) => pick(figures).cpuS),
  });
  return {
    dropout,
    shardCount: shards.length,
    openedShardCount: opened.length,
    survivorCount: opened.reduce((sum, { survivorCount }) => sum + survivorCount, 0),
    clientS: reals
      .filter(({ platform, level: own }) => platform === "node" && own === level)
      .flatMap(({ stepsS }) => stepsS)
      .reduce(add, 0),
    checksS: total(({ checksS }) => checksS),
    foldS: total(({ foldS }) => foldS),
    keys: both(({ keys }) => keys),
    maskCount: total(({ maskCount }) => maskCount),
    unmaskOne: both(({ unmaskOne }) => unmaskOne),
    unmaskTwo: both(({ unmaskTwo }) => unmaskTwo),
    unmaskCold: both(({ unmaskCold }) => unmaskCold),
    cipherOne: both(({ cipherOne }) => cipherOne),
    cipherTwo: both(({ cipherTwo }) => cipherTwo),
    prototype: both(({ prototype }) => prototype),
  };
}

/** @param neighbourhood  Number of devices in the real devices' graph, themselves included. */
async function clientFigures(
  size: Size,
  reals: readonly RealSeat[],
  neighbourhood: number,
  bare: BareThreads,
) {
  // If its shard was left out, a device ends with R2.
  const whole = reals.filter(({ platform, stepsS }) => platform === "node" && stepsS.length === STEP_COUNT);
  const middle = (values: readonly number[]) => quantile(values, 0.5);
  const { length } = layoutOf(size.coordinates, size.count, 32);
  const upByteCount = middle(whole.map((real) => real.upByteCount));
  const ring16 = layoutOf(size.coordinates, neighbourhood, 16).length;
  return {
    vectorLength: length,
    realCount: reals.length,
    comparedWordCount: windowOf(length).count,
    clientMasks: await maskFigures(neighbourhood, length, bare, reals),
    clientStepsS: Array.from({ length: STEP_COUNT }, (_, step) =>
      middle(whole.map(({ stepsS }) => present(stepsS[step], "a step"))),
    ),
    chromiumStepsS: reals.find(({ platform }) => platform === "chromium")?.stepsS ?? null,
    upByteCount,
    downByteCount: middle(whole.map((real) => real.downByteCount)),
    ring16UpByteCount: upByteCount - 4 * (length - ring16),
  };
}

/** One self mask, and one mask per neighbour. */
async function maskFigures(
  count: number,
  length: number,
  bare: BareThreads,
  reals: readonly RealSeat[],
): Promise<MaskFigures> {
  const inThread = nodePrimitives(nodeCrypto, Buffer);
  const random = seededRandom("masks");
  const masks = Array.from(
    { length: count },
    (_, i) => ({ key: random(32), sign: i % 2 === 0 ? 1 : -1 }) as const,
  );
  const byteCount = 4 * length * count;
  const own = async () => {
    const vector = new Uint32Array(length);
    const figures = await taken(() => addMasks(inThread, vector, masks));
    release(vector);
    return figures;
  };
  const timed = await alternately([
    own,
    () => taken(() => bare.cipherAlone(byteCount)),
    () => taken(async () => void (await bare.prototype(length, masks))),
  ]);
  const page = reals.find(({ measureMasks }) => measureMasks !== undefined);
  return {
    byteCount,
    masks: present(timed[0], "masks"),
    cipherAlone: present(timed[1], "AES-CTR alone"),
    prototype: present(timed[2], "the prototype"),
    chromium: (await page?.measureMasks?.(count, length)) ?? null,
  };
}

function add(left: number, right: number): number {
  return left + right;
}
