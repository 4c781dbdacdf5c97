import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { platformDecoder } from "#client/adapters/platform-ports.ts";
import { FIRST_BYTE_COUNT, profileTable } from "#client/core/sample/profile-table.ts";
import { sourceOf } from "#shared/archive/byte-source.ts";
import { utf8 } from "#shared/kernel/bytes.ts";
import { SAMPLE_COLUMNS_MAX } from "#shared/sample/table-profiler.ts";

async function profiled(bytes: Uint8Array, follow: () => void = () => {}, plainQuotes = false) {
  return profileTable(sourceOf(bytes), platformDecoder, () => performance.now(), follow, plainQuotes);
}

const caseOf = (name: string) => readFileSync(new URL(`../../../../kit/tables/${name}`, import.meta.url));

test.each([
  ["german-decimal.csv", /semicolons/],
  ["sep-line.csv", /semicolons. The first line says so/],
  ["utf16le.csv", /UTF-16/],
  ["pandas-index.csv", /^$/],
  ["cr-only-big.csv", /^$/],
])("[K1] %s is read as devices read it", async (name, note) => {
  const read = await profiled(caseOf(name));
  expect(read.ok && read.value.notes.join(" ")).toMatch(note);
  const table = read.ok ? read.value.table : null;
  expect(table?.rows).toBeGreaterThan(0);
  expect(table?.otherWidth).toBe(0);
  expect(table?.columns.some(({ numbers }) => numbers.count > 0)).toBe(true);
});

test("[K1] lines above the header and row names are said in the words of devices", async () => {
  const rows = Array.from(
    { length: 30 },
    (_, at) => `${20 + at};${at % 7};${at % 2 === 0 ? "yes" : "no"}`,
  ).join("\n");
  const above = await profiled(utf8(`Export of the ward\n\nage;stay;back\n${rows}\n`));
  expect(above.ok && above.value.notes.join(" ")).toMatch(/1 line above the column names skipped/);
  const named = rows.replaceAll(/^/gm, "r;");
  const names = await profiled(utf8(`age;stay;back\n${named}\n`));
  expect(names.ok && names.value.notes.join(" ")).toMatch(/The rows have names/);
});

test("[K1] rows read are rows taken and rows left out, and a quote that is never closed is named", async () => {
  const read = await profiled(caseOf("open-quote.csv"));
  if (!read.ok) throw new Error(read.error);
  expect(read.value.problems.join(" ")).toMatch(/quote/);
  expect((read.value.table?.rows ?? 0) + (read.value.table?.otherWidth ?? 0)).toBeGreaterThan(1);
});

test("[K1] rows whose quotes cannot be read are taken once every quote is a letter", async () => {
  const text = 'age,note,back\n30,5" pipe,no\n71,"emergency,6.5\n40,"quoted" twice,yes\n50,plain,no\n';
  const read = await profiled(utf8(text));
  if (!read.ok) throw new Error(read.error);
  expect([read.value.table?.rows, read.value.quoteFaultCount]).toEqual([2, 2]);
  expect(read.value.problems[0]).toBe(
    "A quote is opened in row 2 (line 3) and never closed. Close it, or take it away.",
  );
  const plain = await profiled(utf8(text), () => {}, true);
  if (!plain.ok) throw new Error(plain.error);
  expect([plain.value.table?.rows, plain.value.table?.otherWidth, plain.value.problems]).toEqual([4, 0, []]);
  expect(plain.value.table?.columns[1]?.distinct.values?.map(([value]) => value)).toContain('"emergency');
});

test("[K1] a proposal is there after the first 5 MB, and the whole file is counted in the end", async () => {
  const line = "1234567,yes,a longer text that fills the line\n";
  const count = Math.ceil((FIRST_BYTE_COUNT + 2_000_000) / line.length);
  let followed = 0;
  const read = await profiled(utf8(`a,b,c\n${line.repeat(count)}`), () => {
    followed += 1;
  });
  expect(followed).toBeGreaterThan(0);
  expect(read.ok && read.value.table?.rows).toBe(count);
});

test("a file that is no table, and a header of a million columns, are refused with a sentence", async () => {
  const zip = await profiled(Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0, 0, 0));
  expect(!zip.ok && zip.error).toMatch(/zip/);
  const wide = await profiled(
    utf8(`${Array.from({ length: 1_000_000 }, (_, at) => `c${at}`).join(",")}\n1\n`),
  );
  expect(!wide.ok && wide.error).toContain(String(SAMPLE_COLUMNS_MAX));
  const empty = await profiled(new Uint8Array(0));
  expect(empty.ok).toBe(false);
});
