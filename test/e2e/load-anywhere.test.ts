import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { CHROMIUM_FLAGS, ensureChromium, openContext } from "#test/kit/browser.ts";
import { openTestDevice, type TestDevice } from "#test/kit/devices/device.ts";
import {
  type CoordinatorProcess,
  freePort,
  openApi,
  spawnCoordinator,
  until,
} from "#test/kit/worlds/coordinator-process.ts";

/*
 * Five lines on a page of another site: it loads the model in use from a real coordinator, predicts, follows the alias, and
 * goes on predicting once the coordinator is gone.
 */

const SLUG = "digits";
const DEVICES = 3;
const scratch = mkdtempSync(join(tmpdir(), "chorus-anywhere-"));
const devices: TestDevice[] = [];
let coordinator: CoordinatorProcess;
let browser: Browser;
let context: BrowserContext;
let site: Server;

beforeAll(async () => {
  coordinator = await spawnCoordinator({ port: await freePort(), dataDir: join(scratch, "data") });
  site = createServer((_, response) =>
    response.setHeader("content-type", "text/html").end(html(coordinator.url)),
  );
  await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", () => resolve()));
  browser = await chromium.launch({
    executablePath: await ensureChromium(console.log),
    args: [...CHROMIUM_FLAGS],
  });
  context = await openContext(browser);
  const task = bundledTask(SLUG, DEVICES, 1);
  await openApi(coordinator.url).createTask(task);
  for (let seed = 1; seed <= DEVICES; seed++) {
    const device = await openTestDevice(coordinator.url, task, seed);
    device.enrolment.start();
    devices.push(device);
  }
});
afterAll(async () => {
  await browser?.close();
  site?.close();
  await Promise.all(devices.map((device) => device.close()));
  await coordinator?.kill();
  rmSync(scratch, { recursive: true, force: true });
});

async function train(rounds: number): Promise<void> {
  const api = openApi(coordinator.url);
  const { runId } = await api.launch({ task: SLUG, rounds, seed: 1 });
  await until(`${rounds} rounds`, 240_000, async () => (await api.run(runId)).state === "completed");
}

async function promote(version: number, expected: number | null): Promise<void> {
  await openApi(coordinator.url).ask(`/tasks/${SLUG}/promotions`, { act: "promote", version, expected });
}

async function openElsewhere(): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}`);
  return page;
}

interface Loaded {
  readonly version: number;
  readonly label: string;
  readonly isFromCache: boolean;
}

/** The page of the other site. */
const html = (url: string) => `<h1>Elsewhere</h1>
<script type="module">
import { load } from "${url}/api/v1/load.js";
globalThis.predictWith = async (reference, pixels) => {
  const { predict, version, isFromCache } = await load("${url}/models/" + reference);
  return { version, label: predict(pixels).label, isFromCache };
};
</script>`;
type Elsewhere = typeof globalThis & {
  predictWith?: (reference: string, pixels: readonly number[]) => Promise<Loaded>;
};

/** A text is the page's error. */
async function predictOn(page: Page, reference: string): Promise<Loaded | string> {
  await page.waitForFunction(() => (globalThis as Elsewhere).predictWith !== undefined);
  return page.evaluate(
    async ([model, pixels]) => {
      const { predictWith } = globalThis as Elsewhere;
      return (await predictWith?.(model, pixels).catch(String)) ?? "";
    },
    [reference, DRAWING] as const,
  );
}

const [, FIRST = ""] = readFileSync(
  new URL("../../coordinator/data/digits.csv", import.meta.url),
  "utf8",
).split("\n");
const DRAWING = FIRST.split(",").slice(0, 64).map(Number);

test("[W28] a page of another site loads the champion, follows it, and predicts without the coordinator", async () => {
  const page = await openElsewhere();
  expect(await predictOn(page, `${SLUG}@champion`)).toContain("Check that its task is public");
  await train(3);
  await promote(1, null);
  const first = await predictOn(page, `${SLUG}@champion`);
  expect(first).toMatchObject({ version: 1, isFromCache: false });
  await promote(2, 1);
  const second = await predictOn(page, `${SLUG}@champion`);
  expect(second).toMatchObject({ version: 2, isFromCache: false });
  expect(await predictOn(page, `${SLUG}@1`)).toEqual(first);
  expect(await predictOn(page, `${SLUG}@9`)).toContain("cannot be loaded");
  expect(await predictOn(page, "digits")).toContain("is no model");
  // One answer and one model for each of the two references.
  const keys = () => page.evaluate(async () => (await (await caches.open("chorus-models")).keys()).length);
  expect(await keys()).toBe(4);

  // An update that does not arrive whole leaves what was loaded before.
  await promote(3, 2);
  const files = /\/models\/3\/exports\//;
  await context.route(files, (route) => route.abort());
  const former = { version: 2, isFromCache: true };
  expect(await predictOn(page, `${SLUG}@champion`)).toMatchObject(former);
  expect(await predictOn(page, `${SLUG}@champion`)).toMatchObject(former);
  await context.unroute(files);
  // What the coordinator takes back, in an answer that the page may read, is not used any longer.
  const alias = /\/aliases\/champion$/;
  const headers = { "access-control-allow-origin": "*" };
  await context.route(alias, (route) => route.fulfill({ status: 404, headers }));
  expect(await predictOn(page, `${SLUG}@champion`)).toContain("status 404");
  await context.unroute(alias);

  expect(await predictOn(page, `${SLUG}@champion`)).toMatchObject({ version: 3, isFromCache: false });
  await coordinator.kill();
  const later = await openElsewhere();
  for (const one of [page, later])
    expect(await predictOn(one, `${SLUG}@champion`)).toMatchObject({ version: 3, isFromCache: true });
});
