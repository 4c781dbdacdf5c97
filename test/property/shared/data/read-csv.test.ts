import fc from "fast-check";
import { expect, test } from "vitest";
import { sourceOf } from "#shared/archive/byte-source.ts";
import type { LeftOutRow } from "#shared/data/left-out.ts";
import { readTable, scanTable } from "#shared/data/read-csv.ts";
import { KeptRows } from "#shared/data/row-sink.ts";
import { RowSplitter, type SplitRow } from "#shared/data/table/split-rows.ts";
import { featuresSchema } from "#shared/task/features.ts";
import { dialects, writeTable } from "#test/kit/tables/dialects.ts";
import { openDecoder } from "#test/kit/tables/sources.ts";

const features = featuresSchema.parse({
  kind: "tabular",
  columns: [
    { name: "amount", type: "numeric", range: [-1_000, 1_000] },
    { name: "share", type: "numeric", range: [0, 1] },
    { name: "colour", type: "categorical", categories: ["red", "green, or so", "ünder “x”"] },
    { name: "group", type: "categorical", categories: ["a", "b"], protected: true, input: false },
  ],
  label: { name: "deny" },
  classes: ["no", "yes"],
});
const HEADER = ["amount", "share", "colour", "group", "deny"];
const WIDTH = 5;

/** Unambiguous in every dialect: no number has exactly three decimals. */
const good = fc
  .record({
    amount: fc.integer({ min: -99_999, max: 99_999 }).map((value) => (value / 100).toFixed(2)),
    share: fc.integer({ min: 0, max: 10_000 }).map((value) => (value / 10_000).toFixed(4)),
    colour: fc.integer({ min: 0, max: 2 }),
    group: fc.integer({ min: 0, max: 1 }),
    deny: fc.integer({ min: 0, max: 1 }),
  })
  .map((row) => ({
    row,
    cells: [
      row.amount,
      row.share,
      ["red", "green, or so", "ünder “x”"][row.colour] as string,
      ["a", "b"][row.group] as string,
      ["no", "yes"][row.deny] as string,
    ],
  }));

/** What each good row becomes, computed here from the same numbers. */
function expected(
  rows: readonly { readonly row: { amount: string; share: string; colour: number; deny: number } }[],
) {
  const inputs = rows.flatMap(({ row }) => [
    (Number(row.amount) + 1_000) / 2_000,
    Number(row.share),
    ...[0, 1, 2].map((colour) => (colour === row.colour ? 1 : 0)),
  ]);
  return {
    inputs: Float32Array.from(inputs),
    labels: Float32Array.from(rows, ({ row }) => row.deny),
    count: rows.length,
  };
}

test("[F1] [F5] a table reads back the same in every dialect and however its bytes arrive", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(good, { minLength: 2, maxLength: 12 }),
      dialects,
      fc.integer({ min: 1, max: 300 }),
      async (rows, dialect, step) => {
        const bytes = writeTable(
          HEADER,
          rows.map(({ cells }) => cells),
          dialect,
        );
        const { outcome } = await readTable(sourceOf(bytes), openDecoder, features, {
          chunkByteCount: step,
        });
        if (!outcome.ok) throw new Error(outcome.error.sentence);
        const { dataset, report } = outcome.value;
        expect(dataset).toEqual(expected(rows));
        expect(report).toMatchObject({ rowsRead: rows.length, rowsLeftOut: 0 });
        const said = report.notes.map(({ kind }) => kind);
        expect(said.includes("decimal-commas")).toBe(dialect.decimal === ",");
        expect(said.includes("ignored")).toBe(dialect.hasIndex);
      },
    ),
    { numRuns: 300 },
  );
});

const badCell = fc.constantFrom("", "x", "1e999", "2.5.1", "9999", "NA", '"', "a\nb", "\u0000", "__proto__");
const bad = fc.tuple(good, fc.integer({ min: 0, max: WIDTH - 1 }), badCell).map(([{ cells }, at, text]) => ({
  row: null,
  cells: cells.map((cell, index) => (index === at ? text : cell)),
}));
const narrow = fc.tuple(good, fc.integer({ min: 1, max: WIDTH - 1 })).map(([{ cells }, width]) => ({
  row: null,
  cells: cells.slice(0, width),
}));

test("[F2] every row is taken or left out with its reason, and the counts add up", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof({ weight: 3, arbitrary: good }, bad, narrow), { minLength: 1, maxLength: 40 }),
      good,
      dialects.filter(({ endsWithDelimiter }) => !endsWithDelimiter),
      async (mixed, last, dialect) => {
        // The header's width must be that of most rows, and one good row keeps the file from being refused.
        const all = [last, ...mixed, last];
        const bytes = writeTable(
          HEADER,
          all.map(({ cells }) => cells),
          dialect,
        );
        const listed: number[] = [];
        const kept = new KeptRows(features);
        const openLeftOut = () => {
          listed.length = 0;
          return ({ row }: LeftOutRow) => void listed.push(row);
        };
        const sinks = { openRows: kept.openRows, openLeftOut };
        const scanned = await scanTable(sourceOf(bytes), openDecoder, features, {}, sinks);
        const outcome = kept.imported(scanned.outcome);
        if (!outcome.ok) throw new Error(outcome.error.sentence);
        const { report, dataset } = outcome.value;
        const wanted = all.filter(({ row }) => row !== null);
        expect(dataset.count).toBe(wanted.length);
        expect(report.rowsTaken).toBe(wanted.length);
        expect(report.rowsRead).toBe(all.length);
        expect(report.rowsTaken + report.rowsLeftOut).toBe(report.rowsRead);
        expect(report.reasons.reduce((sum, { count }) => sum + count, 0)).toBe(report.rowsLeftOut);
        // Row numbers are true: exactly the bad rows are named, each once.
        const badRows = all.flatMap(({ row }, index) => (row === null ? [index + 1] : []));
        expect(listed).toEqual(badRows);
        expect(report.problems.map(({ row }) => row)).toEqual(badRows.slice(0, 50));
      },
    ),
    { numRuns: 300 },
  );
});

test("[F4] [F5] any text splits into the same rows in any pieces, and no line vanishes", () => {
  const text = fc.string({
    unit: fc.constantFrom("a", "1", '"', '"', ",", ",", " ", "\n", "\r", "\r\n"),
    maxLength: 80,
  });
  const split = (pieces: readonly string[]): SplitRow[] => {
    const rows: SplitRow[] = [];
    const splitter = new RowSplitter(",", (row) => rows.push(row));
    for (const piece of pieces) splitter.push(piece);
    splitter.end();
    return rows;
  };
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 7 }), (whole, step) => {
      const rows = split([whole]);
      const pieces = whole.match(new RegExp(`[^]{1,${step}}`, "g")) ?? [];
      expect(split(pieces)).toEqual(rows);
      // Each row begins where the one before ended, so that together they are all lines of the file.
      const lineCount = whole.split(/\r\n|\r|\n/).length - (/[\r\n]$/.test(whole) || whole === "" ? 1 : 0);
      for (const [index, row] of rows.entries()) {
        const next = rows[index + 1]?.line ?? lineCount + 1;
        const inCells = row.cells.join("").match(/\r\n|\r|\n/g)?.length ?? 0;
        if (row.fault === null) expect(next - row.line).toBe(1 + inCells);
        else expect(next - row.line).toBeGreaterThanOrEqual(1);
      }
      expect(rows[0]?.line ?? 1).toBe(1);
    }),
    { numRuns: 2_000 },
  );
});

test("[F4] if quotes are letters, every line is a row and nothing of it is lost", () => {
  const text = fc.string({ unit: fc.constantFrom("a", '"', ",", " ", "\n", "\r\n"), maxLength: 80 });
  fc.assert(
    fc.property(text, (whole) => {
      const rows: SplitRow[] = [];
      const splitter = new RowSplitter(",", (row) => rows.push(row), true);
      for (const letter of whole) splitter.push(letter);
      splitter.end();
      const lines = whole.split(/\r\n|\r|\n/);
      if (lines.at(-1) === "") lines.pop();
      expect(rows.map(({ cells }) => cells.join(","))).toEqual(lines);
      expect(rows.every(({ fault }) => fault === null)).toBe(true);
    }),
    { numRuns: 1_000 },
  );
});
