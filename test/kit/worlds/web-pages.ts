import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import type { BrowserContext, Page } from "playwright";
import { ensureWebBuild } from "#coordinator/adapters/web-build.ts";
import { freePort } from "./coordinator-process.ts";

/* The built pages over a stand-in for the coordinator's API, and what is true of every page. */

/** Builds the pages unless they are up to date. @throws Error after the compilers' output if they cannot be built. */
export function buildPages(): Promise<void> {
  return ensureWebBuild(
    () => {},
    (text) => process.stderr.write(text),
  );
}

export interface FakeApi {
  /** Without a slash at the end. */
  readonly base: string;
  /** What it printed: its base, or the set-up link. */
  readonly link: string;
  readonly child: ChildProcess;
}

/** @param flags  As test/kit/fakes/fake-api.ts takes them. */
export async function startFakeApi(...flags: readonly string[]): Promise<FakeApi> {
  const port = await freePort();
  const child = spawn(
    process.execPath,
    [join("test", "kit", "fakes", "fake-api.ts"), "--port", String(port), ...flags],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const link = await new Promise<string>((resolve, reject) => {
    child.stdout?.on("data", (text: Buffer) => {
      const found = /http:\/\/localhost\S*/.exec(String(text));
      if (found !== null) resolve(found[0]);
    });
    child.on("exit", (code) => reject(new Error(`the stand-in API ended with ${code}`)));
  });
  return { base: `http://localhost:${port}`, link, child };
}

/** Opens a page and collects what the browser complains about, violations of the content security policy included. */
export async function openPage(
  context: BrowserContext,
  url: string,
  isExpected: (complaint: string) => boolean = () => false,
): Promise<{ readonly page: Page; readonly complaints: string[] }> {
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && !isExpected(message.text())) complaints.push(message.text());
  });
  await page.goto(url);
  await page.getByRole("heading", { level: 1 }).waitFor();
  return { page, complaints };
}

/** One line for each kind of violation that axe finds. */
export async function axeFindings(page: Page): Promise<readonly string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ""}`);
}

/** Pixels by which the page is wider than its window. */
export function overflowOf(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
}
