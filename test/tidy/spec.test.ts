import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const root = new URL("../..", import.meta.url).pathname;
const FOLDERS = ["shared", "coordinator", "client", "web", "test"];
/** Look like IDs of rules and are none: the first message of a round (PROTOCOL.md), and the engine of Node and Chromium. */
const OTHER_NAMES = new Set(["R0", "V8"]);

function filesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name) && !name.includes(".next"))
    .map((name) => join(folder, name));
}

const textOf = (file: string) => readFileSync(join(root, file), "utf8");

const defined = new Set(
  [...textOf("shared/SPEC.md").matchAll(/^- \*\*([A-Z]\d{1,2})\*\*/gm)].map(([, id]) => id ?? ""),
);
/** With the letters that rules have. */
const ID = new RegExp(`\\b[${[...new Set([...defined].map((id) => id[0]))].join("")}]\\d{1,2}\\b`, "g");

/** IDs in the brackets of a test's title, e.g. test("[R7] ..."); there may be several. */
function idsInTitles(source: string): string[] {
  return [...source.matchAll(/["'`](?:\[[A-Z]\d{1,2}\] ?)+/g)].flatMap(
    ([title]) => title.match(/[A-Z]\d{1,2}/g) ?? [],
  );
}

function idsInComments(source: string): string[] {
  const comments = source.match(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm) ?? [];
  return comments.flatMap((comment) => comment.match(ID) ?? []).filter((id) => !OTHER_NAMES.has(id));
}

describe("rules", () => {
  const tested = new Set(filesBelow("test").flatMap((file) => idsInTitles(textOf(file))));

  test("the list of rules is read, with every heading's letter", () => {
    const headings = [...textOf("shared/SPEC.md").matchAll(/^## ([A-Z]): /gm)].map(([, letter]) => letter);
    expect(headings.length).toBeGreaterThan(10);
    expect(new Set([...defined].map((id) => id[0]))).toEqual(new Set(headings));
  });

  test("every rule has a test", () => {
    expect([...defined].filter((id) => !tested.has(id))).toEqual([]);
  });

  test("every cited rule exists", () => {
    expect([...tested].filter((id) => !defined.has(id))).toEqual([]);
    for (const file of FOLDERS.flatMap(filesBelow)) {
      const missing = idsInComments(textOf(file)).filter((id) => !defined.has(id));
      expect({ file, missing }).toEqual({ file, missing: [] });
    }
  });

  test("an ID in a title is found (positive control)", () => {
    expect(idsInTitles('test("[R7] [K1] asks for nothing"')).toEqual(["R7", "K1"]);
    expect(idsInTitles('test("asks for R7"')).toEqual([]);
  });

  test("an ID in a comment is found, whatever stands before it (positive control)", () => {
    // Put together here, because this file is searched, too.
    const [first, second, third, fourth] = ["W", "O", "K", "X"].map((letter) => `${letter}99`);
    const source = `/** Rule ${first}. */\nconst R98 = 1; // so it ends (${second}, ${third})\n/*\n * See ${fourth}.\n */`;
    expect(idsInComments(source)).toEqual(["W99", "O99", "K99", "X99"]);
    expect(idsInComments("// R0 runs on V8")).toEqual([]);
  });
});
