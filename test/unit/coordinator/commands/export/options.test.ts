import { expect, test } from "vitest";
import { readExportOptions } from "#coordinator/commands/export/options.ts";

const RUN = "0197a000000070008000000000000001";
const pathOf = (...args: string[]) => {
  const read = readExportOptions(args);
  return typeof read === "string" ? read : read.path;
};

test("[A85] an export is of a run's model, of one version for an assessor, or the record of processing", () => {
  expect(pathOf(RUN)).toBe(`/runs/${RUN}/exports/onnx`);
  expect(pathOf(RUN, "--format", "tfjs")).toBe(`/runs/${RUN}/exports/tfjs`);
  expect(pathOf("--assessment", "digits@3")).toBe("/tasks/digits/models/3/assessment");
  expect(pathOf("--record")).toBe("/processing-record/markdown");
});

test.each([
  [[], /Name one run/],
  [[RUN, RUN], /Name one run/],
  [[RUN, "--record"], /Name one run/],
  [["--record", "--format", "onnx"], /--format is of a run's model/],
  [["constructor"], /not the id of a run/],
  [[RUN, "--format", "__proto__"], /no format/],
  [["--assessment", "digits"], /such as digits@3/],
  [["--assessment", "digits@0"], /such as digits@3/],
  [["--assessment", "digits@3@4"], /such as digits@3/],
  [["--assessment", "../x@3"], /such as digits@3/],
  [["--assessment", `digits@${"9".repeat(400)}`], /such as digits@3/],
])("%j is refused in a sentence", (args, sentence) => {
  expect(pathOf(...args)).toMatch(sentence);
});
