import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import { taskViewSchema } from "#shared/protocol/api.ts";
import { CHROMIUM_FLAGS, ensureChromium, openContext } from "#test/kit/browser.ts";
import { type CoordinatorProcess, freePort, spawnCoordinator } from "#test/kit/worlds/coordinator-process.ts";
import { signUp } from "#test/kit/worlds/sign-up.ts";
import { axeFindings, buildPages, openPage } from "#test/kit/worlds/web-pages.ts";

/* Two people who publish the same version of a real coordinator's task. */

const root = new URL("../..", import.meta.url).pathname;
const SLUG = "readmission";
const readmission: object = JSON.parse(readFileSync(join(root, "examples/tasks/readmission.json"), "utf8"));
const scratch = mkdtempSync(join(tmpdir(), "chorus-twice-"));
let coordinator: CoordinatorProcess;
let browser: Browser;

beforeAll(async () => {
  await buildPages();
  coordinator = await spawnCoordinator({
    port: await freePort(),
    dataDir: join(scratch, "data"),
    pages: true,
    claimed: false,
  });
  browser = await chromium.launch({
    executablePath: await ensureChromium(console.log),
    args: [...CHROMIUM_FLAGS],
  });
});
afterAll(async () => {
  await browser?.close();
  await coordinator?.kill();
  rmSync(scratch, { recursive: true, force: true });
});

const publish = (page: Page, version: number) =>
  page.getByRole("button", { name: `Publish version ${version}` }).click();

test("[K5] [A21] of two who publish the same version, the second is told what to do and loses nothing", async () => {
  const context = await openContext(browser);
  await signUp(context, coordinator);
  const created = await context.request.post(`${coordinator.url}/api/v1/tasks`, {
    data: { ...readmission, contact: "readmissions@clinics.example" },
    headers: { origin: coordinator.url },
  });
  expect(created.status()).toBe(201);
  const [first, second] = [await begin(), await begin()];
  await first.getByLabel("Not for").fill("Insurance.");
  await second.getByLabel("Intended use").fill("Choosing whom to call. A nurse decides.");
  await publish(first, 2);
  await first.waitForURL(`${coordinator.url}/tasks/${SLUG}`);

  await publish(second, 2);
  const told = second.getByRole("alert").filter({ hasText: "Someone published version 2" });
  await told.getByText("Nothing was published; your draft is as it was.", { exact: false }).waitFor();
  expect(await axeFindings(second)).toEqual([]);
  expect(await second.getByLabel("Intended use").inputValue()).toBe(
    "Choosing whom to call. A nurse decides.",
  );
  await told.getByRole("button", { name: "Begin from version 2, keep my changes" }).click();
  await told.waitFor({ state: "detached" });
  await publish(second, 3);
  await second.waitForURL(`${coordinator.url}/tasks/${SLUG}`);
  const view = await context.request.get(`${coordinator.url}/api/v1/tasks/${SLUG}`);
  const { task } = taskViewSchema.parse(await view.json());
  expect(task.version).toBe(3);
  expect(task.intendedUse).toBe("Choosing whom to call. A nurse decides.");
  await context.close();

  async function begin(): Promise<Page> {
    const { page } = await openPage(context, `${coordinator.url}/tasks/new?from=${SLUG}`);
    await page.getByLabel("Not for").waitFor();
    return page;
  }
});
