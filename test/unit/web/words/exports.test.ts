import { expect, test } from "vitest";
import { EXPORT_FORMATS, exportFileName } from "#shared/export/formats.ts";
import type { Portability } from "#shared/export/portability.ts";
import { comparisonSchema } from "#shared/task/report/comparison.ts";
import { bundledCase } from "#test/kit/exports/cases.ts";
import { runViewOf } from "#test/kit/web-views.ts";
import { EXPORT_WORDS, exportSnippets, int8Words, newestFileName } from "#web/words/exports.ts";

test("every format is offered once, with words of its own", () => {
  expect(EXPORT_WORDS.map(({ format }) => format).sort()).toEqual([...EXPORT_FORMATS].sort());
  expect(new Set(EXPORT_WORDS.map(({ what }) => what)).size).toBe(EXPORT_FORMATS.length);
});

test("the lines name the file as the coordinator calls it", () => {
  const run = runViewOf({ task: "tumours", number: 2, newestVersion: 7 });
  const { python, javascript } = exportSnippets(run, bundledCase("tumours").source.task.features);
  const name = { task: "tumours", runNumber: 2, round: 7 };
  expect(newestFileName(run, "onnx")).toBe("tumours-run2-round7.onnx");
  expect(python).toContain(exportFileName(name, "onnx"));
  expect(javascript).toContain(exportFileName(name, "javascript"));
  expect(javascript).toContain('"radius": ');
});

test("[M8] what 8 bits cost is said with both sizes and the rows; nothing is said without rows", () => {
  const portability: Portability = {
    parity: { random: { rows: 64, errorMax: 1e-7 }, heldOut: null },
    byteCounts: { onnx: 12_000, int8: 5_000 },
    oneRowMs: { onnx: 0.2, int8: 0.1 },
    int8: comparisonSchema.parse({
      comparable: true,
      heldOutHash: "ab".repeat(32),
      rowCount: 359,
      resampling: { seed: 1, times: 200 },
      measures: [
        {
          ...{ name: "accuracy", label: "Accuracy", unit: "share", better: "higher", test: "mcnemar-exact" },
          ...{ first: 0.931, second: 0.928, difference: -0.003, low: -0.007, high: 0.001, p: 1 },
          ...{ counts: { onlyFirst: 2, onlySecond: 1 }, verdict: "too-close" },
        },
      ],
    }),
  };
  expect(int8Words(portability)?.replaceAll("\u00a0", " ")).toBe(
    "5.0 kB in place of 12.0 kB; accuracy −0.3 points (95 %: −0.7 to +0.1): too close to tell, on the same 359 held-out rows",
  );
  expect(int8Words({ ...portability, int8: null })).toBeNull();
  expect(int8Words({ ...portability, int8: { comparable: false, reason: "" } })).toBeNull();
});
