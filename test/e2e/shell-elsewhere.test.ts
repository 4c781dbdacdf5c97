import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import { JOIN_FOLDER } from "#coordinator/adapters/web-build.ts";
import { SHELL_HTML } from "#shared/node/shell.ts";
import { CHROMIUM_FLAGS, ensureChromium, openContext } from "#test/kit/browser.ts";
import { freePort } from "#test/kit/worlds/coordinator-process.ts";
import { axeFindings, buildPages } from "#test/kit/worlds/web-pages.ts";

/* The participant's page on a host that serves plain files, and a coordinator elsewhere that names this host. */

const ROOT = new URL("../..", import.meta.url).pathname;
const TYPES: Readonly<Record<string, string>> = {
  html: "text/html",
  js: "text/javascript",
  css: "text/css",
  svg: "image/svg+xml",
  wasm: "application/wasm",
};

let folder: string;
let coordinator: string;
let demo: ChildProcess;
let host: Server;
let elsewhere: string;
let browser: Browser;

beforeAll(async () => {
  await buildPages();
  folder = mkdtempSync(join(tmpdir(), "chorus-elsewhere-"));
  host = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://host");
    const [, name] = /^\/some\/folder\/_join\/([\w.-]+)$/.exec(pathname) ?? [];
    const file = pathname === "/some/folder/join/" ? SHELL_HTML : name;
    if (file === undefined) return response.writeHead(404).end();
    return response
      .writeHead(200, { "content-type": TYPES[file.split(".").at(-1) ?? ""] ?? "font/woff2" })
      .end(readFileSync(join(JOIN_FOLDER, file)));
  });
  await new Promise<void>((resolve) => host.listen(0, "127.0.0.1", resolve));
  elsewhere = `http://localhost:${(host.address() as AddressInfo).port}`;
  const port = await freePort();
  coordinator = `http://localhost:${port}`;
  const state = join(folder, "state");
  const args = ["--clients", "5", "--rounds", "5000", "--port", String(port), "--data", state];
  demo = spawn(process.execPath, [join(ROOT, "coordinator", "commands", "demo.ts"), ...args], {
    cwd: ROOT,
    env: { ...process.env, CHORUS_ORIGINS: elsewhere },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  await new Promise<void>((resolve, reject) => {
    const hear = (text: Buffer) => {
      said = (said + text.toString()).slice(-8_000);
      if (/^round +1 /m.test(said)) resolve();
    };
    demo.stdout?.on("data", hear);
    demo.stderr?.on("data", hear);
    demo.on("exit", (code) => reject(new Error(`the demo ended with ${code}:\n${said}`)));
  });
  browser = await chromium.launch({
    executablePath: await ensureChromium(console.log),
    args: [...CHROMIUM_FLAGS],
  });
  const rows = readFileSync(join(ROOT, "coordinator", "data", "digits.csv"), "utf8").split("\n");
  writeFileSync(join(folder, "mine.csv"), rows.slice(0, 41).join("\n"));
});
afterAll(async () => {
  await browser?.close();
  if (demo?.exitCode === null) {
    demo.kill("SIGINT");
    await once(demo, "exit");
  }
  host?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function open(search: string): Promise<{ readonly page: Page; readonly asked: string[] }> {
  const context = await openContext(browser, {});
  const page = await context.newPage();
  const asked: string[] = [];
  context.on("request", (request) => asked.push(new URL(request.url()).origin));
  await page.goto(`${elsewhere}/some/folder/join/${search}`);
  return { page, asked };
}

test("[A55] a page from elsewhere asks first, then takes part in a round", async () => {
  const { page, asked } = await open(`?at=${coordinator}&task=digits`);
  await page.getByRole("heading", { name: `Connect to ${new URL(coordinator).host}?` }).waitFor();
  await page.getByText("This device's identity and what it keeps belong to").waitFor();
  expect(await axeFindings(page)).toEqual([]);
  await page.waitForLoadState("networkidle");
  expect(new Set(asked)).toEqual(new Set([elsewhere]));
  await page.getByRole("button", { name: "Connect" }).click();
  await page.getByRole("checkbox", { name: /I agree/ }).check();
  await page.getByRole("button", { name: "Take part", exact: true }).click();
  const data = page.locator("section", { has: page.locator("#data") });
  await page.getByRole("button", { name: "Add a CSV file" }).click();
  const chooser = page.waitForEvent("filechooser");
  await data.getByRole("button", { name: "Choose a file" }).click();
  await (await chooser).setFiles(join(folder, "mine.csv"));
  await page.getByRole("button", { name: /[Aa]dd [\d,]+ row/ }).click();
  await page.getByText("40 drawings, stored in this browser and nowhere else.").waitFor();
  await data.getByRole("button", { name: "Start", exact: true }).click();
  await page.getByText(/^You were one of \d voices\./).waitFor({ timeout: 120_000 });
  // Nothing of it came from the coordinator's own page.
  expect(await page.evaluate(() => location.origin)).toBe(elsewhere);
});

test("[A55] a link with a path, or in plain text to another machine, goes nowhere", async () => {
  for (const at of [`${coordinator}/path`, "http://chorus.example.org"]) {
    const { page, asked } = await open(`?at=${at}&task=digits`);
    await page
      .getByRole("heading", { name: "This link names no coordinator that the page may use" })
      .waitFor();
    expect(new Set(asked)).toEqual(new Set([elsewhere]));
  }
});
