import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { JOIN_FOLDER } from "#coordinator/adapters/web-build.ts";
import { FIRST_WORDS } from "#web/words/opening.ts";
import { CHROMIUM_FLAGS, ensureChromium, openContext } from "../kit/browser.ts";
import { type CoordinatorProcess, freePort, spawnCoordinator } from "../kit/worlds/coordinator-process.ts";
import { axeFindings, buildPages, overflowOf } from "../kit/worlds/web-pages.ts";

/*
 * The participant's page as a browser first meets it: the bytes of its HTML, its words before any script, what is fetched
 * before anyone agrees, and its layout while it loads. Rules W19 and W20.
 */

const SCRIPT_BYTES_MAX = 250_000;
const SHIFT_MAX = 0.05;

let folder: string;
let coordinator: CoordinatorProcess;
let browser: Browser;
const contexts: BrowserContext[] = [];

beforeAll(async () => {
  await buildPages();
  folder = mkdtempSync(join(tmpdir(), "chorus-entry-"));
  const port = await freePort();
  coordinator = await spawnCoordinator({ port, dataDir: folder, pages: true, tasks: ["digits"] });
  browser = await chromium.launch({
    executablePath: await ensureChromium(console.log),
    args: [...CHROMIUM_FLAGS],
  });
});
afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close();
});
afterAll(async () => {
  await browser?.close();
  await coordinator?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function open(options: Parameters<typeof openContext>[1] = {}): Promise<Page> {
  const context = await openContext(browser, options);
  context.setDefaultTimeout(60_000);
  contexts.push(context);
  return context.newPage();
}

const ask = (path: string, headers: Record<string, string> = {}) =>
  fetch(coordinator.url + path, { headers: { "accept-encoding": "identity", ...headers } });
const built = (pattern: RegExp) => readdirSync(JOIN_FOLDER).filter((name) => pattern.test(name));

describe("the HTML", () => {
  const PATHS = ["/join/digits", "/join/digits/learnt", "/join/unknown", "/join/__proto__", "/join/a/b/c"];

  test("[W19] has the same bytes at every address under /join/, whoever asks", async () => {
    const requests = PATHS.flatMap((path) => [
      ask(path),
      ask(`${path}?engine=wasm`, { cookie: "chorus=1", authorization: "Bearer x", "accept-language": "de" }),
    ]);
    const bodies = await Promise.all(requests.map(async (answer) => (await answer).text()));
    expect(new Set(bodies).size).toBe(1);
    expect(bodies[0]).toBe(readFileSync(join(JOIN_FOLDER, "index.html"), "utf8"));
  });

  test("[W19] its policy names the styles in it by hash, and it keeps the page to itself", async () => {
    const { headers } = await ask("/join/digits");
    const html = readFileSync(join(JOIN_FOLDER, "index.html"), "utf8");
    const policy = headers.get("content-security-policy") ?? "";
    const inline = [...html.matchAll(/<style>(.*?)<\/style>/gs)];
    expect(inline).toHaveLength(2);
    expect(html).not.toMatch(/<script(?![^>]* src=)|\son\w+=/);
    expect(policy).toContain("connect-src 'self';");
    for (const [, content = ""] of inline)
      expect(policy).toContain(`'sha256-${createHash("sha256").update(content).digest("base64")}'`);
    expect(policy).not.toMatch(/nonce|unsafe-inline|unsafe-eval(?<!wasm-unsafe-eval)|\*/);
    expect(Object.fromEntries(headers)).toMatchObject({
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
      "permissions-policy": expect.stringContaining("camera=()"),
      "x-content-type-options": "nosniff",
      "cache-control": "no-cache",
    });
  });

  test("[W19] an unchanged page is not sent again", async () => {
    const { headers } = await ask("/join/digits");
    const again = await ask("/join/other", { "if-none-match": headers.get("etag") ?? "" });
    expect([again.status, await again.text()]).toEqual([304, ""]);
  });

  test("[W19] its files have their hash in their name, are kept for good, and come compressed", async () => {
    for (const name of built(/\.(?:js|wasm)$/)) {
      const plain = await ask(`/_join/${name}`);
      const bytes = Buffer.from(await plain.arrayBuffer());
      expect(name).toMatch(/-[\w-]{8}\.(?:js|wasm)$/);
      expect(plain.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
      expect(plain.headers.get("vary")).toBe("accept-encoding");
      for (const [encoding, ending, decode] of [
        ["br", ".br", brotliDecompressSync],
        ["gzip", ".gz", gunzipSync],
      ] as const) {
        const { headers } = await fetch(`${coordinator.url}/_join/${name}`, {
          method: "HEAD",
          headers: { "accept-encoding": encoding },
        });
        const stored = readFileSync(join(JOIN_FOLDER, name + ending));
        expect(headers.get("content-encoding")).toBe(encoding);
        expect(headers.get("content-length")).toBe(String(stored.length));
        expect(decode(stored).equals(bytes)).toBe(true);
      }
    }
    const refused = await ask(`/_join/${built(/^join-.*\.js$/)[0]}`, {
      "accept-encoding": "br;q=0, gzip;q=0",
    });
    expect(refused.headers.get("content-encoding")).toBeNull();
    expect((await ask("/_join/join-00000000.js")).status).toBe(404);
  });
});

describe("before any script", () => {
  test.each([
    { width: 375, colorScheme: "light" },
    { width: 1440, colorScheme: "dark" },
  ] as const)(
    "[W20] at $width px its words hold for every task, and say why scripts are needed",
    async (mode) => {
      const { width, colorScheme } = mode;
      const page = await open({ javaScriptEnabled: false, viewport: { width, height: 800 }, colorScheme });
      await page.goto(`${coordinator.url}/join/digits`);
      // biome-ignore lint/performance/useDomNodeTextContent: hidden text is none
      const words = (await page.locator("main").innerText()).replaceAll(/\s+/g, " ");
      expect(words).toContain(`${FIRST_WORDS.title} ${FIRST_WORDS.lead}`);
      expect(words).toContain("Taking part needs scripts");
      // Nothing is fetched without scripts.
      expect(words).not.toContain("Fetching");
    },
  );

  test("[W20] while its program is on the way, it says how much is being fetched; a failed fetch is no wait", async () => {
    const page = await open();
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await page.route("**/_join/join-*.js", async (route) => {
      await held;
      await route.abort();
    });
    await page.goto(`${coordinator.url}/join/digits`, { waitUntil: "commit" });
    const line = page.locator("#fetching");
    await line.waitFor();
    const said = await line.textContent();
    const kilobytes = Number(/^Fetching this page's program, about (\d+) kB$/.exec(said ?? "")?.[1]);
    expect(kilobytes * 1_000).toBeGreaterThanOrEqual(scriptBytes());
    expect(kilobytes * 1_000 - scriptBytes()).toBeLessThan(10_000);
    expect(await page.getByText("Taking part needs scripts").isVisible()).toBe(false);
    expect(await axeFindings(page)).toEqual([]);
    release();
    await page.getByText("This page's program could not be loaded").waitFor();
  });

  test("[W20] its words are painted from the HTML alone, which is small, before the program runs", async () => {
    expect(readFileSync(join(JOIN_FOLDER, "index.html.br")).length).toBeLessThanOrEqual(6_000);
    const page = await open({ viewport: { width: 375, height: 800 } });
    const asked: string[] = [];
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await page.route("**/_join/**", async (route) => {
      asked.push(new URL(route.request().url()).pathname);
      await held;
      await route.continue();
    });
    await page.goto(`${coordinator.url}/join/digits`, { waitUntil: "commit" });
    const title = page.getByRole("heading", { name: FIRST_WORDS.title });
    await page.waitForFunction(() => performance.getEntriesByName("first-contentful-paint").length > 0);
    const look = () =>
      title.evaluate((heading) => {
        const { fontSize, lineHeight, color } = getComputedStyle(heading);
        return { fontSize, lineHeight, color, height: heading.getBoundingClientRect().height };
      });
    const before = await look();
    expect(before.fontSize).toBe("38px");
    // The typefaces come with the rest of the styles.
    expect(asked.filter((path) => path.endsWith(".woff2"))).toEqual([]);
    release();
    await page.getByRole("checkbox", { name: /I agree/ }).waitFor();
    expect(asked.some((path) => path.endsWith(".woff2"))).toBe(true);
  });

  const scriptBytes = () =>
    built(/^(?:first-|join-|participant\.worker-).*\.js\.br$/).reduce(
      (sum, name) => sum + readFileSync(join(JOIN_FOLDER, name)).length,
      0,
    );

  test("[W20] at most 250 kB of compressed script are fetched before anyone agrees, and no engine", async () => {
    const page = await open();
    const asked: string[] = [];
    page.context().on("request", (request) => asked.push(new URL(request.url()).pathname));
    await page.goto(`${coordinator.url}/join/digits`);
    await page.getByRole("checkbox", { name: /I agree/ }).waitFor();
    await page.waitForLoadState("networkidle");
    const scripts = [...new Set(asked.filter((path) => path.endsWith(".js")))];
    const byteCount = scripts.reduce(
      (sum, path) => sum + readFileSync(join(JOIN_FOLDER, `${path.slice("/_join/".length)}.br`)).length,
      0,
    );
    expect(scripts).toHaveLength(3);
    expect(byteCount).toBeGreaterThan(50_000);
    expect(byteCount).toBeLessThanOrEqual(SCRIPT_BYTES_MAX);
    expect(byteCount).toBe(scriptBytes());
    expect(asked.filter((path) => /trainer|wasm|agreed/.test(path))).toEqual([]);
    // Positive control: after the agreement they are.
    await page.getByRole("checkbox", { name: /I agree/ }).check();
    await page.getByRole("button", { name: "Take part", exact: true }).click();
    await page.getByRole("button", { name: "Draw one" }).waitFor();
    await expect.poll(() => asked.filter((path) => /\/(?:trainer|agreed)/.test(path)).length).toBe(2);
  });
});

/** How far the layout has moved by itself since the page began; the browser's own measure. */
type Shifting = typeof globalThis & { shifted?: number };
interface LayoutShift extends PerformanceEntry {
  readonly value: number;
  readonly hadRecentInput: boolean;
}

async function watchShifts(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const scope = globalThis as Shifting;
    scope.shifted = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as LayoutShift[])
        if (!entry.hadRecentInput) scope.shifted = (scope.shifted ?? 0) + entry.value;
    }).observe({ type: "layout-shift", buffered: true });
  });
}

describe.each([
  { width: 375, colorScheme: "light" },
  { width: 1440, colorScheme: "dark" },
] as const)("at $width px, $colorScheme", ({ width, colorScheme }) => {
  test("[W20] the layout holds while the page loads and after the agreement, and nothing scrolls sideways", async () => {
    const page = await open({ viewport: { width, height: 900 }, colorScheme });
    await watchShifts(page);
    await page.goto(`${coordinator.url}/join/digits`);
    await page.getByRole("checkbox", { name: /I agree/ }).check();
    await page.getByRole("button", { name: "Take part", exact: true }).click();
    await page.getByRole("button", { name: "Draw one" }).waitFor();
    await page.getByText(/, in use/).waitFor();
    expect(await page.evaluate(() => (globalThis as Shifting).shifted)).toBeLessThanOrEqual(SHIFT_MAX);
    expect(await overflowOf(page)).toBeLessThanOrEqual(0);
    // Someone who comes back sees all parts at once.
    await page.reload();
    await page.getByText(/, in use/).waitFor();
    expect(await page.evaluate(() => (globalThis as Shifting).shifted)).toBeLessThanOrEqual(SHIFT_MAX);
  });

  test("[W20] so does the layout where there is no such task", async () => {
    const page = await open({ viewport: { width, height: 900 }, colorScheme });
    await watchShifts(page);
    await page.goto(`${coordinator.url}/join/x`);
    await page.getByRole("heading", { name: "There is no such task" }).waitFor();
    await page.waitForLoadState("networkidle");
    expect(await page.evaluate(() => (globalThis as Shifting).shifted)).toBeLessThanOrEqual(SHIFT_MAX);
  });

  test("[W20] so does the layout of what the coordinator could learn", async () => {
    const page = await open({ viewport: { width, height: 900 }, colorScheme });
    await watchShifts(page);
    await page.goto(`${coordinator.url}/join/digits/learnt`);
    await page.getByText("Every number here follows").waitFor();
    expect(await page.evaluate(() => (globalThis as Shifting).shifted)).toBeLessThanOrEqual(SHIFT_MAX);
    // Positive control: the measure sees a shift.
    await page.evaluate(() => {
      const block = document.createElement("div");
      block.style.height = "300px";
      document.querySelector("main")?.prepend(block);
    });
    await expect.poll(() => page.evaluate(() => (globalThis as Shifting).shifted)).toBeGreaterThan(SHIFT_MAX);
  });
});

test.each(["/join/", "/join/a/b/c"])("[W19] %s says that there is no page", async (path) => {
  const page = await open();
  await page.goto(coordinator.url + path);
  await page.getByRole("heading", { name: "Nothing here" }).waitFor();
  expect(await page.title()).toBe("Nothing here. Chorus");
});

test("[W23] Start stands under the data, keeps the focus, and a closed panel gives it back", async () => {
  const page = await open({ viewport: { width: 1440, height: 900 } });
  await page.goto(`${coordinator.url}/join/digits`);
  await page.getByRole("checkbox", { name: /I agree/ }).check();
  await page.getByRole("button", { name: "Take part", exact: true }).click();
  const data = page.locator("section", { has: page.locator("#data") });
  await data.getByRole("button", { name: "Draw one" }).waitFor();
  expect(await data.getByRole("button", { name: "Start", exact: true }).count()).toBe(0);
  await data.getByRole("application").focus();
  for (const key of ["Space", "ArrowDown", "ArrowDown", "ArrowDown", "Space"]) await page.keyboard.press(key);
  await data.getByRole("radio", { name: "1", exact: true }).check({ force: true });
  await data.getByRole("button", { name: "Keep this drawing" }).click();
  const start = data.getByRole("button", { name: "Start", exact: true });
  await start.focus();
  await page.keyboard.press("Enter");
  const pause = data.getByRole("button", { name: "Pause", exact: true });
  await pause.waitFor();
  expect(await pause.evaluate((button) => button === document.activeElement)).toBe(true);
  await data.getByText("You take part with these drawings.").waitFor();
});
