import { expect, test } from "vitest";
import {
  answerSentence,
  classSentence,
  groupNames,
  groupNote,
  keptSentence,
  sketchGap,
  triedGap,
  tryWords,
} from "#web/words/classes.ts";

test("classes that are here and classes that are not", () => {
  const classes = ["0", "1", "2", "3"];
  expect(classSentence(classes, [0, 5, 6, 0], "drawings")).toBe(
    "Drawings by class: 1 has 5, 2 has 6; none of 0, 3.",
  );
  expect(missing(classes, [0, 5, 6, 0])).toBe(
    "Drawings of each class. No 0 or 3 yet: that is fine, others have them.",
  );
  expect(missing(classes, [1, 1, 1, 1])).toBe("Drawings of each class.");
});

test("a sketch is kept once it is drawn and labelled, in that order", () => {
  expect(sketchGap({ isEmpty: true, label: null }, "drawing")).toBe(
    "Draw something first, or use a picture file.",
  );
  expect(sketchGap({ isEmpty: false, label: null }, "drawing")).toBe("Say what the drawing shows.");
  expect(sketchGap({ isEmpty: false, label: 0 }, "drawing")).toBeNull();
  expect(keptSentence("7")).toBe("Kept: 7. It is stored in this browser and nowhere else.");
});

test("names the likeliest class, never with certainty", () => {
  expect(answerSentence(of(["0", "1", "2"]), Float32Array.of(0.1, 0.86, 0.04))).toBe(
    "It says 1, with 86\u00a0% confidence.",
  );
  expect(answerSentence(of(["0", "1"]), Float32Array.of(1, 0))).toBe(
    "It says 0, with > 99\u00a0% confidence.",
  );
});

test("a drawing that the model was tried on is kept once it is there and labelled by a person", () => {
  expect(triedGap({ isEmpty: true, label: 3 })).toBe("There is nothing on the pad.");
  expect(triedGap({ isEmpty: false, label: null })).toBe("Say what it is; the model may be wrong.");
  expect(triedGap({ isEmpty: false, label: 0 })).toBeNull();
});

test("a picture is drawn, a row of a table is filled in", () => {
  expect(tryWords("drawing", "digit")).toBe("Draw something; the model says what it sees.");
  expect(tryWords("tabular", "application")).toBe("Fill in one application; the model says what it expects.");
});

test("[E44] the words of a number have its unit and speak of no class", () => {
  const pay = {
    kind: "number",
    name: "pay",
    title: "hourly earnings",
    unit: "dollars an hour",
    range: [0, 80],
  } as const;
  expect(answerSentence(pay, Float32Array.of(18.404))).toBe("It says 18.4\u00a0dollars an hour.");
  expect(groupNote(pay, [], "people")).toBe("People by hourly earnings, in dollars an hour.");
  expect(groupNames(pay)).toHaveLength(10);
  expect(groupNames(pay).slice(0, 2)).toEqual(["0 to 8", "8 to 16"]);
});

function of(classes: readonly string[]) {
  return { kind: "classes", classes } as const;
}

function missing(classes: readonly string[], counts: readonly number[]): string {
  return groupNote(of(classes), counts, "drawings");
}
