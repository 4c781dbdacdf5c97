import { describe, expect, test } from "vitest";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { proposeMapping } from "#shared/data/match/propose-mapping.ts";
import { type Draft, withEdits } from "#shared/sample/draft.ts";
import { draftOfTask } from "#shared/sample/draft-of-task.ts";
import { begunAnew, kindClash, readAs, withPictures, withTable } from "#shared/sample/draft-sample.ts";
import { taskOfDraft } from "#shared/sample/draft-task.ts";
import { classesOfPaths, type PicturesProfile } from "#shared/sample/pictures-profile.ts";
import { proposeTable } from "#shared/sample/propose-table.ts";
import { TableProfiler } from "#shared/sample/table-profiler.ts";
import { TEMPLATE_DRAFTS } from "#shared/sample/template-drafts.ts";

const FILE = { name: "Winter birds.zip", byteCount: 1_000 };

function pictures(classes: readonly string[], side: number, withColour: number): PicturesProfile {
  return {
    ...classesOfPaths(classes.map((name) => `birds/${name}/1.png`)),
    sizes: [{ width: side, height: side, count: 10 }],
    withColour,
    lookedAt: 10,
  };
}

function table(header: readonly string[]) {
  const profiler = new TableProfiler(header);
  for (let index = 0; index < 170; index++)
    profiler.add(header.map((_, at) => String((index * (at + 3)) % 17)));
  const profile = profiler.profile();
  return { profile, proposal: proposeTable(profile) };
}
const series = () => table([...Array.from({ length: 12 }, (_, step) => `x${step}`), "label"]);

const template = (name: string): Draft => {
  const found = TEMPLATE_DRAFTS.find((one) => one.name === name);
  if (found === undefined) throw new Error(name);
  return found.create();
};

describe("[K4] pictures of a sample fill a draft, except for what the person changed", () => {
  const birds = pictures(["owl", "robin"], 32, 9);

  test("a template's classes, size and colours give way", () => {
    const { data, about } = withPictures(template("pictures-to-class"), birds, FILE);
    expect(data).toMatchObject({ classes: ["owl", "robin"], height: "32", width: "32", channels: "3" });
    expect(about.slug).toBe("my-pictures");
  });

  test("another sample's classes take the place of the first one's", () => {
    const first = withPictures(null, birds, FILE);
    expect(first.about.slug).toBe("winter-birds");
    const second = withPictures(first, pictures(["ash", "elm", "oak"], 20, 0), FILE);
    expect(second.data).toMatchObject({ classes: ["ash", "elm", "oak"], height: "20", channels: "1" });
  });

  test("what was typed stays, and the rest follows", () => {
    const first = withPictures(null, birds, FILE);
    if (first.data.kind !== "pictures") throw new Error("no pictures");
    const typed = { ...first, data: withEdits(withEdits(first.data, { width: "48" }), { classes: ["owl"] }) };
    expect(withPictures(typed, pictures(["ash", "elm"], 20, 0), FILE).data).toMatchObject({
      width: "48",
      classes: ["owl"],
      height: "20",
      channels: "1",
    });
  });

  test("a version that was agreed to keeps its classes", () => {
    const draft = draftOfTask(bundledTask("emoji", 8, 1));
    expect(withPictures(draft, birds, FILE).data).toEqual(draft.data);
  });
});

describe("[K4] a sample of another kind changes no draft", () => {
  const birds = pictures(["owl", "robin"], 32, 9);
  const plain = table(["age", "stay", "back"]);
  test.each([
    ["a table and pictures", template("table-to-class"), null, birds, { draft: "table", sample: "pictures" }],
    [
      "pictures and a table",
      template("pictures-to-class"),
      plain,
      null,
      { draft: "pictures", sample: "table" },
    ],
    [
      "pictures and series",
      template("pictures-to-class"),
      series(),
      null,
      { draft: "pictures", sample: "series" },
    ],
    [
      "series and a plain table",
      template("series-to-class"),
      plain,
      null,
      { draft: "series", sample: "table" },
    ],
    [
      "a version's table and pictures",
      draftOfTask(bundledTask("hmda", 8, 1)),
      null,
      birds,
      { draft: "table", sample: "pictures" },
    ],
    ["no draft yet", null, plain, null, null],
    ["series and series", template("series-to-class"), series(), null, null],
    ["a table and numbered columns", template("table-to-class"), series(), null, null],
    ["a version's series and a CSV", draftOfTask(bundledTask("pen-digits", 8, 1)), plain, null, null],
    ["pictures and pictures", template("pictures-to-class"), null, birds, null],
    ["nothing read yet", template("pictures-to-class"), null, null, null],
  ] as const)("%s", (_, draft, csv, images, clash) => {
    expect(kindClash(draft, csv?.proposal ?? null, images)).toEqual(clash);
  });

  test("begun anew, it has the sample's data and the words and rules of the draft before", () => {
    const before: Draft = {
      ...template("table-to-class"),
      rules: { goal: "24" },
      about: { ...template("table-to-class").about, purpose: "foresee who comes back", notFor: "Payment." },
    };
    const anew = begunAnew(before, withPictures(null, birds, FILE));
    expect(anew.data).toMatchObject({ kind: "pictures", classes: ["owl", "robin"] });
    expect(anew).toMatchObject({ about: before.about, rules: before.rules, columns: [], base: null });
  });

  test("begun anew from a version, it is a task of its own with the version's rules", () => {
    const before = draftOfTask(bundledTask("hmda", 8, 1));
    const anew = begunAnew(before, withPictures(null, birds, FILE));
    expect(anew.about.slug).toBe("winter-birds");
    expect(anew.isNext).toBe(false);
    expect(anew.rules).toMatchObject({ goal: "8", cohortSizeMin: "5" });
  });

  test.each([
    ["from 1", (step: number) => `t${step + 1}`],
    ["with leading zeros", (step: number) => `t${String(step).padStart(2, "0")}`],
    ["from 1 with leading zeros", (step: number) => `t${String(step + 1).padStart(3, "0")}`],
  ])(
    "[F7] steps that are numbered %s are a series, and devices read the same file as that task",
    async (_, nameOf) => {
      const header = [...Array.from({ length: 20 }, (_unused, step) => nameOf(step)), "label"];
      const made = withTable(null, table(header), FILE);
      expect(made.data).toMatchObject({ kind: "series", length: "20", channels: [{ name: "t" }] });
      const { features } = taskOfDraft(made);
      if (features === null) throw new Error("no features");
      const places = proposeMapping(header, [], features).map(({ place, how }) => [place, how]);
      expect(places.slice(0, -1)).toEqual(header.slice(0, -1).map((_name, at) => [at, "numbered"]));
    },
  );

  test("questions of a form that are numbered from 1 stay columns until someone says that they are steps", () => {
    const form = table([...Array.from({ length: 12 }, (_, at) => `q${at + 1}`), "label"]);
    const made = withTable(null, form, FILE);
    expect(made.data).toEqual({ kind: "table" });
    const steps = readAs(made, "series", form);
    expect(steps.data).toMatchObject({ kind: "series", length: "12", channels: [{ name: "q" }] });
    expect(steps.columns.map(({ name }) => name)).toEqual(["label"]);
    expect(readAs(steps, "table", form)).toEqual(made);
  });

  test("a series template takes the channels of a series", () => {
    const { data } = withTable(template("series-to-class"), series(), FILE);
    expect(data).toMatchObject({ kind: "series", length: "12", channels: [{ name: "x" }] });
  });
});
