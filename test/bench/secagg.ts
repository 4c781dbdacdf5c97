import { type Bench, type BenchLine, type BenchOptions, compared, quantile } from "./line.ts";
import { type LevelFigures, measureSize, type Size, type SizeFigures } from "./secagg/measure.ts";
import { peakGrowth } from "./secagg/memory.ts";
import type { Taken } from "./secagg/timing.ts";

/*
 * Secure aggregation with the product's own client core, server engine and fold workers, without a network. For each
 * size one attempt is dealt. Its survivors are then opened at each dropout; all dropouts leave after their shares and
 * before their input, which is the most expensive moment. Four devices are whole client cores (three in Node, one in
 * Chromium), and the client's figures come from them. The others' messages are made by
 * `test/kit/worlds/simulated-cohort.ts`; a coordinator cannot tell the difference. The coordinator checks all devices
 * and adds all inputs.
 */

const FULL: readonly Size[] = [
  { count: 20, coordinates: 2 ** 20 },
  { count: 100, coordinates: 2 ** 20 },
  { count: 500, coordinates: 100_000 },
  { count: 1_000, coordinates: 100_000, shardSize: 96 },
];
const SMALL: readonly Size[] = [
  { count: 6, coordinates: 1_000 },
  { count: 24, coordinates: 500, shardSize: 12 },
];
const DROPOUTS = [0, 0.1, 0.3] as const;

export const bench: Bench = { name: "secagg", run };

async function* run({ small = false, only }: BenchOptions = {}): AsyncIterable<BenchLine> {
  const sizes = (small ? SMALL : FULL).filter((size) => only === undefined || nameOf(size).includes(only));
  for (const size of sizes) {
    const figures = await measureSize(size, DROPOUTS, !small);
    yield* clientLines(nameOf(size), size.coordinates, figures);
    for (const level of figures.levels) yield* levelLines(nameOf(size), figures.vectorLength, level);
    if (size.shardSize === undefined) yield* memoryLines(size);
  }
}

function nameOf({ count, coordinates, shardSize }: Size): string {
  return `${count} of ${coordinates}${shardSize === undefined ? "" : " in shards"}`;
}

/** A rate, compared with that of the cipher alone. */
function* maskLines(name: string, byteCount: number, wall: Taken, alone: Taken): Generator<BenchLine> {
  const gigabytes = byteCount / 1e9;
  yield {
    name,
    value: gigabytes / wall.wallS,
    unit: "GB/s",
    ...compared("AES-CTR alone", gigabytes / alone.wallS, gigabytes / wall.wallS),
  };
}

function* clientLines(name: string, coordinates: number, figures: SizeFigures): Generator<BenchLine> {
  // Sampled figures are labelled as such.
  yield {
    name: `${name}: whole client cores, the other devices' messages made for them`,
    value: figures.realCount,
    unit: "devices",
  };
  yield {
    name: `${name}: words of each sum compared with the plain sum`,
    value: figures.comparedWordCount,
    unit: "words",
    ...compared("of", figures.vectorLength, figures.comparedWordCount),
  };
  const { clientMasks, upByteCount, ring16UpByteCount } = figures;
  const { masks, cipherAlone, prototype, byteCount, chromium } = clientMasks;
  yield {
    name: `${name}: client, masks only, one thread`,
    value: masks.wallS,
    unit: "s",
    ...compared("a prototype of thirty lines", prototype.wallS, masks.wallS),
  };
  yield* maskLines(`${name}: client, masks put on, one thread`, byteCount, masks, cipherAlone);
  if (chromium !== null) {
    yield {
      name: `${name}: client in Chromium, masks only`,
      value: chromium.masksS,
      unit: "s",
      ...compared("its AES-CTR alone", chromium.cipherAloneS, chromium.masksS),
    };
  }
  const wholeS = quantile(
    figures.levels.map((level) => level.clientS),
    0.5,
  );
  yield { name: `${name}: client, R0 to R4`, value: wholeS, unit: "s" };
  for (const [step, seconds] of figures.clientStepsS.entries()) {
    yield { name: `${name}: client, R${step}`, value: seconds, unit: "s" };
  }
  if (figures.chromiumStepsS !== null) {
    const chromiumS = figures.chromiumStepsS.reduce((sum, step) => sum + step, 0);
    yield {
      name: `${name}: client in Chromium, R0 to R4`,
      value: chromiumS,
      unit: "s",
      ...compared("in Node", wholeS, chromiumS),
    };
    const maskingS = figures.chromiumStepsS[2] ?? 0;
    yield { name: `${name}: client in Chromium, R2`, value: maskingS, unit: "s" };
  }
  yield {
    name: `${name}: bytes up, over the ring vector`,
    value: upByteCount / 1e6,
    unit: "MB",
    ...compared("ring vector", (4 * figures.vectorLength) / 1e6, upByteCount / 1e6),
  };
  yield {
    name: `${name}: bytes up, over 16 bits a coordinate`,
    value: upByteCount / 1e6,
    unit: "MB",
    ...compared("16-bit vector", (2 * coordinates) / 1e6, upByteCount / 1e6),
  };
  yield {
    name: `${name}: bytes up on the 16-bit ring, from its layout`,
    value: ring16UpByteCount / 1e6,
    unit: "MB",
    ...compared("16-bit vector", (2 * coordinates) / 1e6, ring16UpByteCount / 1e6),
  };
  yield { name: `${name}: bytes down, without the model`, value: figures.downByteCount / 1e6, unit: "MB" };
  yield { name: `${name}: server checks R0 and R1 of all`, value: figures.serverChecksS, unit: "s" };
}

function* levelLines(name: string, vectorLength: number, level: LevelFigures): Generator<BenchLine> {
  const at = `${name}, ${Math.round(100 * level.dropout)} % gone`;
  if (level.shardCount > 1) {
    yield {
      name: `${at}: shards opened, of ${level.shardCount}`,
      value: level.openedShardCount,
      unit: "shards",
    };
  }
  yield {
    name: `${at}: inputs in the sum, exact where compared`,
    value: level.survivorCount,
    unit: "inputs",
  };
  if (level.openedShardCount === 0) return;
  const { keys, unmaskOne, unmaskTwo } = level;
  const byteCount = level.maskCount * 4 * vectorLength;
  yield {
    name: `${at}: server, ${level.maskCount} masks only, one worker`,
    value: unmaskOne.wallS,
    unit: "s",
    ...compared("a prototype of thirty lines", level.prototype.wallS, unmaskOne.wallS),
  };
  yield* maskLines(`${at}: server, masks taken off, one worker`, byteCount, unmaskOne, level.cipherOne);
  yield* maskLines(`${at}: server, masks taken off, two workers`, byteCount, unmaskTwo, level.cipherTwo);
  yield* maskLines(
    `${at}: server, masks taken off, two workers started for it`,
    byteCount,
    level.unmaskCold,
    level.cipherTwo,
  );
  // CPU time is not affected by the machine's other work; with one worker it is the time of one thread.
  yield {
    name: `${at}: server, masks and their keys, CPU time`,
    value: keys.cpuS + unmaskOne.cpuS,
    unit: "s",
  };
  const wholeS = level.checksS + level.foldS + keys.wallS + unmaskTwo.wallS;
  yield {
    name: `${at}: server, R2 checks to the sum, two workers`,
    value: wholeS,
    unit: "s",
  };
  yield { name: `${at}: of it, checks of R2, R3, R4`, value: level.checksS, unit: "s" };
  yield { name: `${at}: of it, inputs read and added`, value: level.foldS, unit: "s" };
  yield { name: `${at}: of it, keys`, value: keys.wallS, unit: "s" };
  yield { name: `${at}: client, R0 to R4`, value: level.clientS, unit: "s" };
}

/** Peak memory growth of a separate process that runs one side's heaviest step. */
async function* memoryLines({ count, coordinates }: Size): AsyncGenerator<BenchLine> {
  const model = (4 * coordinates) / 1e6;
  for (const [side, what] of [
    ["client", "client's R2, with its input"],
    ["server", "unmasking on two workers"],
  ] as const) {
    for (const masks of [count, 10 * count]) {
      const bytes = await peakGrowth(side, masks, coordinates);
      if (bytes === null) return;
      const growth = bytes / 1e6;
      yield {
        name: `${count} of ${coordinates}: memory, ${what}, ${masks} masks`,
        value: growth,
        unit: "MB",
        ...compared("vector", model, growth),
      };
    }
  }
}
