import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CHROMIUM_FLAGS, ensureChromium, openContext } from "../kit/browser.ts";
import { makePng } from "../kit/files/png.ts";
import { makeZip } from "../kit/files/zip.ts";
import { axeFindings, buildPages, type FakeApi, openPage, startFakeApi } from "../kit/worlds/web-pages.ts";

/*
 * Each kind of sample in a real browser, from the file to a trial, over a stand-in for the coordinator: pictures in a zip and
 * in a folder, series, numbers.
 */

const scratch = mkdtempSync(join(tmpdir(), "chorus-samples-"));
let api: FakeApi;
let browser: Browser;

beforeAll(async () => {
  await buildPages();
  api = await startFakeApi();
  browser = await chromium.launch({
    executablePath: await ensureChromium(console.log),
    args: [...CHROMIUM_FLAGS],
  });
});

afterAll(async () => {
  await browser?.close();
  api?.child.kill("SIGKILL");
  rmSync(scratch, { recursive: true, force: true });
});

const part = (page: Page, number: number) =>
  page.locator("section.sec").filter({ has: page.locator(`#part-${number}`) });
const fileInput = (page: Page) => page.locator('input[type="file"][accept*=".csv"]').first();
const open = async (prepare: (page: Page) => Promise<void> = async () => {}) => {
  const context = await openContext(browser);
  const { page, complaints } = await openPage(context, `${api.base}/tasks/new`);
  await prepare(page);
  await page.getByText("Bring a sample of what people have").waitFor();
  return { context, page, complaints };
};
/** A number from 0 to 1 that looks random and is the same each time. */
const uneven = (index: number) => (Math.imul(index + 1, 2_654_435_761) >>> 8) / 2 ** 24;

async function tryIt(page: Page, sentence: RegExp): Promise<void> {
  const trial = part(page, 4);
  await trial.getByRole("button", { name: "Try it" }).click();
  await trial.getByText(sentence).waitFor();
  await trial
    .getByRole("button", { name: /Stop|Try again/ })
    .first()
    .click();
}

/** Pictures of bars that lie or stand, in a folder for each. */
function pictures(): { readonly path: string; readonly data: Uint8Array }[] {
  return Array.from({ length: 60 }, (_, index) => {
    const name = index % 2 === 0 ? "lying" : "standing";
    const at = 2 + (index % 8);
    const values = Array.from({ length: 144 }, (_, pixel) => {
      const place = name === "lying" ? Math.floor(pixel / 12) : pixel % 12;
      return place === at ? 230 : Math.floor(20 * uneven(index * 144 + pixel));
    });
    const data = makePng({ width: 12, height: 12, depth: 8, colourType: 0, values });
    return { path: `bars/${name}/${index}.png`, data };
  });
}

describe("[K1] [K4] [K8] a sample of", () => {
  test.each(["a zip", "a folder"])(
    "pictures in %s: its folders are the classes, and the model is tried",
    async (how) => {
      const { page, context, complaints } = await open();
      if (how === "a zip") {
        const buffer = Buffer.from(makeZip([...pictures(), { path: "bars/.DS_Store", data: "x" }]));
        await fileInput(page).setInputFiles({ name: "bars.zip", mimeType: "application/zip", buffer });
      } else {
        for (const { path, data } of pictures()) {
          mkdirSync(join(scratch, path, ".."), { recursive: true });
          writeFileSync(join(scratch, path), data);
        }
        await page
          .locator('input[type="file"][webkitdirectory]')
          .first()
          .setInputFiles(join(scratch, "bars"));
      }
      await part(page, 1).getByText("60 pictures", { exact: true }).waitFor();
      await part(page, 1).getByText("in 2 class folders").waitFor();
      expect(await page.getByLabel(/^Classes, one a line/).inputValue()).toBe("lying\nstanding");
      expect(await page.getByLabel("Width, pixels").inputValue()).toBe("12");
      await part(page, 2).getByText("All 60 rows are taken.").waitFor();
      await tryIt(page, /It finds \d+ of the \d+ rows that are “standing”/);
      expect(await axeFindings(page)).toEqual([]);
      expect(complaints).toEqual([]);
      await context.close();
    },
  );

  test("series: numbered columns are steps of channels, and the model is tried", async () => {
    const steps = Array.from({ length: 16 }, (_, step) => step);
    const header = [...steps.map((step) => `x${step}`), ...steps.map((step) => `y${step}`), "movement"].join(
      ",",
    );
    const rows = Array.from({ length: 150 }, (_, row) => {
      const kind = row % 3;
      const of = (channel: number) =>
        steps.map((step) =>
          (Math.sin((step + row) * (kind + 1) * 0.4 + channel) + 0.1 * uneven(row * 16 + step)).toFixed(2),
        );
      return [...of(0), ...of(1), ["still", "walking", "running"][kind]].join(",");
    });
    const { page, context, complaints } = await open();
    await chooseText(page, "movements.csv", [header, ...rows]);
    await part(page, 1).getByText("150 rows read").waitFor();
    expect(await page.getByLabel("Steps of every series").inputValue()).toBe("16");
    await part(page, 2).getByRole("group", { name: "Channel y" }).waitFor();
    await part(page, 2).getByText("16 steps of 2 channels, each scaled by its range.").waitFor();
    await tryIt(page, /It is right for \d+ of \d+ rows that it did not see/);
    expect(complaints).toEqual([]);
    await context.close();
  });

  test("numbers: the trial is drawn and said in the label's unit, beside always saying the mean", async () => {
    const rows = Array.from({ length: 400 }, (_, row) => {
      const [rooms, area] = [1 + (row % 6), 20 + Math.floor(150 * uneven(row))];
      return `${rooms},${area},${(40 + 3 * area + 15 * rooms + 20 * uneven(row + 1_000)).toFixed(1)}`;
    });
    const { page, context, complaints } = await open();
    await chooseText(page, "homes.csv", ["rooms,area,price", ...rows]);
    await part(page, 1).getByText("400 rows read").waitFor();
    await page.getByRole("button", { name: "Edit price" }).click();
    await page.getByLabel("Unit", { exact: true }).fill("thousand dollars");
    await page.getByRole("button", { name: "Close price" }).click();
    await tryIt(
      page,
      /it is off by [\d.,]+ ± [\d.,]+\sthousand dollars on average; always saying their mean is off by [\d.,]+ thousand dollars/,
    );
    const chart = part(page, 4).getByRole("img", { name: /It is off by .* thousand dollars on average/ });
    await chart.waitFor();
    expect(await chart.locator("text").allTextContents()).toContain("thousand dollars");
    expect(complaints).toEqual([]);
    await context.close();
  });

  test("a table with broken quotes: the rows are named, and are taken once quotes are letters", async () => {
    const rows = Array.from(
      { length: 50 },
      (_, row) =>
        `${row},${row === 30 ? '5" pipe' : row === 31 ? '"open' : "plain"},${row % 2 === 0 ? "yes" : "no"}`,
    );
    const { page, context } = await open();
    await chooseText(page, "pipes.csv", ["width,note,back", ...rows]);
    await part(page, 1)
      .getByRole("alert")
      .getByText("A quote is opened in row 32 (line 33) and never closed.", { exact: false })
      .waitFor();
    await part(page, 1).getByText("49 taken").waitFor();
    await page.getByRole("button", { name: "Read every quote as a plain character" }).click();
    await part(page, 1).getByText("50 taken").waitFor();
    expect(await part(page, 1).getByRole("alert").count()).toBe(0);
    await part(page, 1).getByText("Every quote was read as a plain character.", { exact: false }).waitFor();
    await context.close();
  });

  test("who has none: the example is read like a file of one's own", async () => {
    const { page, context, complaints } = await open();
    await page.getByRole("button", { name: /^Take the example/ }).click();
    await part(page, 1).getByText("2,380 rows read").waitFor();
    await part(page, 2).getByText("what is learnt").waitFor();
    await part(page, 2)
      .getByText(/^Of 2,380 rows|^All 2,380 rows/)
      .waitFor();
    expect(complaints).toEqual([]);
    await context.close();
  });
});

async function chooseText(page: Page, name: string, lines: readonly string[]): Promise<void> {
  const buffer = Buffer.from(`${lines.join("\n")}\n`);
  await fileInput(page).setInputFiles({ name, mimeType: "text/csv", buffer });
}

test("[K4] BatchNormalization is mended by its button", async () => {
  const { page, context } = await open();
  await page.getByRole("button", { name: "Table to class" }).click();
  await page.getByLabel("Pasted JSON").check();
  // The text to begin with is the model that was chosen before.
  const text = page.getByLabel(/^Layers, as JSON/);
  const model = JSON.parse(await text.inputValue());
  model.config.layers.splice(1, 0, { class_name: "BatchNormalization", config: { name: "norm" } });
  await text.fill(JSON.stringify(model));
  await part(page, 3).getByText("BatchNormalization is not taken", { exact: false }).waitFor();
  await page.getByRole("button", { name: "Put LayerNormalization there" }).click();
  await part(page, 3)
    .getByText("BatchNormalization is not taken", { exact: false })
    .waitFor({ state: "detached" });
  expect(await text.inputValue()).toContain('"class_name": "LayerNormalization"');
  await context.close();
});

describe("[K6] a browser that", () => {
  test("is full keeps no draft, says so, and everything else goes on", async () => {
    const { page, context } = await open((before) =>
      before.evaluate(() => {
        for (let size = 2 ** 22; size >= 1; size /= 2) {
          try {
            for (let at = 0; ; at++) localStorage.setItem(`full ${size} ${at}`, "x".repeat(size));
          } catch {}
        }
      }),
    );
    await page.getByRole("button", { name: "Table to class" }).click();
    await page.getByText("this browser keeps no draft").waitFor();
    await page.getByLabel("Not for").fill("Payment.");
    await page.getByRole("button", { name: "Save draft" }).click();
    await page.getByText("this browser keeps no draft").waitFor();
    expect(await page.getByLabel("Not for").inputValue()).toBe("Payment.");
    await context.close();
  });

  test("lets no page store anything opens the workshop all the same", async () => {
    const context = await openContext(browser);
    await context.addInitScript(() => {
      Object.defineProperty(window, "localStorage", {
        get: () => {
          throw new DOMException("Access is denied for this document.", "SecurityError");
        },
      });
    });
    const { page, complaints } = await openPage(context, `${api.base}/tasks/new`);
    await page.getByRole("button", { name: "Table to class" }).click();
    await page.getByText("this browser keeps no draft").waitFor();
    expect(complaints).toEqual([]);
    await context.close();
  });
});
