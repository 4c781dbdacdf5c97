import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { nameOfField, taskDifference } from "#shared/task/difference.ts";
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
      "The categories of “phist” are “no”, “yes”, “other”; new is “other”.",
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
      "The time for late shares is 9 s, was 30 s.",
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

  const letters = Array.from({ length: 12 }, (_, at) => String.fromCharCode(97 + at));
  const withTown = (categories: readonly string[]) => {
    const draft = structuredClone(hmda) as Draft;
    columns(draft).push({ name: "town", type: "categorical", categories, protected: false, input: true });
    return draft;
  };

  test("a change that stands late in a long list is named", () => {
    const before = withTown(letters);
    expect(taskDifference(before, withTown([...letters.slice(0, 10), "z", "l"]))).toEqual([
      "The categories of “town” are “a”, “b”, “c”, “d”, “e”, “f”, “g”, “h” and 4 more; no longer “k”; new is “z”.",
    ]);
    const [moved] = taskDifference(before, withTown([...letters.slice(0, 10), "l", "k"]));
    expect(moved).toMatch(/ come in another order: .*“j”, “l”, “k”\.$/);
    const [both] = taskDifference(before, withTown([...letters.slice(0, 9), "l", "k", "z"]));
    expect(both).toMatch(/ no longer “j”; new is “z”; in another order: .*“l”, “k”, “z”\.$/);
    expect(taskDifference(hmda, before)).toEqual([expect.stringContaining("“l”")]);
  });

  test("a channel of a series, as a column; its other parts by name", () => {
    const pens = bundledTask("pen-digits", 8, 1);
    if (pens.features.kind !== "series") throw new Error("pen-digits is a series");
    const { channels, ...others } = pens.features;
    const [first, ...rest] = channels;
    const features = {
      ...others,
      length: 16,
      channels: [...rest, { ...channels[0], name: "force", range: [0, 1] }],
    };
    expect(taskDifference(pens, { ...pens, features } as Task)).toEqual([
      expect.stringMatching(/^Also asks for “force”: a number from 0 to 1/),
      `No longer asks for “${first?.name}”.`,
      `The length is 16, was ${pens.features.length}.`,
    ]);
  });

  test("what was not said before, and each part of a plan, by name and in seconds", () => {
    expect(
      changed((draft) => {
        Object.assign(draft, { contact: "asks@clinics.example" });
        Object.assign(draft.training, { loss: { kind: "huber", delta: 0.5 } });
        Object.assign(draft.aggregation, { graph: { kind: "shards", size: 96 }, recruitingMinMs: 2_500 });
      }),
    ).toEqual([
      "Who answers questions is “asks@clinics.example”; nothing was said before.",
      "The loss is “huber”, delta 0.5; nothing was said before.",
      "The graph of devices is “shards”, size 96, was “complete”.",
      "The least time to recruit is 2.5 s; nothing was said before.",
    ]);
  });

  test("every field of a task outside features and model has a name", () => {
    const { slug: _s, version: _v, features: _f, model: _m, ...fields } = taskSchema.shape;
    const schema = z.toJSONSchema(z.strictObject(fields), { io: "input" });
    const paths = pathsOf(schema);
    expect(paths).toContain("aggregation.strategy.tau");
    expect(paths.filter((path) => nameOfField(path) === undefined)).toEqual([]);
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

/** Paths of all fields that are no objects, or that may be absent. */
function pathsOf(schema: unknown, path = "", isOptional = false): string[] {
  const {
    properties,
    required = [],
    anyOf = [],
    oneOf = [],
  } = schema as {
    readonly properties?: Readonly<Record<string, unknown>>;
    readonly required?: readonly string[];
    readonly anyOf?: readonly unknown[];
    readonly oneOf?: readonly unknown[];
  };
  const branches = [...anyOf, ...oneOf];
  if (branches.length > 0)
    return [...new Set(branches.flatMap((branch) => pathsOf(branch, path, isOptional)))];
  if (properties === undefined) return [path];
  const inner = Object.entries(properties).flatMap(([name, property]) =>
    pathsOf(property, path === "" ? name : `${path}.${name}`, !required.includes(name)),
  );
  return isOptional ? [path, ...inner] : inner;
}

function leavesOf(value: unknown, path: readonly string[] = []): string[][] {
  if (typeof value !== "object" || value === null) return [[...path]];
  return Object.entries(value).flatMap(([name, inner]) => leavesOf(inner, [...path, name]));
}
