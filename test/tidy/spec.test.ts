import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const root = new URL("../..", import.meta.url).pathname;
const ID = /\b[WRSPAETDOXVF]\d{1,2}\b/g;

function filesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name) && !name.includes(".next"))
    .map((name) => join(folder, name));
}

const defined = new Set(
  [
    ...readFileSync(join(root, "shared/SPEC.md"), "utf8").matchAll(/^- \*\*([WRSPAETDOXVF]\d{1,2})\*\*/gm),
  ].map((match) => match[1] as string),
);

/** IDs in the brackets of a test's title, e.g. test("[R7] ..."); there may be several. */
function idsInTitles(source: string): string[] {
  return [...source.matchAll(/["'`](?:\[[WRSPAETDOXVF]\d{1,2}\] ?)+/g)].flatMap(
    (match) => match[0].match(ID) ?? [],
  );
}

describe("rules", () => {
  const tested = new Set(
    filesBelow("test").flatMap((file) => idsInTitles(readFileSync(join(root, file), "utf8"))),
  );

  test("the list of rules is read", () => {
    expect(defined.size).toBeGreaterThan(20);
  });

  test("every rule has a test", () => {
    expect([...defined].filter((id) => !tested.has(id))).toEqual([]);
  });

  test("every cited rule exists", () => {
    expect([...tested].filter((id) => !defined.has(id))).toEqual([]);
    for (const file of ["shared", "coordinator", "client"].flatMap(filesBelow)) {
      const cited = [
        ...readFileSync(join(root, file), "utf8").matchAll(
          /\b(?:[Rr]ules?|[Ii]nvariants?) ([WRSPAETDOXVF]\d{1,2})\b/g,
        ),
      ];
      const missing = cited.map((match) => match[1] as string).filter((id) => !defined.has(id));
      expect({ file, missing }).toEqual({ file, missing: [] });
    }
  });

  test("an ID in a title is found (positive control)", () => {
    expect(idsInTitles('test("[R7] [S1] asks for nothing"')).toEqual(["R7", "S1"]);
    expect(idsInTitles('test("asks for R7"')).toEqual([]);
  });
});
