import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import Papa from "papaparse";
import { parseIdx } from "#shared/data/idx.ts";
import { readCsv } from "#shared/data/read-csv.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { readUnpacked } from "#shared/node/read-files.ts";
import type { Features } from "#shared/task/features.ts";
import { dirichletParts, holdOut, siteParts } from "#shared/task/partition.ts";
import { groupOf, labelName, targetOf } from "#shared/task/target.ts";

/* Splits a data set on disk into the coordinator's held-out rows and one file or folder per device. */

/** Rows that each device gets at least. The split is drawn again until it holds. */
const ROWS_MIN = 10;
/**
 * The held-out rows belong to the task version. They do not depend on --seed, so that runs stay comparable.
 */
const HOLD_OUT_SEED = 1;
const IDX_PICTURES = "train-images-idx3-ubyte";
const IDX_LABELS = "train-labels-idx1-ubyte";

/** Files by name: one CSV text under "", or the two files of an IDX pair. */
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
  /** A column of a CSV whose values are sites; `alpha` has no effect then. */
  readonly siteColumn?: string | undefined;
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
  const target = targetOf(plan.features);
  const labelAt = header.findIndex((name) => name.trim() === labelName(plan.features));
  // Numbers are split by their groups, as classes are by theirs.
  const labelOf = (line: readonly string[]) => {
    const text = (line[labelAt] ?? "").trim();
    return target.kind === "classes" ? target.classes.indexOf(text) : groupOf(target, Number(text));
  };
  const rows = lines.filter((line) => labelOf(line) >= 0);
  const toPart = (indices: readonly number[]): Part =>
    new Map([
      ["", `${Papa.unparse([header, ...indices.map((index) => rows[index] ?? [])], { newline: "\n" })}\n`],
    ]);
  const labels = rows.map(labelOf);
  const { heldOut, rest } = holdOut(labels, plan.heldOutFraction, HOLD_OUT_SEED);
  const siteAt = header.findIndex((name) => name.trim() === plan.siteColumn);
  const sites = siteAt < 0 ? null : rest.map((row) => rows[row]?.[siteAt] ?? "");
  return cutRest(labels, rest, sites, plan, (shards) => ({
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
  // Holds out the official test part if it exists, otherwise a part of the training pictures.
  const split = test.ok
    ? { heldOut: null, rest: Array.from(labels, (_, row) => row) }
    : holdOut(labels, plan.heldOutFraction, HOLD_OUT_SEED);
  const heldOut = test.ok ? test.value : pick(train.value, split.heldOut ?? []);
  return cutRest(labels, split.rest, null, plan, (shards) => ({
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
  sites: readonly string[] | null,
  plan: CutPlan,
  finish: (shards: readonly (readonly number[])[]) => Cut,
): Result<Cut, string> {
  const { clientCount: partCount, alpha, seed } = plan;
  const shards =
    sites === null
      ? dirichletParts(
          rest.map((row) => labels[row] as number),
          { partCount, alpha, seed, rowsMin: ROWS_MIN },
        )
      : siteParts(sites, { partCount, seed, rowsMin: ROWS_MIN });
  if (!shards.ok) {
    return err(
      `${rest.length} rows are too few for ${plan.clientCount} clients with at least ${ROWS_MIN} each at alpha ${plan.alpha}. Use fewer --clients or a larger --alpha.`,
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

/** Reads the pair whose file names begin with `prefix`, as in MNIST; gzipped or not. */
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
  const [pictures, labels] = await Promise.all(
    [pictureName, labelName].map(async (name) => parseIdx(await readUnpacked(join(folder, name)))),
  );
  if (pictures?.ok === true && labels?.ok === true) {
    const [count, height, width, ...more] = pictures.value.axes;
    if (
      height !== undefined &&
      width !== undefined &&
      more.length === 0 &&
      labels.value.axes.join() === `${count}`
    )
      return ok({ height, width, pictures: pictures.value.values, labels: labels.value.values });
  }
  return err(
    `${folder}: the ${prefix} files are not an IDX pair of the same length, or are cut short. Fetch them again.`,
  );
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
 * @returns Its actual path.
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
