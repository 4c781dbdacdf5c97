import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { modelFromBytes } from "#shared/codec/model-bytes.ts";
import type { RoundDetail } from "#shared/protocol/api.ts";
import { modelTensors } from "#shared/task/model.ts";
import { updateScale } from "#shared/vector/mean.ts";
import { layoutOf } from "#shared/vector/task-layout.ts";
import { heldOutPath } from "#test/kit/earlier-held-out.ts";
import { CHROMIUM_FLAGS, ensureChromium, openContext } from "../kit/browser.ts";
import { openRecordingProxy, type RecordingProxy } from "../kit/recording-proxy.ts";
import { quantizationBound } from "../kit/vectors.ts";
import {
  type CoordinatorProcess,
  openApi,
  spawnCoordinator,
  until,
} from "../kit/worlds/coordinator-process.ts";

/*
 * The main job on real input: three pages in Chromium (one of them on WebGPU) and five edge processes in one cohort.
 * One page closes before its upload, another after it. The round must commit, the model must be that of the survivors,
 * and what a page sent must contain none of its data.
 */

const root = new URL("../..", import.meta.url).pathname;
const EDGES = 5;
const PAGES = 3;
const PORT = 4_640;
/** A pixel value that no drawing of the data set has; all rows of the first page contain it. */
const CANARY = 3.17253;
const CANARY_COLUMN = "p20";

const scratch = mkdtempSync(join(tmpdir(), "chorus-main-job-"));
const task = withPatience(bundledTask("digits", EDGES + PAGES, 1));
let coordinator: CoordinatorProcess;
let browser: Browser;
const edges: ChildProcess[] = [];
const proxies: RecordingProxy[] = [];

/** Software WebGPU on a busy machine needs longer than a demo's deadlines. */
function withPatience(plain: ReturnType<typeof bundledTask>) {
  const deadlines = {
    ...plain.aggregation.deadlines,
    recruitingMs: 240_000,
    trainingMs: 240_000,
    collectingMs: 120_000,
  };
  return { ...plain, aggregation: { ...plain.aggregation, deadlines } };
}

beforeAll(async () => {
  const [header, ...rows] = readFileSync(join(root, "coordinator/data/digits.csv"), "utf8")
    .trim()
    .split("\n");
  const share = Math.floor(rows.length / (EDGES + PAGES + 1));
  const part = (index: number) => rows.slice(index * share, (index + 1) * share);
  const heldOut = `${heldOutPath(scratch, task.slug, task.version)}.csv`;
  mkdirSync(join(heldOut, ".."), { recursive: true });
  writeFileSync(heldOut, [header, ...part(EDGES + PAGES)].join("\n"));
  for (let index = 0; index < EDGES; index++) {
    writeFileSync(join(scratch, `edge-${index}.csv`), [header, ...part(index)].join("\n"));
  }
  const canaryIndex = (header as string).split(",").indexOf(CANARY_COLUMN);
  for (let index = 0; index < PAGES; index++) {
    const own = part(EDGES + index).slice(0, 60);
    const marked = own.map((row) =>
      row
        .split(",")
        .map((cell, at) => (at === canaryIndex ? String(CANARY) : cell))
        .join(","),
    );
    writeFileSync(join(scratch, `page-${index}.csv`), [header, ...marked].join("\n"));
  }
  coordinator = await spawnCoordinator({ port: PORT, dataDir: scratch, pages: true });
  browser = await chromium.launch({
    executablePath: await ensureChromium(console.log),
    args: [...CHROMIUM_FLAGS],
  });
});

afterAll(async () => {
  await browser?.close();
  for (const edge of edges) edge.kill("SIGKILL");
  await Promise.all(proxies.map((proxy) => proxy.close()));
  await coordinator?.kill();
  rmSync(scratch, { recursive: true, force: true });
});

test("[S2] [S14] three pages and five edges learn together; two pages leave; only the sum is learnt", async () => {
  const api = openApi(coordinator.url);
  await api.createTask(task);
  const pages: { page: Page; context: BrowserContext; proxy: RecordingProxy }[] = [];
  for (let index = 0; index < PAGES; index++) {
    const proxy = await openRecordingProxy(coordinator.url);
    proxies.push(proxy);
    const context = await openContext(browser, { acceptDownloads: true });
    const page = await context.newPage();
    await takePart(page, proxy.url, join(scratch, `page-${index}.csv`));
    pages.push({ page, context, proxy });
  }
  const [staying, closingLate, closingEarly] = pages as [
    (typeof pages)[0],
    (typeof pages)[0],
    (typeof pages)[0],
  ];
  await chooseEngine(staying.page, "WebGPU");
  closingEarly.proxy.holdUploads();

  const { runId } = await api.launch({ task: task.slug, rounds: 1, seed: 3 });
  for (let index = 0; index < EDGES; index++) edges.push(startEdge(index));
  for (const { page } of pages) await page.getByRole("button", { name: "Start" }).first().click();

  // Seven lists are in; the eighth is held in transit. Its page closes first, then one whose list is in.
  await until("seven masked lists", 300_000, async () => {
    const [round] = await api.rounds(runId);
    return round?.phase === "collecting" && round.sent === 7 && closingEarly.proxy.heldUploadCount > 0;
  });
  await closingEarly.page.close();
  await closingLate.page.close();
  await until("the end of the run", 240_000, async () => (await api.run(runId)).state === "completed");

  const view = (await api.rounds(runId)).at(-1);
  const round = await api.round(view?.roundId as string);
  expect(round).toMatchObject({
    phase: "committed",
    attempt: 1,
    advertised: 8,
    shared: 8,
    survivors: 7,
    threshold: 6,
  });

  await staying.page.getByText("In the sum", { exact: false }).first().waitFor({ timeout: 60_000 });
  const lists = [
    ...Array.from({ length: EDGES }, (_, index) => edgeList(index)),
    await pageList(staying.page, "staying"),
    await reopenedPageList(closingLate),
  ];
  await expectSurvivorsModel(api, round, lists);
  expectNoData(staying.proxy.recorded(), "page-0.csv");
  expectNoData(closingLate.proxy.recorded(), "page-1.csv");
});

/** Gives consent and data like a person. */
async function takePart(page: Page, url: string, csv: string): Promise<void> {
  await page.goto(`${url}/join/${task.slug}`);
  await page.getByRole("checkbox").check();
  await page.getByRole("button", { name: "Take part" }).click();
  await page.getByRole("button", { name: "Add a CSV file" }).click();
  await page.locator('input[type="file"][accept*="csv"]').first().setInputFiles(csv);
  await page.getByRole("button", { name: /[Aa]dd [\d,]+ row/ }).click();
  await page.getByText(/60 rows read/).waitFor();
}

async function chooseEngine(page: Page, name: string): Promise<void> {
  await page.locator("select").filter({ hasText: "timed again" }).selectOption({ label: name });
  await page.getByText(`${name}, in use`).waitFor({ timeout: 120_000 });
}

function startEdge(index: number): ChildProcess {
  const args = [join(root, "client/commands/edge.ts"), "--coordinator", coordinator.url, "--task", task.slug];
  args.push("--data", join(scratch, `edge-${index}.csv`), "--state", join(scratch, `edge-${index}`));
  args.push("--record", join(scratch, `record-${index}`), "--backend", "cpu");
  return spawn(process.execPath, args, { cwd: root, stdio: "ignore" });
}

/** A device's own list before masking, which never left it. */
function edgeList(index: number): Int32Array {
  const folder = join(scratch, `record-${index}`);
  const [attempt, ...others] = readdirSync(folder);
  expect(others).toEqual([]);
  return asInts(readFileSync(join(folder, attempt as string, "own-list.i32")));
}

async function pageList(page: Page, name: string): Promise<Int32Array> {
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Download my contributions" }).click(),
  ]);
  const folder = join(scratch, `tar-${name}`);
  mkdirSync(folder);
  await download.saveAs(join(folder, "all.tar"));
  expect(spawnSync("tar", ["-xf", "all.tar"], { cwd: folder }).status).toBe(0);
  const found = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith("own-list.i32"),
  );
  expect(found).toHaveLength(1);
  return asInts(readFileSync(join(folder, found[0] as string)));
}

/** What the closed page kept is still there when it is opened again. */
async function reopenedPageList({
  context,
  proxy,
}: {
  context: BrowserContext;
  proxy: RecordingProxy;
}): Promise<Int32Array> {
  const page = await context.newPage();
  await page.goto(`${proxy.url}/join/${task.slug}`);
  await page.getByRole("button", { name: "Download my contributions" }).waitFor({ timeout: 60_000 });
  return pageList(page, "late");
}

/**
 * The published sum equals the sum of the survivors' own lists slot by slot, and the model moved by their weighted mean
 * up to the quantization bound (edges: the float32 updates that they recorded; pages: their own lists).
 */
async function expectSurvivorsModel(
  api: ReturnType<typeof openApi>,
  round: RoundDetail,
  lists: readonly Int32Array[],
): Promise<void> {
  const layout = layoutOf(task, "train", null);
  const published = asInts(await api.sum(round.roundId));
  const update = layout.segments.find(({ name }) => name === "update");
  const weight = layout.segments.find(({ name }) => name === "weight");
  if (update === undefined || weight === undefined) throw new Error("no such segment");
  for (let slot = 0; slot < update.length; slot++) {
    const sum = lists.reduce((total, list) => total + (list[update.offset + slot] as number), 0);
    if (published[slot] !== sum) throw new Error(`slot ${slot}: ${published[slot]} is not ${sum}`);
  }
  const weights = lists.map((list) => list[weight.offset] as number);
  const weightSum = weights.reduce((sum, one) => sum + one, 0);
  expect(round.weightSum).toBe(weightSum);

  const tensors = modelTensors(task.model);
  const read = async (hash: string) => {
    const model = modelFromBytes(tensors, (await api.model(hash)) as Uint8Array<ArrayBuffer>);
    if (!model.ok) throw new Error("not a model");
    return model.value;
  };
  const before = await read(round.parentModelHash);
  const after = await read(round.modelHash as string);
  const scale = updateScale(layout);
  const updates = lists.map((list, index) =>
    index < EDGES ? recordedUpdate(index) : dequantized(list, update, scale / (weights[index] as number)),
  );
  // Plus the float32 error of both models, and the page's own rounding (one step of its list).
  const bound = quantizationBound(layout, lists.length, weightSum) + (2 * scale) / weightSum + 2e-6;
  let largest = 0;
  for (let index = 0; index < before.length; index++) {
    let mean = 0;
    for (const [which, own] of updates.entries()) {
      mean += ((own[index] as number) * (weights[which] as number)) / weightSum;
    }
    largest = Math.max(largest, Math.abs((after[index] as number) - (before[index] as number) - mean));
  }
  expect(largest).toBeLessThan(bound);
}

function recordedUpdate(index: number): Float32Array {
  const folder = join(scratch, `record-${index}`);
  const bytes = new Uint8Array(
    readFileSync(join(folder, readdirSync(folder)[0] as string, "clipped-update.f32")),
  );
  return new Float32Array(bytes.buffer);
}

function dequantized(
  list: Int32Array,
  { offset, length }: { offset: number; length: number },
  unit: number,
): Float64Array {
  return Float64Array.from(list.subarray(offset, offset + length), (value) => value * unit);
}

/** The canary as text and as the numbers that code would make of it. */
function canaryForms(): Buffer[] {
  const forms = [Buffer.from(String(CANARY)), Buffer.from(String(CANARY).slice(0, 6))];
  for (const value of [
    CANARY,
    CANARY / 16,
    Math.fround(CANARY),
    Math.fround(CANARY) / 16,
    Math.fround(CANARY / 16),
  ]) {
    const view = new DataView(new ArrayBuffer(24));
    view.setFloat32(0, value, true);
    view.setFloat32(4, value, false);
    view.setFloat64(8, value, true);
    view.setFloat64(16, value, false);
    const bytes = Buffer.from(view.buffer);
    forms.push(bytes.subarray(0, 4), bytes.subarray(4, 8), bytes.subarray(8, 16), bytes.subarray(16, 24));
    forms.push(Buffer.from(String(value).slice(0, 9)));
  }
  return forms;
}

function holdsCanary(bytes: Buffer): boolean {
  const texts = [bytes, Buffer.from(bytes.toString("latin1").replaceAll(/\s/g, ""), "latin1")];
  return canaryForms().some((form) => texts.some((text) => text.includes(form)));
}

/**
 * Checks that the recorded traffic is real (it contains a masked list and the page's hello) and that the canary is not
 * in it.
 */
function expectNoData(recorded: Buffer, file: string): void {
  expect(holdsCanary(readFileSync(join(scratch, file)))).toBe(true);
  expect(recorded.includes("chorus/1")).toBe(true);
  expect(recorded.length).toBeGreaterThan(4 * layoutOf(task, "train", null).length);
  expect(holdsCanary(recorded)).toBe(false);
  // No row appears, neither as in the file nor in the model's format.
  const row = readFileSync(join(scratch, file), "utf8").split("\n")[1] as string;
  expect(recorded.includes(row.slice(0, 40))).toBe(false);
  const pixels = Buffer.from(
    Float32Array.from(row.split(",").slice(0, 64), (cell) => Number(cell) / 16).buffer,
  );
  expect(recorded.includes(pixels.subarray(8, 40))).toBe(false);
}

function asInts(bytes: Uint8Array): Int32Array {
  const copy = new Uint8Array(bytes);
  return new Int32Array(copy.buffer);
}
