import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fillLog } from "../kit/worlds/long-log.ts";
import { type Bench, type BenchLine, type BenchOptions, compared, quantile } from "./line.ts";
import { measureLoad } from "./log/load.ts";
import { measureProofs } from "./log/proofs.ts";
import { measureStart } from "./log/start.ts";

/*
 * The public log on the embedded database and real files: leaves from their staging to a published checkpoint, proofs of a
 * long log, and the start of a coordinator with one. Each beside the least that the same work needs: the same bytes hashed,
 * written or read by themselves.
 */

const SMALL = { batches: 2, perBatch: 300, loadS: 0.6, longSize: 3_000, proofs: 3, starts: 1 };
const FULL = { batches: 12, perBatch: 4_000, loadS: 15, longSize: 1_000_000, proofs: 200, starts: 3 };
/** Leaves a second, and what they are held against. */
const RATE = 1_000;
const BARS = { rate: RATE, ageMs: 1_000, proofMs: 20 };

export const bench: Bench = { name: "log", run };

async function* run({ small = false, only }: BenchOptions = {}): AsyncIterable<BenchLine> {
  const size = small ? SMALL : FULL;
  const folder = await mkdtemp(join(tmpdir(), "chorus-bench-log-"));
  const wants = (part: string) => only === undefined || part.includes(only);
  try {
    if (wants("load")) yield* loadLines(await measureLoad(join(folder, "load"), { ...size, rate: RATE }));
    const long = `${size.longSize} leaves`;
    if (!wants("proofs") && !wants("start")) return;
    const filled = join(folder, "long");
    await fillLog(filled, size.longSize);
    // Else the disk is still busy with this while others are measured.
    execFileSync("sync");
    if (wants("proofs")) yield* proofLines(long, await measureProofs(filled, size.proofs));
    if (wants("start"))
      yield* startLines(long, await measureStart(filled, join(folder, "short"), size.starts));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function* loadLines({
  rates,
  floorRates,
  agesMs,
  awaitedMs,
}: Awaited<ReturnType<typeof measureLoad>>): Generator<BenchLine> {
  const rate = quantile(rates, 0.5);
  const floor = quantile(floorRates, 0.5);
  yield {
    name: "staged, sequenced and published",
    value: rate,
    unit: "leaves/s",
    ...compared("the same bytes hashed, written and synced", floor, rate),
  };
  yield {
    name: "staged, sequenced and published: bar",
    value: rate,
    unit: "leaves/s",
    ...compared("bar", BARS.rate, rate),
  };
  for (const [label, share] of SHARES) {
    const value = quantile(agesMs, share);
    yield {
      name: `age of a leaf's checkpoint at ${RATE} leaves/s, ${label}`,
      value,
      unit: "ms",
      ...compared("bar", BARS.ageMs, value),
    };
  }
  for (const [label, share] of SHARES)
    yield { name: `a leaf that somebody waits for, ${label}`, value: quantile(awaitedMs, share), unit: "ms" };
}

const SHARES = [
  ["p50", 0.5],
  ["p99", 0.99],
  ["highest", 1],
] as const;

function* proofLines(
  long: string,
  { warm, cold, byteCount }: Awaited<ReturnType<typeof measureProofs>>,
): Generator<BenchLine> {
  for (const [files, times] of [
    ["warm", warm],
    ["cold", cold],
  ] as const) {
    if (times === null) continue;
    for (const [label, share] of SHARES) {
      const name = `${long}, ${files} files: inclusion and consistency, ${label}`;
      const value = quantile(times.proofMs, share);
      yield {
        name,
        value,
        unit: "ms",
        ...compared("the same tiles read and hashed", quantile(times.floorMs, share), value),
      };
    }
    const value = quantile(times.proofMs, 0.99);
    yield {
      name: `${long}, ${files} files: p99, bar`,
      value,
      unit: "ms",
      ...compared("bar", BARS.proofMs, value),
    };
  }
  yield { name: `${long}: read for such a proof`, value: quantile(byteCount, 0.5) / 1e3, unit: "kB" };
}

function* startLines(
  long: string,
  { full, empty }: Awaited<ReturnType<typeof measureStart>>,
): Generator<BenchLine> {
  for (const [key, name, unit] of [
    ["readyS", "start to ready, all files checked", "s"],
    ["highestMB", "highest resident memory until then", "MB"],
    ["residentMB", "resident afterwards", "MB"],
    ["livezP99Ms", "/livez meanwhile, p99", "ms"],
    ["livezHighestMs", "/livez meanwhile, highest", "ms"],
  ] as const) {
    const of = (starts: typeof full) =>
      quantile(
        starts.map((start) => start[key]),
        0.5,
      );
    yield {
      name: `${long}: ${name}`,
      value: of(full),
      unit,
      ...compared("an empty log", of(empty), of(full)),
    };
  }
}
