import { chromium } from "playwright";
import { randomBytes } from "#shared/node/system.ts";
import { lossEpsilon } from "#shared/privacy/loss-distribution.ts";
import { epsilonFromRenyi, RENYI_ORDERS } from "#shared/privacy/renyi.ts";
import { sampledGaussianRenyi } from "#shared/privacy/sampled-gaussian.ts";
import { CHROMIUM_FLAGS, ensureChromium, openContext } from "../kit/browser.ts";
import { servePage } from "../kit/page-modules.ts";
import { type Bench, type BenchLine, type BenchOptions, compared } from "./line.ts";
import { measureNoise, type NoiseTimes } from "./privacy/noise.ts";
import { askReference, type Reference, type Setting } from "./privacy/reference.ts";

/*
 * Noise for a million coordinates in Node and in Chromium, and the accountants beside Python's dp-accounting in the same
 * run: time and value. RDP is exact, so it must agree to 1e-6 where the best order is a whole one; elsewhere
 * dp-accounting adds a series without its signs and may be above, by at most 1e-3. PLD must agree to 2e-3.
 */

/** sigma_int = 421: a million weights at noise multiplier 1 with 150 honest shares. */
const VARIANCE = 177_241;
const BARS_MS = { node: 150, chromium: 300, rdp: 20, pld: 1500 } as const;
const SETTINGS: readonly Setting[] = [
  { name: "q 0.01, sigma 1, 1000 steps", q: 0.01, sigma: 1, steps: 1000, delta: 1e-5 },
  { name: "q 0.04, sigma 1.5, 2250 steps", q: 0.04, sigma: 1.5, steps: 2250, delta: 1e-5 },
  { name: "q 0.01, sigma 4, 10000 steps", q: 0.01, sigma: 4, steps: 10_000, delta: 1e-5 },
  { name: "q 0.001, sigma 1, 30000 steps", q: 0.001, sigma: 1, steps: 30_000, delta: 1e-7 },
  { name: "q 0.1, sigma 1, 100 steps", q: 0.1, sigma: 1, steps: 100, delta: 1e-6 },
];

export const bench: Bench = { name: "privacy", run };

async function* run({ small = false }: BenchOptions = {}): AsyncIterable<BenchLine> {
  const count = small ? 10_000 : 1_000_000;
  yield* noiseLines("Node, CPU", count, BARS_MS.node, measureNoise(randomBytes, cpuMs, count, VARIANCE));
  yield* noiseLines("Chromium", count, BARS_MS.chromium, await measureInChromium(count));
  const settings = small ? SETTINGS.slice(0, 1) : SETTINGS;
  const references = small ? null : await askReference(settings);
  for (const [index, setting] of settings.entries()) {
    yield* accountantLines(setting, references?.[index] ?? null);
  }
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e3;
}

function* noiseLines(where: string, count: number, barMs: number, times: NoiseTimes): Generator<BenchLine> {
  const name = `noise for ${count} coordinates in ${where}`;
  yield { name, value: times.noiseMs, unit: "ms", ...compared("bar", barMs, times.noiseMs) };
  yield {
    name: `${name}, over its random bytes alone`,
    value: times.noiseMs,
    unit: "ms",
    ...compared("random bytes", times.randomMs, times.noiseMs),
  };
  yield { name: `table of the noise in ${where}, once a layout`, value: times.tableMs, unit: "ms" };
}

function* accountantLines(setting: Setting, reference: Reference | null): Generator<BenchLine> {
  const { name, q, sigma, steps, delta } = setting;
  const [byRenyi, rdpMs] = timed(() => {
    const renyi = sampledGaussianRenyi(q, sigma, RENYI_ORDERS).map((bound) => steps * bound);
    return epsilonFromRenyi(RENYI_ORDERS, renyi, delta);
  });
  const rounds = [{ mechanism: { sigma, weights: [1 - q, q] }, count: steps }];
  const [byLoss, pldMs] = timed(() => lossEpsilon(rounds, delta) ?? Number.NaN);
  yield { name: `RDP of ${name}`, value: rdpMs, unit: "ms", ...compared("bar", BARS_MS.rdp, rdpMs) };
  yield { name: `PLD of ${name}`, value: pldMs, unit: "ms", ...compared("bar", BARS_MS.pld, pldMs) };
  if (reference === null) return;
  assertAgrees(setting, reference, byRenyi, byLoss);
  const peer = "dp-accounting";
  yield { name: `RDP of ${name}`, value: rdpMs, unit: "ms", ...compared(peer, reference.rdpMs, rdpMs) };
  yield { name: `PLD of ${name}`, value: pldMs, unit: "ms", ...compared(peer, reference.pldMs, pldMs) };
  const { epsilon } = byRenyi;
  yield {
    name: `epsilon by RDP, ${name}`,
    value: epsilon,
    unit: "",
    ...compared(peer, reference.rdp, epsilon),
  };
  yield {
    name: `epsilon by PLD, ${name}`,
    value: byLoss,
    unit: "",
    ...compared(peer, reference.pld, byLoss),
  };
}

function assertAgrees(
  { name }: Setting,
  reference: Reference,
  { epsilon, order }: { readonly epsilon: number; readonly order: number | null },
  byLoss: number,
): void {
  const above = reference.rdp - epsilon;
  const isWhole = order !== null && Number.isInteger(order) && order === reference.order;
  const agrees = isWhole
    ? Math.abs(above) <= 1e-6
    : above >= -1e-6 && above <= 1e-3 * Math.max(1, reference.rdp);
  if (!agrees) throw new Error(`RDP of ${name} is ${epsilon}, and dp-accounting says ${reference.rdp}.`);
  if (!(Math.abs(byLoss - reference.pld) <= 2e-3)) {
    throw new Error(`PLD of ${name} is ${byLoss}, and dp-accounting says ${reference.pld}.`);
  }
}

/** The fastest of three. */
function timed<Value>(work: () => Value): readonly [Value, number] {
  let value = work();
  let best = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < 3; turn++) {
    const began = performance.now();
    value = work();
    best = Math.min(best, performance.now() - began);
  }
  return [value, best];
}

async function measureInChromium(count: number): Promise<NoiseTimes> {
  const browser = await chromium.launch({
    executablePath: await ensureChromium(() => {}),
    args: [...CHROMIUM_FLAGS],
  });
  try {
    const context = await openContext(browser);
    const page = await context.newPage();
    await page.goto(await servePage(context, "http://localhost:4703", "test/kit/pages/noise-page.ts"));
    await page.waitForFunction("'measureNoise' in globalThis");
    return await page.evaluate<NoiseTimes>(`globalThis.measureNoise(${count}, ${VARIANCE})`);
  } finally {
    await browser.close();
  }
}
