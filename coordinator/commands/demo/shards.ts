import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import Papa from "papaparse";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { idxAxes, readCsv } from "#shared/task/dataset.ts";
import type { Features } from "#shared/task/features.ts";
import { dirichletShards, holdOut } from "#shared/task/partition.ts";

/*
 * A data set on disk, cut into the coordinator's held-out part and one file or folder a device.
 */

/** Each device gets at least this many rows; the cut is drawn again until it does. */
const ROWS_MIN = 10;
/** The held-out part is a fact of the task version: it does not follow --seed, so that runs stay comparable. */
const HOLD_OUT_SEED = 1;
const IDX_PICTURES = "train-images-idx3-ubyte";
const IDX_LABELS = "train-labels-idx1-ubyte";

/** Files by name: one CSV text under "", or the two of an IDX pair. */
export type Part = ReadonlyMap<string, string | Uint8Array>;

export interface Cut {
  readonly kind: "csv" | "idx";
  readonly heldOut: Part;
  readonly heldOutCount: number;
  readonly shards: readonly Part[];
  readonly shardCounts: readonly number[];
}

export interface CutPlan {
  readonly features: Features;
  readonly clientCount: number;
  readonly alpha: number;
  readonly seed: number;
  readonly heldOutFraction: number;
}

/** Errors: a sentence that says what is wrong with the data set and what to do. */
export async function cutDataset(path: string, plan: CutPlan): Promise<Result<Cut, string>> {
  const found = await stat(path).catch(() => null);
  if (found === null) return err(`There is nothing at ${path}. Check --dataset.`);
  return found.isDirectory() ? cutIdx(path, plan) : cutCsv(path, plan);
}

async function cutCsv(path: string, plan: CutPlan): Promise<Result<Cut, string>> {
  const text = await readFile(path, "utf8");
  const checked = readCsv(text, plan.features);
  if (!checked.ok) return err(`${path}: ${checked.error.sentence}`);
  const [header = [], ...lines] = Papa.parse<string[]>(text, { skipEmptyLines: "greedy" }).data;
  const labelName = plan.features.kind === "tabular" ? plan.features.label.name : "label";
  const labelAt = header.findIndex((name) => name.trim() === labelName);
  const labelOf = (line: readonly string[]) => plan.features.classes.indexOf((line[labelAt] ?? "").trim());
  const rows = lines.filter((line) => labelOf(line) >= 0);
  const toPart = (indices: readonly number[]): Part =>
    new Map([
      ["", `${Papa.unparse([header, ...indices.map((index) => rows[index] ?? [])], { newline: "\n" })}\n`],
    ]);
  const labels = rows.map(labelOf);
  const { heldOut, rest } = holdOut(labels, plan.heldOutFraction, HOLD_OUT_SEED);
  return cutRest(labels, rest, plan, (shards) => ({
    kind: "csv",
    heldOut: toPart(heldOut),
    heldOutCount: heldOut.length,
    shards: shards.map(toPart),
    shardCounts: shards.map((shard) => shard.length),
  }));
}

async function cutIdx(path: string, plan: CutPlan): Promise<Result<Cut, string>> {
  const train = await readPair(path, "train");
  if (!train.ok) return train;
  const { labels } = train.value;
  const test = await readPair(path, "t10k");
  // The official test part where it is there, else a part of the training pictures.
  const split = test.ok
    ? { heldOut: null, rest: Array.from(labels, (_, row) => row) }
    : holdOut(labels, plan.heldOutFraction, HOLD_OUT_SEED);
  const heldOut = test.ok ? test.value : pick(train.value, split.heldOut ?? []);
  return cutRest(labels, split.rest, plan, (shards) => ({
    kind: "idx",
    heldOut: toIdx(heldOut),
    heldOutCount: heldOut.labels.length,
    shards: shards.map((shard) => toIdx(pick(train.value, shard))),
    shardCounts: shards.map((shard) => shard.length),
  }));
}

function cutRest(
  labels: ArrayLike<number>,
  rest: readonly number[],
  plan: CutPlan,
  finish: (shards: readonly (readonly number[])[]) => Cut,
): Result<Cut, string> {
  const shards = dirichletShards(
    rest.map((row) => labels[row] as number),
    { shardCount: plan.clientCount, alpha: plan.alpha, seed: plan.seed, rowsMin: ROWS_MIN },
  );
  if (!shards.ok) {
    return err(
      `${rest.length} rows do not give each of ${plan.clientCount} clients ${ROWS_MIN} at alpha ${plan.alpha}. Take fewer --clients or a larger --alpha.`,
    );
  }
  return ok(finish(shards.value.map((shard) => shard.map((index) => rest[index] as number))));
}

interface Pair {
  readonly height: number;
  readonly width: number;
  readonly pictures: Uint8Array;
  readonly labels: Uint8Array;
}

/** `prefix` as in the names of MNIST and its kin; packed or not. */
async function readPair(folder: string, prefix: string): Promise<Result<Pair, string>> {
  const names = await readdir(folder);
  const find = (suffix: string) =>
    names.find((name) => name === `${prefix}-${suffix}` || name === `${prefix}-${suffix}.gz`);
  const [pictureName, labelName] = [find("images-idx3-ubyte"), find("labels-idx1-ubyte")];
  if (pictureName === undefined || labelName === undefined) {
    return err(
      `${folder} does not hold ${prefix}-images-idx3-ubyte and ${prefix}-labels-idx1-ubyte (packed with gzip or not).`,
    );
  }
  const [pictures, labels] = await Promise.all([
    unpacked(join(folder, pictureName)),
    unpacked(join(folder, labelName)),
  ]);
  const [count, height, width] = idxAxes(pictures, 3) ?? [];
  const [labelCount] = idxAxes(labels, 1) ?? [];
  if (count === undefined || height === undefined || width === undefined || labelCount !== count) {
    return err(
      `${folder}: the ${prefix} files are not an IDX pair of the same length, or are cut short. Fetch them again.`,
    );
  }
  return ok({ height, width, pictures: pictures.subarray(16), labels: labels.subarray(8) });
}

async function unpacked(path: string): Promise<Uint8Array> {
  const bytes = await readFile(path);
  return path.endsWith(".gz") ? promisify(gunzip)(bytes) : bytes;
}

function pick({ height, width, pictures, labels }: Pair, rows: readonly number[]): Pair {
  const size = height * width;
  const picked = new Uint8Array(rows.length * size);
  rows.forEach((row, index) => {
    picked.set(pictures.subarray(row * size, (row + 1) * size), index * size);
  });
  return { height, width, pictures: picked, labels: Uint8Array.from(rows, (row) => labels[row] as number) };
}

function toIdx({ height, width, pictures, labels }: Pair): Part {
  return new Map([
    [IDX_PICTURES, Buffer.concat([idxHeader([labels.length, height, width]), pictures])],
    [IDX_LABELS, Buffer.concat([idxHeader([labels.length]), labels])],
  ]);
}

function idxHeader(axes: readonly number[]): Buffer {
  const header = Buffer.alloc(4 + 4 * axes.length);
  header.set([0, 0, 8, axes.length]);
  axes.forEach((length, axis) => {
    header.writeUInt32BE(length, 4 + 4 * axis);
  });
  return header;
}

/**
 * Writes a part to `<path>.csv`, or to the folder `<path>`.
 *
 * @returns Where it is now.
 */
export async function writePart(path: string, part: Part): Promise<string> {
  const csv = part.get("");
  if (csv !== undefined) {
    await writeFile(`${path}.csv`, csv);
    return `${path}.csv`;
  }
  await rm(path, { recursive: true, force: true });
  await mkdir(path, { recursive: true });
  for (const [name, bytes] of part) await writeFile(join(path, name), bytes);
  return path;
}

/** Whether `path` (a file or a folder) holds exactly this part. */
export async function holdsPart(path: string, part: Part): Promise<boolean> {
  for (const [name, bytes] of part) {
    const there = await readFile(name === "" ? path : join(path, name)).catch(() => null);
    if (there === null || !there.equals(Buffer.from(bytes))) return false;
  }
  return true;
}
