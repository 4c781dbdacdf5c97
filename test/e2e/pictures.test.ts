import { readdirSync, readFileSync } from "node:fs";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import { nodePictureCodecs } from "#shared/node/picture-wasm.ts";
import { readPicture } from "#shared/pictures/read-picture.ts";
import { CHROMIUM_FLAGS, ensureChromium, openContext } from "../kit/browser.ts";
import { makePng, type PngPlan } from "../kit/files/png.ts";
import { servePage } from "../kit/page-modules.ts";

/* The same files through a page's decoders in Chromium and an edge's in Node. */

const folder = new URL("../vectors/data/pictures/", import.meta.url);
const files = readdirSync(folder)
  .filter((name) => !/\.(json|py)$/.test(name))
  .map((name) => [name, new Uint8Array(readFileSync(new URL(name, folder)))] as const);
const depths = { 0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16] } as const;
const made = Object.entries(depths).flatMap(([type, all]) =>
  all.map((depth) => {
    const plan: PngPlan = {
      width: 70,
      height: 40,
      depth,
      colourType: Number(type) as PngPlan["colourType"],
      isInterlaced: depth === 8,
      values: Array.from({ length: 70 * 40 * 4 }, (_, at) => (at * 40_503 + (at >> 4)) % 2 ** depth),
      ...(type === "3" && { palette: Array.from({ length: 3 * 2 ** depth }, (_, at) => (at * 83) % 256) }),
    };
    return [`type ${type}, ${depth} bits`, makePng(plan)] as const;
  }),
);

let browser: Browser;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  browser = await chromium.launch({
    executablePath: await ensureChromium(console.log),
    args: [...CHROMIUM_FLAGS],
  });
  context = await openContext(browser);
  page = await context.newPage();
  await page.goto(await servePage(context, "http://localhost:4701", "test/kit/pages/pictures-page.ts"));
  await page.waitForFunction("'readPictures' in globalThis");
});
afterAll(() => browser?.close());

test.each([
  { height: 28, width: 28, channels: 1 },
  { height: 20, width: 30, channels: 3 },
  { height: 40, width: 70, channels: 1 },
] as const)(
  "[D40] page and edge read every picture to the same bits: $height x $width x $channels",
  async (shape) => {
    const codecs = nodePictureCodecs();
    const all = [...files, ...made];
    const hex = all.map(([, bytes]) => Buffer.from(bytes).toString("hex"));
    const onPage = await page.evaluate(
      ([given, wanted]) =>
        (globalThis as unknown as { readPictures(f: unknown, s: unknown): Promise<string[]> }).readPictures(
          given,
          wanted,
        ),
      [hex, shape] as const,
    );
    let takenCount = 0;
    for (const [index, [name, bytes]] of all.entries()) {
      const here = await readPicture(bytes, shape, codecs);
      if (here.ok) takenCount++;
      const wanted = here.ok ? Buffer.from(here.value.pixels.buffer).toString("hex") : `! ${here.error}`;
      expect(
        onPage[index] === wanted,
        `${name}: ${onPage[index]?.slice(0, 80)} beside ${wanted.slice(0, 80)}`,
      ).toBe(true);
    }
    expect(takenCount).toBeGreaterThan(30);
  },
);
