import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { TableDesk } from "#client/adapters/table-desk.ts";
import type { ParticipantCore } from "#client/core/participant/participant.ts";
import { createSlices } from "#client/core/slices.ts";
import type { ParticipantView } from "#client/core/view.ts";
import type { RememberedMapping } from "#shared/data/read-csv.ts";
import type { Imported, ImportRefusal } from "#shared/data/report.ts";
import { ok, type Result } from "#shared/kernel/result.ts";
import { featuresSchema } from "#shared/task/features.ts";
import { makeZip } from "#test/kit/files/zip.ts";

const features = featuresSchema.parse({
  kind: "tabular",
  columns: [
    { name: "age", type: "numeric", range: [0, 100] },
    { name: "colour", type: "categorical", categories: ["red", "green"] },
  ],
  label: { name: "deny" },
  classes: ["no", "yes"],
});

/** A desk over a core that records what it is given, which is all that the device can send from. */
function desk() {
  const view = createSlices({ task: { task: { features } }, reading: null } as unknown as ParticipantView);
  const given: unknown[] = [];
  const core = {
    view,
    add: async (name: string, read: Result<Imported, ImportRefusal>) => {
      given.push([name, read]);
      return read.ok ? ok(read.value.report) : read;
    },
  } as unknown as ParticipantCore;
  const stored: RememberedMapping[] = [];
  const mappings = {
    get: async () => stored.at(-1) ?? null,
    put: async (mapping: RememberedMapping) => stored.push(mapping),
  };
  return { tables: new TableDesk(core, mappings), view, given, stored };
}

const file = (text: string) => new File([text], "mine.csv");
const TEXT = "Alter,colour,deny,secretward\n31,Rot,no,7\n,red,yes,7\n40,red,no,7\n";
const said = {
  columns: [
    { column: "age", from: "Alter" },
    { column: "colour", from: "colour", words: [{ word: "Rot", means: "red" }] },
  ],
};

describe("[F8] what a person says about a table", () => {
  test("reads it, is remembered for its header, and goes no further than the store", async () => {
    const { tables, given, stored } = desk();
    const first = await tables.read(file(TEXT), said);
    expect(first.report).toMatchObject({ rowsRead: 3, rowsTaken: 2, rowsLeftOut: 1 });
    expect((await tables.add(said)).ok).toBe(true);
    expect(stored).toEqual([{ header: ["Alter", "colour", "deny", "secretward"], mapping: said }]);
    const next = await tables.read(file(TEXT), null);
    expect(next.look?.isRemembered).toBe(true);
    expect(next.report?.rowsTaken).toBe(2);
    // The core, and with it everything that can send, has the rows as numbers and sentences for the person.
    const [[, read]] = given as [[string, Result<Imported, ImportRefusal>]];
    expect(read.ok && Object.keys(read.value)).toEqual(["dataset", "report"]);
    expect(read.ok && [...read.value.dataset.labels]).toEqual([0, 0]);
  });

  test("is not remembered if they do not want it", async () => {
    const { tables, stored } = desk();
    await tables.read(file(TEXT), said);
    await tables.add(null);
    expect(stored).toEqual([]);
  });
});

describe("[F2] a table in an archive", () => {
  const archive = (...names: string[]) =>
    new File([Buffer.from(makeZip(names.map((path) => ({ path, data: TEXT }))))], "mine.zip");

  test("is mapped, remembered and added like any other, and gives its left out rows", async () => {
    const { tables, stored } = desk();
    const read = await tables.read(archive("export/rows.csv", "__MACOSX/export/._rows.csv"), said);
    expect(read.report).toMatchObject({ rowsRead: 3, rowsTaken: 2, rowsLeftOut: 1 });
    expect(await (await tables.leftOutRows())?.text()).toContain("\r\n,red,yes,7,2,3,");
    await tables.add(said);
    expect((await tables.read(new File([gzipSync(TEXT)], "rows.csv.gz"), null)).look?.isRemembered).toBe(
      true,
    );
    expect(stored).toHaveLength(1);
  });

  test("of several is chosen by name, and pictures are sent to where they can be added", async () => {
    const { tables, view } = desk();
    const two = archive("a.csv", "b.csv");
    const asked = await tables.read(two, null);
    expect(asked).toMatchObject({
      look: null,
      refusal: { type: "several-sets", choices: ["a.csv", "b.csv"] },
    });
    expect(view.get().reading).toBeNull();
    expect((await tables.read(two, said, "b.csv")).report?.rowsTaken).toBe(2);
    expect((await tables.read(archive("notes.pdf"), null)).refusal?.sentence).toMatch(/holds no CSV file/);
    const damaged = new File([gzipSync(TEXT).subarray(0, 20)], "rows.csv.gz");
    expect((await tables.read(damaged, null)).refusal?.sentence).toMatch(/damaged or cut short/);
  });
});

describe("[F2] rows that were left out", () => {
  test("can be downloaded as they stand in the file, with row, line and reason", async () => {
    const { tables } = desk();
    await tables.read(file(`age,colour,deny\n31,red,no\n\n"1""2",red,yes\n5,"a,b",yes\n`), null);
    const blob = await tables.leftOutRows();
    expect(await blob?.text()).toBe(
      `age,colour,deny,row,line,reason\r\n"1""2",red,yes,2,4,"has “1""2” in the column “age”, where a number is wanted"\r\n5,"a,b",yes,3,5,"has “a,b” in the column “colour”, which is not one of red, green"\r\n`,
    );
  });
});

test("[F9] reading shows how far it is, and ends when the person stops it or chooses another file", async () => {
  const { tables, view } = desk();
  const seen: number[] = [];
  view.subscribe(({ reading }) => {
    if (reading === undefined || reading === null) return;
    seen.push(reading.doneCount);
    if (reading.doneCount > 1_000_000) tables.drop();
  });
  const big = file(`age,colour,deny\n${"31,red,no\n".repeat(400_000)}`);
  expect((await tables.read(big, null)).refusal?.type).toBe("stopped");
  expect(seen[0]).toBe(0);
  expect(Math.max(...seen)).toBeLessThan(2_000_000);
  expect(view.get().reading).toBeNull();
  expect(await tables.add(null)).toMatchObject({ ok: false });
});
