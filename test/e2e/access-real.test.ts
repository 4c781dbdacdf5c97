import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { addAuthenticator, CHROMIUM_FLAGS, ensureChromium, openContext } from "#test/kit/browser.ts";
import { openTestDevice, type TestDevice } from "#test/kit/devices/device.ts";
import { useToken } from "#test/kit/worlds/as-admin.ts";
import {
  type CoordinatorProcess,
  freePort,
  openApi,
  spawnCoordinator,
  until,
} from "#test/kit/worlds/coordinator-process.ts";
import { buildPages, openPage } from "#test/kit/worlds/web-pages.ts";

/*
 * From the printed set-up link to signing out, in a browser on a real coordinator in its own process. Everything is real
 * except the training of the devices, and the wall clock, which the test sets forward.
 */

const DEVICES = 8;
const PASSWORD = "a sentence is easier to keep";
/** Longer than a proof of who one is stays fresh. */
const STEP_MS = 11 * 60_000;
const scratch = mkdtempSync(join(tmpdir(), "chorus-access-"));
const task = bundledTask("digits", DEVICES, 1);
const devices: TestDevice[] = [];
let coordinator: CoordinatorProcess;
let browser: Browser;

/** At each SIGUSR2 the wall clock of the main thread steps forward. */
const STEPPING = `
  const now = Date.now.bind(Date);
  const System = Date;
  let shift = 0;
  process.on("SIGUSR2", () => (shift += ${STEP_MS}));
  globalThis.Date = class extends System {
    constructor(...values) { if (values.length === 0) super(now() + shift); else super(...values); }
    static now() { return now() + shift; }
  };`;

beforeAll(async () => {
  await buildPages();
  coordinator = await spawnCoordinator({
    port: await freePort(),
    dataDir: join(scratch, "data"),
    pages: true,
    claimed: false,
    tasks: [task.slug],
    nodeFlags: ["--import", `data:text/javascript,${encodeURIComponent(STEPPING)}`],
  });
  browser = await chromium.launch({
    executablePath: await ensureChromium(console.log),
    args: [...CHROMIUM_FLAGS],
  });
});

afterAll(async () => {
  await browser?.close();
  await Promise.all(devices.map((device) => device.close()));
  await coordinator?.kill();
  rmSync(scratch, { recursive: true, force: true });
});

const section = (page: Page, name: string) => page.getByRole("region", { name, exact: true });

test("[X81] [X82] [X84] [X91] [X92] [X36] two people set up, share, run and leave a real coordinator", async () => {
  const { url } = coordinator;
  const first = await setUp(await openContext(browser));
  const second = await acceptBy(await invitationBy(first));

  process.kill(coordinator.pid, "SIGUSR2");
  await makeAdmin(first);
  await agreeTogether(first, second);
  const token = await apiTokenOf(first);
  useToken(url, token);
  await first.reload();
  await section(first, "API tokens").getByText("nightly runs, you").waitFor();
  expect(await first.content()).not.toContain(token);
  // Under Operations: no proxy is trusted here.
  await first.getByText(url, { exact: true }).waitFor();

  await watchRun(second);

  await second.goto(`${url}/admin`);
  await second.getByRole("button", { name: "Sign out" }).click();
  await second.waitForURL(`${url}/sign-in`);
  await second.goto(`${url}/admin`);
  await second.waitForURL(`${url}/sign-in?to=%2Fadmin`);
});

/** Follows the printed link with a passkey. */
async function setUp(context: BrowserContext): Promise<Page> {
  const link = await until(
    "the set-up link",
    60_000,
    async () => /http:\/\/\S+\/setup#token=\S+/.exec(coordinator.said())?.[0],
  );
  const { page, complaints } = await openPage(context, link);
  await addAuthenticator(context, page);
  await page.getByLabel("Your name in the log").fill("ada");
  await page.getByLabel("First project").fill("ward");
  await page.getByRole("button", { name: "Make a passkey" }).click();
  await page.waitForURL(`${coordinator.url}/`);
  await page.getByRole("heading", { level: 1 }).waitFor();
  expect(complaints).toEqual([]);
  return page;
}

async function invitationBy(page: Page): Promise<string> {
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Admin" }).click();
  const invitations = section(page, "Invitations");
  // The project of the task, which is older than the first admin.
  await invitations.getByLabel("Project").selectOption("default");
  await invitations.getByText("“ada invited a researcher of default.”").waitFor();
  await invitations.getByRole("button", { name: "Make an invitation" }).click();
  const link = (await invitations.getByText("/invited#token=chi_").textContent()) ?? "";
  await invitations.getByRole("button", { name: "Done" }).click();
  return link;
}

/** Uses an invitation in a browser of its own. */
async function acceptBy(link: string): Promise<Page> {
  const { page } = await openPage(await openContext(browser), link);
  await page.getByText("ada invites you to join as a researcher of default.").waitFor();
  await page.getByLabel("Your name in the log").fill("bea");
  await page.getByLabel("Password, at least 12 characters").fill(PASSWORD);
  await page.getByRole("button", { name: "Use the password" }).click();
  await page.waitForURL(`${coordinator.url}/`);
  return page;
}

/** The first admin makes the second alone, and proves first who she is. */
async function makeAdmin(page: Page): Promise<void> {
  const people = section(page, "People");
  await people.getByRole("button", { name: "Change roles bea" }).click();
  await people.getByRole("group", { name: "Roles of bea" }).getByLabel("admin").check();
  await people.getByRole("button", { name: "Change", exact: true }).click();
  const proof = page.getByRole("region", { name: "This needs a fresh proof of who you are." });
  await proof.getByRole("button", { name: "Use your passkey" }).click();
  await people.getByText("The roles of bea are changed.").waitFor();
}

/** A project is made; the second admin proposes to delete its data, and the first agrees. */
async function agreeTogether(first: Page, second: Page): Promise<void> {
  const projects = section(first, "Projects");
  await projects.getByLabel("Name of a new project").fill("pilot");
  await projects.getByRole("button", { name: "Make a project" }).click();
  await projects.getByRole("button", { name: "Propose to delete its data… pilot" }).waitFor();

  await second.goto(`${coordinator.url}/admin`);
  const seen = section(second, "Projects");
  await seen.getByRole("button", { name: "Propose to delete its data… pilot" }).click();
  await seen.getByLabel("Reason").fill("The pilot is over.");
  await seen.getByRole("button", { name: "Propose", exact: true }).click();
  const proof = second.getByRole("region", { name: "This needs a fresh proof of who you are." });
  await proof.getByLabel("Your password").fill(PASSWORD);
  await proof.getByRole("button", { name: "Use the password" }).click();
  await seen.getByText("Proposed. It waits under Two people.").waitFor();

  await first.reload();
  const waiting = first.getByRole("article").filter({ hasText: "Delete all data of the project pilot." });
  await waiting.getByText("Reason: “The pilot is over.”").waitFor();
  await waiting.getByRole("button", { name: "Agree…" }).click();
  await waiting.getByRole("button", { name: "Agree", exact: true }).click();
  await section(first, "Two people").getByText("Agreed. It is done.").waitFor();
}

async function apiTokenOf(page: Page): Promise<string> {
  const tokens = section(page, "API tokens");
  await tokens.getByRole("button", { name: "Make an API token…" }).click();
  await tokens.getByLabel("launch and stop runs").check();
  await tokens.getByLabel("What it is for").fill("nightly runs");
  await tokens.getByLabel("Days, at most 90").fill("10");
  await tokens.getByRole("button", { name: "Make it" }).click();
  const token = (await tokens.getByText(/^cht_[\w-]{43}$/).textContent()) ?? "";
  await tokens.getByRole("button", { name: "Done" }).click();
  return token;
}

/** A script launches a run with the token; its page shows the rounds as they come, over the socket. */
async function watchRun(page: Page): Promise<void> {
  const { url } = coordinator;
  const api = openApi(url);
  for (let seed = 1; seed <= DEVICES; seed++) devices.push(await openTestDevice(url, task, seed));
  for (const { enrolment } of devices) enrolment.start();
  const { runId } = await api.launch({ task: task.slug, rounds: 500, seed: 7 });
  const frames: string[] = [];
  const asked: string[] = [];
  page.on("websocket", (socket) =>
    socket.on("framereceived", ({ payload }) => void frames.push(String(payload))),
  );
  page.on("request", (request) => void asked.push(new URL(request.url()).pathname));
  await page.goto(`${url}/runs/${runId}`);
  const committed = page.getByText(/\d+ of 500 rounds committed/).first();
  await committed.waitFor();
  const before = await committed.textContent();
  await expect.poll(() => committed.textContent()).not.toBe(before);
  expect(asked).toContain("/api/v1/session/ticket");
  expect(frames.some((frame) => frame.startsWith("42/dash,") && frame.includes('"round"'))).toBe(true);
  await api.act(runId, "stop");
  await until("the end of the run", 120_000, async () => (await api.run(runId)).endedAt !== null);
}
