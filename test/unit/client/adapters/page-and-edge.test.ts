import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import { readDataset } from "#client/adapters/file-dataset.ts";
import { importSet } from "#client/adapters/import-set.ts";
import { platformDecoder } from "#client/adapters/platform-ports.ts";
import { TableDesk } from "#client/adapters/table-desk.ts";
import type { ParticipantCore } from "#client/core/participant/participant.ts";
import { createSlices } from "#client/core/slices.ts";
import type { ParticipantView } from "#client/core/view.ts";
import { bundledTask } from "#coordinator/data/tasks.ts";
import type { Imported, ImportRefusal } from "#shared/data/report.ts";
import { ok, type Result } from "#shared/kernel/result.ts";
import { nodePictureCodecs } from "#shared/node/picture-wasm.ts";
import { type Features, featuresSchema } from "#shared/task/features.ts";

/*
 * Inputs that people really have, through what the page does with a file and what an edge does. Both take the same rows and
 * say the same of them. That a page's decoders give the same pixels is tested in a browser (D40).
 */

const root = new URL("../../../..", import.meta.url).pathname;
const tables = join(root, "test/kit/tables");
const sets = join(root, "test/vectors/data/cases");
const hmda = bundledTask("hmda", 8, 1).features;
const digits = bundledTask("digits", 8, 1).features;
const clothes = bundledTask("fashion-mnist", 10, 1).features;
const wide = featuresSchema.parse({
  ...{ kind: "image", height: 128, width: 128, range: [0, 255] },
  classes: digits.classes,
});

/** What a page adds of a table that nobody said anything about. */
async function tableOnPage(path: string, features: Features): Promise<Result<Imported, ImportRefusal>> {
  const added: Result<Imported, ImportRefusal>[] = [];
  const core = {
    view: createSlices({ task: { task: { features } }, reading: null } as unknown as ParticipantView),
    add: async (_name: string, read: Result<Imported, ImportRefusal>) => {
      added.push(read);
      return read.ok ? ok(read.value.report) : read;
    },
  } as unknown as ParticipantCore;
  const desk = new TableDesk(core, { get: async () => null, put: async () => undefined });
  await desk.read(new File([readFileSync(path)], basename(path)), null);
  await desk.add(null);
  const [read] = added;
  if (read === undefined) throw new Error("the desk added nothing");
  return read;
}

/** The files of a folder as a browser gives them. */
function filesIn(folder: string, below = basename(folder)): File[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return filesIn(path, `${below}/${name}`);
    const file = new File([readFileSync(path)], name);
    return [Object.defineProperty(file, "webkitRelativePath", { value: `${below}/${name}` })];
  });
}

/** Without the names of files, which begin elsewhere on an edge. */
function outcomeOf(read: Result<Imported, ImportRefusal>) {
  if (!read.ok) return { type: read.error.type };
  const { report, dataset } = read.value;
  expect(report.rowsTaken + report.rowsLeftOut).toBe(report.rowsRead);
  expect(report.rowsTaken).toBe(dataset.count);
  return {
    dataset,
    counts: [report.rowsRead, report.rowsTaken],
    kinds: report.notes.map(({ kind }) => kind),
  };
}

describe("[F1] [F2] page and edge read alike", () => {
  test.each([
    ["german-decimal.csv", hmda, [40, 40]],
    ["sep-line.csv", hmda, [40, 40]],
    ["utf16le.csv", hmda, [40, 40]],
    ["cr-only-big.csv", hmda, [2_380, 2_380]],
    ["pandas-index.csv", hmda, [40, 40]],
    ["pad-quoted.csv", hmda, [5, 5]],
    ["open-quote.csv", hmda, [40, 39]],
    ["wide-128.csv", wide, [3, 3]],
  ] as const)("%s", async (name, features, counts) => {
    const path = join(tables, name);
    const page = outcomeOf(await tableOnPage(path, features));
    expect(page).toMatchObject({ counts });
    expect(outcomeOf(await readDataset(path, features))).toEqual(page);
  });

  test.each([
    ["idx-8bit-digits", digits, { type: "no-good-rows" }],
    ["jpg", digits, { type: "no-good-rows" }],
    ["png-greykey", digits, { counts: [1, 1] }],
    ["png-pal4", digits, { counts: [1, 1] }],
    ["png-fashion", clothes, { counts: [3, 2] }],
    ["kaggle", clothes, { counts: [30, 30] }],
  ] as const)("%s", async (name, features, outcome) => {
    const folder = join(sets, name);
    const codecs = nodePictureCodecs();
    const page = outcomeOf(
      await importSet(filesIn(folder), features, { codecs, openDecoder: platformDecoder }),
    );
    expect(page).toMatchObject(outcome);
    expect(outcomeOf(await readDataset(folder, features))).toEqual(page);
  });
});
