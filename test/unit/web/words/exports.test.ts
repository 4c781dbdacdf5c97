import { expect, test } from "vitest";
import { EXPORT_FORMATS, exportFileName } from "#shared/export/formats.ts";
import { bundledCase } from "#test/kit/exports/cases.ts";
import { runViewOf } from "#test/kit/web-views.ts";
import { EXPORT_WORDS, exportSnippets, newestFileName } from "#web/words/exports.ts";

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
