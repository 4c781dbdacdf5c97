import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { sourceOf } from "#shared/archive/byte-source.ts";
import { type ReadingOptions, readTable } from "#shared/data/read-csv.ts";
import { featuresSchema } from "#shared/task/features.ts";
import { openDecoder, textBytes } from "#test/kit/tables/sources.ts";

const folder = new URL("../../../kit/tables/", import.meta.url);
const hmda = bundledTask("hmda", 8, 1).features;
const wide = featuresSchema.parse({
  kind: "image",
  height: 128,
  width: 128,
  range: [0, 255],
  classes: Array.from({ length: 10 }, (_, digit) => String(digit)),
});
const ward = featuresSchema.parse({
  kind: "tabular",
  columns: [
    { name: "age_years", title: "Age", type: "numeric", range: [10, 100], unit: "years" },
    { name: "stay_days", title: "Length of this stay", type: "numeric", range: [0, 40] },
    { name: "cost", type: "numeric", range: [0, 100_000], unit: "EUR" },
    { name: "share", type: "numeric", range: [0, 1] },
    { name: "smoker", type: "categorical", categories: ["no", "former", "yes"], missing: "category" },
    { name: "sex", type: "categorical", categories: ["female", "male"], protected: true, input: false },
  ],
  label: { name: "readmitted_30d", title: "Back in hospital" },
  classes: ["no", "yes"],
});
const HEADER = "age_years,stay_days,cost,share,smoker,sex,readmitted_30d";

async function readBytes(bytes: Uint8Array, features = ward, options: ReadingOptions = {}) {
  const { look, outcome } = await readTable(sourceOf(bytes), openDecoder, features, options);
  if (!outcome.ok) throw new Error(outcome.error.sentence);
  const { report, dataset } = outcome.value;
  expect(report.rowsTaken).toBe(dataset.count);
  expect(report.rowsTaken + report.rowsLeftOut).toBe(report.rowsRead);
  expect(report.reasons.reduce((sum, { count }) => sum + count, 0)).toBe(report.rowsLeftOut);
  return { look, report, dataset, notes: report.notes.map(({ sentence }) => sentence) };
}
const read = (text: string, features = ward, options: ReadingOptions = {}) =>
  readBytes(new TextEncoder().encode(text), features, options);

async function refused(bytes: Uint8Array | string, features = ward) {
  const source = sourceOf(typeof bytes === "string" ? textBytes(bytes) : bytes);
  const { outcome } = await readTable(source, openDecoder, features);
  if (outcome.ok) throw new Error("the file was taken");
  return outcome.error;
}

describe("[F1] [F2] a file that a public bug report shows is taken whole, or what is left out is named", () => {
  const file = (name: string) => readFileSync(new URL(name, folder));

  test.each([
    [
      "german-decimal.csv",
      40,
      [
        "Decimal commas read as points, in 4 columns: 0,221000003814697 is 0.221000003814697.",
        "Columns are parted by semicolons.",
      ],
    ],
    ["sep-line.csv", 40, ["Columns are parted by semicolons. The first line says so."]],
    ["utf16le.csv", 40, ["Columns are parted by tabs. The text is UTF-16."]],
    ["cr-only-big.csv", 2_380, []],
    ["pandas-index.csv", 40, ["1 column ignored: column 1, which has no name."]],
    ["pad-quoted.csv", 5, []],
  ])("%s", async (name, count, expected) => {
    const { report, notes } = await readBytes(file(name), hmda);
    expect(report).toMatchObject({ rowsRead: count, rowsLeftOut: 0 });
    expect(notes).toEqual(expected);
  });

  test("wide-128.csv", async () => {
    const { report, look } = await readBytes(file("wide-128.csv"), wide);
    expect(report).toMatchObject({ rowsRead: 3, rowsLeftOut: 0, notes: [] });
    expect(look?.numbered).toEqual({ found: 16_384, needed: 16_384 });
  });

  test("[F4] open-quote.csv loses the row in which the quote opens, and no other", async () => {
    const { report } = await readBytes(file("open-quote.csv"), hmda);
    expect(report).toMatchObject({ rowsRead: 40, rowsTaken: 39, rowsLeftOut: 1 });
    expect(report.reasons).toEqual([{ sentence: "a quote that is never closed", count: 1, rows: [4] }]);
    expect(report.problems[0]?.sentence).toBe(
      "Row 4 opens a quote that is never closed; close it or remove it.",
    );
  });

  test("all hold the same rows", async () => {
    const plain = await readBytes(file("german-decimal.csv"), hmda);
    for (const name of ["sep-line.csv", "utf16le.csv", "pandas-index.csv"]) {
      const { dataset } = await readBytes(file(name), hmda);
      expect(dataset).toEqual(plain.dataset);
    }
  });
});

describe("[F1] the bytes of a table", () => {
  const ROW = "71,6.5,1200,0.5,no,male,yes";
  const rows = (text: string) => `${HEADER}\n${text}\n`;
  const utf16 = (text: string, big: boolean, mark: boolean) => {
    const bytes = Buffer.from(`${mark ? "\ufeff" : ""}${text}`, "utf16le");
    return big ? bytes.swap16() : bytes;
  };

  test.each([
    ["UTF-8 with a mark", Buffer.from(`\ufeff${rows(ROW)}`), "utf-8"],
    ["UTF-16, little-endian", utf16(rows(ROW), false, true), "utf-16le"],
    ["UTF-16, big-endian", utf16(rows(ROW), true, true), "utf-16be"],
    ["UTF-16 without a mark", utf16(rows(ROW), false, false), "utf-16le"],
    ["UTF-16, big-endian, without a mark", utf16(rows(ROW), true, false), "utf-16be"],
  ])("may be %s", async (_, bytes, encoding) => {
    const { look, report } = await readBytes(bytes);
    expect(report.rowsTaken).toBe(1);
    expect(look?.encoding).toBe(encoding);
  });

  test("are Windows-1252 if they are not UTF-8, even late, and that is said", async () => {
    const colours = featuresSchema.parse({
      kind: "tabular",
      columns: [{ name: "colour", type: "categorical", categories: ["grün", "blau", "5 €"] }],
      label: { name: "y" },
      classes: ["no", "yes"],
    });
    const ascii = "colour,y\n".concat("blau,no\n".repeat(60_000));
    const late = Buffer.concat([
      Buffer.from(ascii),
      Buffer.from([0x67, 0x72, 0xfc, 0x6e]),
      Buffer.from(",yes\n"),
    ]);
    const { report, notes } = await readBytes(late, colours);
    expect(report).toMatchObject({ rowsRead: 60_001, rowsLeftOut: 0 });
    expect(notes).toEqual(["Columns are parted by commas. The text is Windows-1252."]);
    const euro = Buffer.concat([Buffer.from("colour,y\n5 "), Buffer.from([0x80]), Buffer.from(",no\n")]);
    expect((await readBytes(euro, colours)).report.rowsTaken).toBe(1);
  });

  test.each([
    ["an Excel workbook", zip("[Content_Types].xml"), /Excel workbook \(\.xlsx\)/],
    [
      "an OpenDocument spreadsheet",
      zip("mimetypeapplication/vnd.oasis.opendocument.spreadsheet"),
      /OpenDocument/,
    ],
    ["a zip archive", zip("rows.csv"), /zip archive\. Unpack it/],
    ["an old Excel workbook", Buffer.from("d0cf11e0a1b11ae1", "hex"), /old Excel/],
    ["a gzip file", Buffer.from("1f8b0800", "hex"), /gzip/],
    ["a PDF", Buffer.from("%PDF-1.7\n"), /PDF/],
    ["a web page", Buffer.from("<!DOCTYPE html><html><table><tr><td>age"), /web page/],
    ["a web page after a mark", Buffer.from("\ufeff  <html><body>"), /web page/],
    ["XML", Buffer.from('<?xml version="1.0"?><Workbook>'), /XML/],
    ["JSON", Buffer.from('[{"age": 3}]'), /JSON/],
    ["a PNG picture", Buffer.from("89504e470d0a1a0a", "hex"), /PNG/],
    ["a Parquet file", Buffer.from("PAR1\u0015\u0004"), /Parquet/],
    ["UTF-32", Buffer.from("fffe000061000000", "hex"), /UTF-32/],
    [
      "noise",
      Buffer.from(Array.from({ length: 4_000 }, (_, index) => (index * 7919) % 256)),
      /not a text file/,
    ],
  ])("[F3] that are %s are named as that", async (_, bytes, sentence) => {
    const error = await refused(bytes);
    expect(error.type).toBe("not-text");
    expect(error.sentence).toMatch(sentence);
  });

  test.each([
    ["colons", ":"],
    ["blanks in columns of one width", "   "],
  ])("that are parted by %s are named with what parts columns", async (_, delimiter) => {
    const error = await refused(rows(ROW).replaceAll(",", delimiter));
    expect(error.sentence).toMatch(
      /^The file has one column, .* Columns must be parted by commas, semicolons,/,
    );
  });

  test("whose lines are quoted as a whole are named as that", async () => {
    const error = await refused(`"${HEADER}"\n"${ROW}"\n`);
    expect(error.sentence).toMatch(/no line may be quoted as a whole/);
  });

  test("with a few NULs cost the rows that hold them", async () => {
    const { report } = await read(
      `${rows(ROW).repeat(1)}${`${ROW}\n`.repeat(100)}71,6.5,12\u000000,0.5,no,male,yes\n`,
    );
    expect(report).toMatchObject({ rowsTaken: 101, rowsLeftOut: 1 });
    expect(report.reasons[0]?.sentence).toBe("no number in “cost”");
  });

  test.each([
    ["nothing", ""],
    ["a mark alone", "\ufeff"],
    ["blank lines", "\n \r\n\t\n"],
    ["a separator line", "sep=;\r\n"],
  ])("that are %s are an empty file", async (_, text) => {
    expect((await refused(text)).type).toBe("empty");
  });

  test("that are only a header have no rows", async () => {
    expect((await refused(HEADER)).type).toBe("no-rows");
    expect((await refused(`${HEADER}\n\n\n`)).type).toBe("no-rows");
  });
});

describe("[F1] the lines of a table", () => {
  const ROW = "71,6.5,1200,0.5,no,male,yes";

  test.each([
    ["LF", "\n"],
    ["CRLF", "\r\n"],
    ["CR", "\r"],
  ])("end with %s, the last one or not", async (_, end) => {
    expect((await read([HEADER, ROW, ROW].join(end))).report.rowsTaken).toBe(2);
    expect((await read([HEADER, ROW, ROW, ""].join(end))).report.rowsTaken).toBe(2);
  });

  test.each([
    ["semicolons", ";"],
    ["tabs", "\t"],
    ["upright strokes", "|"],
  ])("are parted by %s", async (name, delimiter) => {
    const { report, notes } = await read([HEADER, ROW].join("\n").replaceAll(",", delimiter));
    expect(report.rowsTaken).toBe(1);
    expect(notes).toEqual([`Columns are parted by ${name}.`]);
  });

  test("with two columns of other names and decimal commas is parted by what parts its names", async () => {
    const { look } = await readTable(
      sourceOf(textBytes("how old;outcome\n31,5;refused\n40,0;no\n")),
      openDecoder,
      ward,
    );
    expect(look).toMatchObject({ delimiter: ";", header: ["how old", "outcome"] });
  });

  test("may be a separator line after a mark, and any separator", async () => {
    const { report } = await read(`\ufeffsep=^\r\n${[HEADER, ROW].join("\r\n").replaceAll(",", "^")}`);
    expect(report.rowsTaken).toBe(1);
  });

  test("that are blank are no rows: skipped, counted, said; they count against no limit", async () => {
    const { report, notes } = await read(`${HEADER}\n${`${ROW}\n\n,,,,,,\n`.repeat(3)}`);
    expect(report).toMatchObject({ rowsRead: 3, rowsLeftOut: 0 });
    expect(notes).toEqual(["6 blank lines skipped. They are not rows."]);
    const many = await read(`${HEADER}\n${`${ROW}\n\n`.repeat(150_000)}`);
    expect(many.report).toMatchObject({ rowsRead: 150_000, rowsLeftOut: 0 });
  });

  test("above the names are skipped and said; a footer is left out and named", async () => {
    const { report, notes } = await read(
      `Report of June;;\n\n${[HEADER, ROW, "Total,,,,,,"].join("\n").replaceAll(",", ";")}`,
    );
    expect(report).toMatchObject({ rowsRead: 2, rowsTaken: 1, rowsLeftOut: 1 });
    expect(notes[0]).toBe("Columns are parted by semicolons.");
    expect(notes[1]).toBe("1 line above the column names skipped.");
    expect(report.reasons[0]?.sentence).toBe("no number in “age_years”");
  });

  test("under the names with units are left out and named", async () => {
    const { report } = await read(`${HEADER}\nyears,days,EUR,,,,\n${ROW}\n`);
    expect(report).toMatchObject({ rowsRead: 2, rowsTaken: 1 });
  });

  test("may end with a delimiter, all or some of them", async () => {
    expect((await read(`${HEADER},\n${ROW},\n${ROW},\n`)).report.rowsTaken).toBe(2);
    expect((await read(`${HEADER}\n${ROW},\n${ROW},,\n`)).report.rowsTaken).toBe(2);
    expect((await read(`${HEADER},\n${ROW}\n`)).report.rowsTaken).toBe(1);
  });

  test("may begin with row names, as R writes them", async () => {
    const { report, notes } = await read(`${HEADER}\n1,${ROW}\n2,${ROW}\n`);
    expect(report.rowsTaken).toBe(2);
    expect(notes).toContain("The rows have names, which the first line does not name; they are ignored.");
  });

  test("of another width are left out and named", async () => {
    const { report } = await read(`${HEADER}\n${ROW}\n71,6.5\n${ROW},more\n${ROW}\n`);
    expect(report).toMatchObject({ rowsTaken: 2, rowsLeftOut: 2 });
    expect(report.problems.map(({ sentence }) => sentence)).toEqual([
      "Row 2 has 2 columns where 7 are needed.",
      "Row 3 has 8 columns where 7 are needed.",
    ]);
  });
});

describe("[F1] the cells of a table", () => {
  test("may be quoted, hold delimiters and line ends, and quotes written twice", async () => {
    const text = `note,${HEADER}\r\n"a, ""b""\r\nc",71,6.5,1200,0.5,no,male,yes\r\n x"y ,72,"6.5" , "1200",0.5,no,male,no\r\n`;
    const { report, dataset } = await read(text);
    expect(report).toMatchObject({ rowsRead: 2, rowsLeftOut: 0 });
    expect([...dataset.labels]).toEqual([1, 0]);
  });

  test("may be marked as text for Excel", async () => {
    const { report } = await read(`${HEADER}\n="71",6.5,"=""1200""",0.5,no,male,yes\n`);
    expect(report.rowsTaken).toBe(1);
  });

  test("[F4] with text after a closing quote cost their row", async () => {
    const { report } = await read(`${HEADER}\n"7"1,6.5,1200,0.5,no,male,yes\n71,6.5,1200,0.5,no,male,yes\n`);
    expect(report.reasons).toEqual([{ sentence: "text after a closing quote", count: 1, rows: [1] }]);
    expect(report.rowsTaken).toBe(1);
  });

  test("[F4] may be huge; above a million characters a quote counts as never closed", async () => {
    const row = "71,6.5,1200,0.5,no,male,yes";
    const { report } = await read(
      `note,${HEADER}\n"${"x".repeat(900_000)}",${row}\n"${"x\n".repeat(600_000)}",${row}\nz,${row}\n`,
    );
    expect(report.rowsTaken).toBe(2);
    expect(report.rowsRead).toBe(report.rowsTaken + report.rowsLeftOut);
    expect(report.reasons.find(({ sentence }) => sentence === "a quote that is never closed")?.count).toBe(2);
  });
});

describe("[F6] numbers", () => {
  const one = (stay: string, cost: string, share: string) =>
    `${HEADER};`.replaceAll(",", ";").concat(`\n71;${stay};${cost};${share};no;male;yes\n`);

  test.each([
    ["1.200,50", 1200.5, "groups"],
    ["1 200", 1200, "groups"],
    ["1'200", 1200, "groups"],
    ["1200 EUR", 1200, "units"],
    ["€ 1200", 1200, "units"],
    ["−0", 0, null],
  ])("%s is read", async (cost, value, kind) => {
    const { report, dataset } = await read(one("6,5", cost, "0,5"));
    expect(report.rowsTaken).toBe(1);
    expect(dataset.inputs[2]).toBeCloseTo(value / 100_000, 6);
    if (kind !== null) expect(report.notes.map((note) => note.kind)).toContain(kind);
  });

  test("may be in India's groups", async () => {
    const { report, dataset } = await read(`${HEADER}\n71,6.5,"1,00,000",0.5,no,male,yes\n`);
    expect(report.notes.map(({ kind }) => kind)).toContain("groups");
    expect(dataset.inputs[2]).toBe(1);
  });

  test("percent signs follow the range", async () => {
    const { dataset, notes } = await read(one("6", "10", "12,5 %"));
    expect(dataset.inputs[3]).toBeCloseTo(0.125, 6);
    expect(notes).toContain("Percent signs read, in “share”: 12,5 % is 0.125.");
  });

  test("such as 1,234 are read as the column's other numbers and the range say", async () => {
    const header = "age_years;stay_days;cost;share;smoker;sex;readmitted_30d";
    const row = (stay: string, cost: string) => `71;${stay};${cost};0,5;no;male;yes`;
    const byRange = await read(`${header}\n${row("1,234", "1234")}\n${row("0,5", "7")}\n`);
    expect(byRange.dataset.inputs[1]).toBeCloseTo(1.234 / 40, 6);
    const quoted = `${HEADER}\n71,6.5,"1,234",0.5,no,male,yes\n71,6.5,"1,234,567.5",0.5,no,male,yes\n71,6.5,"99.5",0.5,no,male,yes\n`;
    const grouped = await read(quoted);
    expect(grouped.dataset.inputs[2]).toBeCloseTo(0.01234, 6);
    expect(grouped.report.rowsLeftOut).toBe(1);
  });

  test("that can be read in two ways, with nothing that tells, are asked about", async () => {
    const text = `${HEADER}\n71,6.5,"1,234",0.5,no,male,yes\n`;
    const { outcome } = await readTable(sourceOf(textBytes(text)), openDecoder, ward);
    expect(outcome).toMatchObject({ ok: false, error: { type: "unsure-columns" } });
    const said = (decimal: "comma" | "point") => ({
      mapping: { columns: [{ column: "cost", from: "cost", decimal }] },
    });
    expect((await read(text, ward, said("comma"))).dataset.inputs[2]).toBeCloseTo(1.234 / 100_000, 9);
    expect((await read(text, ward, said("point"))).dataset.inputs[2]).toBeCloseTo(0.01234, 6);
  });

  test("whose decimal commas begin after the first megabyte are read all the same", async () => {
    const header = "age_years;stay_days;cost;share;smoker;sex;readmitted_30d";
    const whole = "71;6;1200;1;no;male;yes\n".repeat(50_000);
    const { report, notes } = await read(`${header}\n${whole}71;6,5;1200;0,5;no;male;yes\n`);
    expect(report).toMatchObject({ rowsRead: 50_001, rowsLeftOut: 0 });
    expect(notes[0]).toBe("Decimal commas read as points, in 2 columns: 6,5 is 6.5.");
  });

  test("that are dates are left out and named", async () => {
    const { report } = await read(`${HEADER}\n2024-01-31,6,1200,1,no,male,yes\n71,6,1200,1,no,male,yes\n`);
    expect(report.problems[0]?.sentence).toContain("“2024-01-31”");
  });
});

describe("[F7] names and words", () => {
  test("in another spelling, with units, are the same column; others are ignored and named", async () => {
    const header = "Age Years,STAY-DAYS,Cost (EUR),Share,Smoker,Sex,Back in Hospital,Ward,";
    const { notes, report } = await read(`${header}\n71,6.5,1200,0.5,YES,Female,No,A3,\n`);
    expect(report.rowsTaken).toBe(1);
    expect(notes[0]).toBe("1 column ignored: Ward.");
    expect(notes[1]).toMatch(/^7 columns read under another name/);
  });

  test("for two sides of a question are read, and numbers that code them", async () => {
    const { dataset, notes } = await read(
      `${HEADER}\n71,6,1200,1,No,F,TRUE\n71,6,1200,1,no,m,0\n71,6,1200,1,no,Male,1.0\n`,
    );
    expect([...dataset.labels]).toEqual([1, 0, 1]);
    expect(notes).toContain("Words in “sex” read: “F” as female, “m” as male, “Male” as male.");
  });

  test("a code that may mean either side is not guessed", async () => {
    const { outcome } = await readTable(
      sourceOf(textBytes(`${HEADER}\n71,6,1200,1,no,0,1\n71,6,1200,1,no,1,1\n`)),
      openDecoder,
      ward,
    );
    expect(outcome).toMatchObject({ ok: false, error: { type: "no-good-rows" } });
  });

  test.each(["NA", "n/a", "NaN", "null", "?", "-", "#N/A", ""])("%s stands for no value", async (word) => {
    const { report, dataset } = await read(
      `${HEADER}\n71,6,1200,1,${word},male,yes\n${word},6,1200,1,no,male,yes\n`,
    );
    expect(report.reasons).toEqual([{ sentence: "nothing in “age_years”", count: 1, rows: [2] }]);
    // The task's own category for it comes after the others.
    expect([...dataset.inputs.slice(4)]).toEqual([0, 0, 0, 1]);
  });

  test("two columns of one name, and names that only resemble, are asked about", async () => {
    const twice = await refused(`${HEADER},age_years\n71,6,1200,1,no,male,yes,12\n`);
    expect(twice).toMatchObject({ type: "unsure-columns" });
    const similar = await refused(`${HEADER.replace("stay_days", "LOS days")}\n71,6,1200,1,no,male,yes\n`);
    expect(similar.sentence).toContain("“LOS days” resembles “stay_days”");
    const byPlace = { columns: [{ column: "age_years", from: "age_years", place: 8 }] };
    const { dataset } = await read(`${HEADER},age_years\n71,6,1200,1,no,male,yes,12\n`, ward, {
      mapping: byPlace,
    });
    expect(dataset.inputs[0]).toBeCloseTo(2 / 90, 6);
  });

  test("that are missing are told, with what the task asks for", async () => {
    const error = await refused("age_years,stay_days,cost,share,smoker,sex\n71,6,1200,1,no,male\n");
    expect(error.type).toBe("missing-columns");
    expect(error.sentence).toMatch(
      /^Your file has nothing for “Back in hospital”\. Without it no row can teach anything\./,
    );
    const bare = await refused("71,6.5,1200,0.5,no,male,yes\n72,6.5,1200,0.5,no,male,yes\n");
    expect(bare.sentence).toMatch(/first line must name the columns, but it holds values/);
  });

  test("a column whose values may be missing may be missing as a whole", async () => {
    const { report } = await read(
      "age_years,stay_days,cost,share,sex,readmitted_30d\n71,6,1200,1,male,yes\n",
    );
    expect(report.rowsTaken).toBe(1);
  });

  test.each(["__proto__", "constructor", "toString"])(
    "a column called %s is a name like others",
    async (name) => {
      const { notes } = await read(`${name},${HEADER}\n${name},71,6,1200,1,no,male,yes\n`);
      expect(notes[0]).toBe(`1 column ignored: ${name}.`);
      const { report } = await read(`${HEADER}\n71,6,1200,1,${name},male,yes\n`, ward, { takesUnsure: true });
      expect(report.notes.some(({ kind }) => kind === "missing")).toBe(true);
    },
  );

  test("pixels may be numbered from 1 or be called otherwise", async () => {
    const tiny = featuresSchema.parse({
      kind: "image",
      height: 1,
      width: 3,
      range: [0, 9],
      classes: ["a", "b"],
    });
    for (const header of ["class,pixel1,pixel2,pixel3", "pixel0,pixel1,pixel2,label", "P0,P1,P2,Label"]) {
      const cells = header.startsWith("class") ? "b,1,2,3" : "1,2,3,b";
      const { dataset } = await read(`${header}\n${cells}\n`, tiny, { takesUnsure: true });
      expect([...dataset.inputs].map((value) => Math.round(value * 9))).toEqual([1, 2, 3]);
    }
  });
});

describe("[F9] limits", () => {
  test("a million columns are refused by their number", async () => {
    const text = `${Array.from({ length: 1_000_000 }, (_, index) => `c${index}`).join(",")}\n${"1,".repeat(999_999)}1\n`;
    for (const features of [ward, wide]) {
      const error = await refused(text, features);
      expect(error.type).toBe("too-many-columns");
      expect(error.sentence).toContain("1,000,000 columns");
    }
  });

  test("a header of a million columns is counted, not split; names that hold delimiters count once", async () => {
    const name = (index: number) => `"c${index},${index}"`;
    const quoted = (count: number) =>
      `${Array.from({ length: count }, (_, index) => name(index)).join(",")}\n1\n`;
    expect((await refused(quoted(30_000))).sentence).toContain("30,000 columns");
    // Twice as many delimiters as the 20,006 columns that a file for this task may have.
    expect((await refused(quoted(15_000))).type).toBe("missing-columns");
    for (const start of ["\n \n", "sep=;\n"]) {
      const many = Array.from({ length: 40_000 }, (_, index) => `c${index}`).join(
        start === "sep=;\n" ? ";" : ",",
      );
      expect((await refused(`${start}${many}\n1\n`)).sentence).toContain("40,000 columns");
    }
    // A row as wide is a bad row.
    const { report } = await read(`${HEADER}\n71,6,1200,1,no,male,yes\n${"1,".repeat(50_000)}\n`);
    expect([report.rowsTaken, report.rowsLeftOut]).toEqual([1, 1]);
  });

  test("more good rows than a device takes are refused with both numbers; bad ones do not count", async () => {
    const row = "71,6,1200,1,no,male,yes\n";
    const error = await refused(`${HEADER}\n${row.repeat(200_001)}`);
    expect(error.sentence).toContain(
      "200,001 rows of this file can be used, and one device takes at most 200,000",
    );
    const { report } = await read(`${HEADER}\n${row}${"x,6,1200,1,no,male,yes\n".repeat(250_000)}`);
    expect(report).toMatchObject({ rowsTaken: 1, rowsLeftOut: 250_000 });
    expect(report.problems).toHaveLength(50);
  });

  test("reading can be stopped, and tells how far it is", async () => {
    let seen = 0;
    const { outcome } = await readTable(
      sourceOf(textBytes(`${HEADER}\n${"71,6,1200,1,no,male,yes\n".repeat(50_000)}`)),
      openDecoder,
      ward,
      {
        onProgress: (byteCount) => {
          seen = byteCount;
        },
        isStopped: () => seen > 300_000,
      },
    );
    expect(outcome).toMatchObject({ ok: false, error: { type: "stopped" } });
    expect(seen).toBeLessThan(600_000);
  });
});

function zip(name: string): Buffer {
  return Buffer.concat([Buffer.from("504b0304140000000800", "hex"), Buffer.alloc(20), Buffer.from(name)]);
}
