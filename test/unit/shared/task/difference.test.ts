import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { taskDifference } from "#shared/task/difference.ts";
import { type Task, taskSchema } from "#shared/task/task.ts";

const hmda = bundledTask("hmda", 8, 1);

type Draft = { -readonly [Key in keyof Task]: Task[Key] };
function changed(change: (draft: Record<string, never> & Draft) => void): readonly string[] {
  const draft = structuredClone(hmda) as Record<string, never> & Draft;
  change(draft);
  return taskDifference(hmda, draft);
}
const columns = (draft: Draft) =>
  draft.features.kind === "tabular" ? (draft.features.columns as Record<string, unknown>[]) : [];

describe("[A22] what a version changes, in words", () => {
  test("nothing, if only slug and version differ", () => {
    expect(taskDifference(hmda, { ...hmda, version: 2 })).toEqual([]);
  });

  test("a column's range with its unit, and one that is new or gone", () => {
    expect(
      changed((draft) => {
        const own = columns(draft);
        Object.assign(own[6] ?? {}, { range: [0, 20] });
        own.splice(0, 1);
        own.push({
          name: "age",
          type: "numeric",
          range: [18, 99],
          unit: "years",
          protected: true,
          input: false,
        });
      }),
    ).toEqual([
      "“unemp” goes from 0 to 20 %, was from 0 to 12 %.",
      "Also asks for “age”: a number from 18 to 99 years, protected, never an input.",
      "No longer asks for “pirat”.",
    ]);
  });

  test("what a missing or an unlisted value means", () => {
    expect(
      changed((draft) => {
        Object.assign(columns(draft)[0] ?? {}, { missing: "middle" });
        Object.assign(columns(draft)[5] ?? {}, { categories: ["no", "yes", "other"], other: "other" });
      }),
    ).toEqual([
      "A missing “pirat” becomes the middle of its range.",
      "“phist” is one of “no”, “yes”, “other”; it was one of “no”, “yes”.",
      "Any other “phist” counts as “other”.",
    ]);
  });

  test("rules and texts, with what they were", () => {
    expect(
      changed((draft) => {
        Object.assign(draft, { notFor: "Deciding alone.", stage: "in-earnest" });
        Object.assign(draft.training, { epochs: 5 });
        Object.assign(draft.aggregation, {
          clipNormL2: 1.2,
          deadlines: { ...draft.aggregation.deadlines, graceMs: 9_000 },
        });
      }),
    ).toEqual([
      "“Not for” is “Deciding alone.”; nothing was said before.",
      "The stage is “in-earnest”; nothing was said before.",
      "Epochs in a round is 5, was 3.",
      "aggregation.deadlines.graceMs is 9000 ms, was 30000 ms.",
      "The clip is 1.2, was 5.",
    ]);
  });

  test("the model's layers and weights", () => {
    const small = structuredClone(hmda) as Draft;
    Object.assign(small.model.layers[0] as object, { units: 8 });
    expect(taskDifference(hmda, small)).toEqual([
      "The units of the layer “hidden” is 8, was 16.",
      "The model has 170 weights, had 338.",
    ]);
  });

  test("another kind of rows", () => {
    expect(taskDifference(hmda, { ...hmda, features: bundledTask("digits", 8, 1).features })).toEqual([
      "Takes pictures, no longer rows of a table.",
    ]);
  });

  test("whatever field differs, something is said of it", () => {
    // Slug and version are no differences, and there are no other kinds of columns, optimizers or layers.
    const names = new Set(["slug", "version", "type", "kind", "className", "format"]);
    const leaves = leavesOf(hmda).filter((path) => !names.has(path.at(-1) ?? ""));
    fc.assert(
      fc.property(fc.constantFrom(...leaves), (path) => {
        const draft = structuredClone(hmda);
        const parent = path.slice(0, -1).reduce<unknown>((value, name) => (value as never)[name], draft);
        const last = path.at(-1) as string;
        const value = (parent as Record<string, unknown>)[last];
        (parent as Record<string, unknown>)[last] =
          typeof value === "number" ? value + 1 : typeof value === "boolean" ? !value : `${String(value)}x`;
        // The model's shapes need not fit any more.
        if (path[0] === "model" && !taskSchema.shape.model.safeParse(draft.model).success) return;
        expect(taskDifference(hmda, draft), path.join(".")).not.toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});

function leavesOf(value: unknown, path: readonly string[] = []): string[][] {
  if (typeof value !== "object" || value === null) return [[...path]];
  return Object.entries(value).flatMap(([name, inner]) => leavesOf(inner, [...path, name]));
}
