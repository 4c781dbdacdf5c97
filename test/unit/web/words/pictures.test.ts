import { expect, test } from "vitest";
import type { ImageFeatures } from "#shared/task/features.ts";
import { classFoldersNote, fittingNote, readingSentence } from "#web/words/pictures.ts";

const features: ImageFeatures = {
  kind: "image",
  height: 28,
  width: 28,
  range: [0, 255],
  classes: ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"],
};

test("[D46] class folders are shown as a folder can be spelled", () => {
  expect(classFoldersNote(features)).toBe(
    "In it a folder for each class, called T-shirt_top, Trouser, Pullover, Dress and so on, 5 in all; or the IDX files of a set such as MNIST. A zip archive may hold the same.",
  );
  expect(classFoldersNote({ classes: ["cat", "dog"] })).toMatch(/called cat, dog; or/);
});

test("[D44] what becomes of a picture depends on the task's channels", () => {
  expect(fittingNote(features)).toMatch(
    /made grey and brought to 28 by 28 pixels: ink .* of a photo the middle/,
  );
  expect(fittingNote({ ...features, channels: 3 })).not.toMatch(/grey/);
});

test("progress counts pictures", () => {
  expect(readingSentence({ name: "x", unit: "pictures", doneCount: 1_234, totalCount: 60_000 })).toBe(
    "1,234 of 60,000 pictures read.",
  );
  expect(readingSentence({ name: "x", unit: "pictures", doneCount: 0, totalCount: 1 })).toBe(
    "0 of 1 picture read.",
  );
  const table = { name: "x", unit: "bytes", doneCount: 12_000_000, totalCount: 46_000_000 } as const;
  expect(readingSentence(table)).toBe("12\u00a0MB of 46\u00a0MB read.");
});
