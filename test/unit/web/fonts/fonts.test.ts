import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { textWidth } from "#web/ui/text-width.ts";

const folder = new URL("../../../../web/fonts/", import.meta.url).pathname;
const styles = ["fonts.css", "fallbacks.css"]
  .map((name) => readFileSync(join(folder, name), "utf8"))
  .join("\n");
const faces = styles.match(/@font-face \{[^}]*\}/g) ?? [];
const ofPage = faces.filter((face) => face.includes("url("));
const ofSystem = faces.filter((face) => face.includes("local("));

test("[V1] the two typefaces are files of our own, together at most 120 kB, with their licences", () => {
  const files = ofPage.map((face) => /url\("\.\/([^"]+)"\)/.exec(face)?.[1] ?? "");
  expect(files.toSorted()).toEqual(
    readdirSync(folder)
      .filter((name) => name.endsWith(".woff2"))
      .toSorted(),
  );
  expect(files).toHaveLength(2);
  const bytes = files.map((file) => readFileSync(join(folder, file)));
  expect(bytes.map((file) => file.subarray(0, 4).toString())).toEqual(["wOF2", "wOF2"]);
  expect(files.reduce((sum, file) => sum + statSync(join(folder, file)).size, 0)).toBeLessThanOrEqual(
    120_000,
  );
  for (const licence of ["LICENSE-source-sans.txt", "LICENSE-source-serif.txt"]) {
    const text = readFileSync(join(folder, licence), "utf8");
    expect(text).toContain("SIL OPEN FONT LICENSE Version 1.1");
    expect(text).toContain("Copyright");
  }
});

test("[V1] text shows before its typeface has come, in a face of the system that is scaled to it", () => {
  expect(ofPage.every((face) => face.includes("font-display: swap"))).toBe(true);
  for (const face of ofSystem) {
    for (const descriptor of ["size-adjust", "ascent-override", "descent-override", "line-gap-override"]) {
      expect(face).toContain(`${descriptor}: `);
    }
  }
  const tokens = readFileSync(new URL("../../../../web/app/tokens.css", import.meta.url), "utf8");
  for (const face of faces) {
    const family = /font-family: ("[^"]+")/.exec(face)?.[1] ?? "";
    expect(tokens, `${family} is in no list of fonts`).toContain(family);
  }
});

test("widths of text follow its letters, size and weight", () => {
  // From the typeface's own table of widths: "8" is 527 and "n" is 580 thousandths of the size, times 12 px.
  expect(textWidth("8")).toBeCloseTo(12 * 0.527, 3);
  expect(textWidth("nn")).toBeCloseTo(2 * 12 * 0.58, 3);
  expect(textWidth("n", "ink-text")).toBeCloseTo((12 * (0.58 + 0.594)) / 2, 3);
  expect(textWidth("n", "ink-strong")).toBeCloseTo(14 * 0.594, 3);
  expect(textWidth("3\u00a0s")).toBe(textWidth("3 s"));
});
