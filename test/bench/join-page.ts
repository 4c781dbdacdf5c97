import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium } from "playwright";
import { ensureWebBuild, JOIN_FOLDER } from "#coordinator/adapters/web-build.ts";
import { CHROMIUM_FLAGS, ensureChromium } from "../kit/browser.ts";
import { freePort, spawnCoordinator } from "../kit/worlds/coordinator-process.ts";
import { type Bench, type BenchLine, type BenchOptions, compared, quantile } from "./line.ts";

/*
 * The participant's page on a slow phone: 1.6 Mbit/s, 150 ms until the first byte of each answer, a quarter of this
 * machine's speed. First words are the browser's first contentful paint, beside that of a plain page of as many bytes.
 */

const BYTES_PER_SECOND = 1.6e6 / 8;
const LATENCY_MS = 150;
const SLOWER = 4;

export const bench: Bench = { name: "join-page", run };

async function* run({ small = false }: BenchOptions = {}): AsyncIterable<BenchLine> {
  const visits = small ? 1 : 7;
  await ensureWebBuild(
    () => {},
    () => {},
  );
  const dataDir = mkdtempSync(join(tmpdir(), "chorus-join-page-"));
  const coordinator = await spawnCoordinator({
    port: await freePort(),
    dataDir,
    pages: true,
    tasks: ["digits"],
  });
  const plain = await servePlain(readFileSync(join(JOIN_FOLDER, "index.html.br")).length);
  const browser = await chromium.launch({
    executablePath: await ensureChromium(() => {}),
    args: [...CHROMIUM_FLAGS],
  });
  try {
    const ours: Visit[] = [];
    const theirs: Visit[] = [];
    for (let visit = 0; visit < visits; visit++) {
      ours.push(await visitOf(browser, `${coordinator.url}/join/digits`, "checkbox"));
      theirs.push(await visitOf(browser, plain.url, "paragraph"));
    }
    const firstMs = quantile(
      ours.map(({ paintMs }) => paintMs),
      0.5,
    );
    const plainMs = quantile(
      theirs.map(({ paintMs }) => paintMs),
      0.5,
    );
    yield {
      name: "first words on a slow phone",
      value: firstMs,
      unit: "ms",
      ...compared("plain page of the same size", plainMs, firstMs),
    };
    yield {
      name: "until one can agree",
      value: quantile(
        ours.map(({ readyMs }) => readyMs),
        0.5,
      ),
      unit: "ms",
    };
  } finally {
    await browser.close();
    plain.server.close();
    await coordinator.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

interface Visit {
  readonly paintMs: number;
  /** Until the element that the visit is for is there. */
  readonly readyMs: number;
}

/** One visit with an empty cache. */
async function visitOf(browser: Browser, url: string, role: "checkbox" | "paragraph"): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 375, height: 800 } });
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await devtools.send("Network.enable");
  await devtools.send("Network.emulateNetworkConditions", {
    offline: false,
    latency: LATENCY_MS,
    downloadThroughput: BYTES_PER_SECOND,
    uploadThroughput: BYTES_PER_SECOND,
  });
  await devtools.send("Emulation.setCPUThrottlingRate", { rate: SLOWER });
  await page.goto(url, { waitUntil: "commit" });
  await page.getByRole(role).first().waitFor({ timeout: 120_000 });
  const visit = await page.evaluate(async () => {
    const readyMs = performance.now();
    const paint = () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime;
    while (paint() === undefined) await new Promise((resolve) => setTimeout(resolve, 20));
    return { readyMs, paintMs: paint() ?? 0 };
  });
  await context.close();
  return visit;
}

/** A page of words alone that is sent as `byteCount` bytes. */
async function servePlain(byteCount: number): Promise<{ readonly url: string; readonly server: Server }> {
  const words = "<!doctype html><title>plain</title><p>Your data stay on this device.</p>";
  const filler = "one list of numbers ".repeat(Math.ceil(byteCount / 20));
  const body = `${words}<!-- ${filler}`.slice(0, byteCount - 4).concat(" -->");
  const server = createServer((_, response) => {
    response.writeHead(200, { "content-type": "text/html", "content-length": Buffer.byteLength(body) });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://localhost:${(server.address() as AddressInfo).port}/`, server };
}
