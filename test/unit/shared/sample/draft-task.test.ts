import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { BUNDLED_TASKS, bundledTask } from "#coordinator/data/tasks.ts";
import { type Draft, statedStage } from "#shared/sample/draft.ts";
import { draftOfTask } from "#shared/sample/draft-of-task.ts";
import { withTable } from "#shared/sample/draft-sample.ts";
import { taskOfDraft } from "#shared/sample/draft-task.ts";
import { mended } from "#shared/sample/mend.ts";
import { proposeTable } from "#shared/sample/propose-table.ts";
import { rebased } from "#shared/sample/rebase.ts";
import { TableProfiler } from "#shared/sample/table-profiler.ts";
import { TEMPLATE_DRAFTS } from "#shared/sample/template-drafts.ts";
import { type Task, taskSchema } from "#shared/task/task.ts";

const ABOUT = {
  slug: "readmission",
  purpose: "foresee who comes back",
  noun: "record, records",
  intendedUse: "Choosing whom to call.",
  notFor: "Deciding on discharge.",
  contact: "asks@clinics.example",
};

const sampleTable = (profiler: TableProfiler) => {
  const profile = profiler.profile();
  return { profile, proposal: proposeTable(profile) };
};

function readmissions(rows = 400): Draft {
  const profiler = new TableProfiler(["age", "smoker", "sex", "back"]);
  for (let index = 0; index < rows; index++) {
    const smoker = index % 6 === 0 ? "" : (["no", "former", "yes"][index % 3] as string);
    profiler.add([
      String(18 + (index % 79)),
      smoker,
      index % 2 === 0 ? "f" : "m",
      index % 7 === 0 ? "yes" : "no",
    ]);
  }
  return withTable(null, sampleTable(profiler), { name: "Readmissions 2026.csv", byteCount: 10_000 });
}

const whole = (draft: Draft): Draft => ({
  ...draft,
  about: ABOUT,
  columns: draft.columns.map((column) =>
    column.name === "sex"
      ? { ...column, edited: { ...column.edited, why: "To check that it serves all alike." } }
      : column,
  ),
});
const set = (draft: Draft, name: string, edited: Draft["columns"][number]["edited"]): Draft => ({
  ...draft,
  columns: draft.columns.map((column) =>
    column.name === name ? { ...column, edited: { ...column.edited, ...edited } } : column,
  ),
});

test("[A96] a next version keeps the witnesses that it demands until a person changes them", () => {
  const logWitnesses = { keys: [`w.example+00000001+${"BA".padEnd(44, "A")}`], needed: 1 };
  const plain = bundledTask("digits", 12, 1);
  const next = draftOfTask({ ...plain, logWitnesses });
  expect(taskOfDraft(next).preview?.logWitnesses).toEqual(logWitnesses);
  const without = { ...next, rules: { ...next.rules, logWitnesses: null } };
  expect(taskOfDraft(without).preview).not.toHaveProperty("logWitnesses");
  expect(taskOfDraft(draftOfTask(plain)).preview).not.toHaveProperty("logWitnesses");
  const wrong = { ...next, rules: { ...next.rules, logWitnesses: { ...logWitnesses, needed: 2 } } };
  expect(taskOfDraft(wrong).problems[0]).toMatchObject({ part: 5, field: "logWitnesses" });
});

test("[K4] a sample and seven words make a task that the schema takes", () => {
  const draft = readmissions();
  expect(draft.about.slug).toBe("readmissions-2026");
  const { task, problems } = taskOfDraft(whole(draft));
  expect(problems).toEqual([]);
  expect(task).toMatchObject({
    slug: "readmission",
    version: 1,
    invitation: "Help a model foresee who comes back, and keep your records to yourself",
    learns: "to foresee who comes back",
    stage: "trying-out",
    contact: "asks@clinics.example",
    features: {
      kind: "tabular",
      label: { name: "back" },
      classes: ["no", "yes"],
      columns: [
        { name: "age", type: "numeric", range: [10, 100], input: true },
        { name: "smoker", type: "categorical", categories: ["no", "former", "yes"], missing: "category" },
        { name: "sex", protected: true, input: false, why: "To check that it serves all alike." },
      ],
    },
    evaluation: { localFraction: 0.2 },
  });
  expect(JSON.stringify(task)).not.toContain("Readmissions 2026.csv");
});

test("[K4] what is missing is named with its part and field, and the preview does without", () => {
  const { task, preview, problems } = taskOfDraft(readmissions());
  expect(task).toBeNull();
  expect(preview?.notFor).toBe("still to be written");
  expect(problems.map(({ part, field, isMissing }) => [part, field, isMissing])).toEqual([
    [2, "column.2.why", true],
    [7, "purpose", true],
    [7, "noun", true],
    [7, "intendedUse", true],
    [7, "notFor", true],
    [7, "contact", true],
  ]);
});

describe("[K4] what is wrong stands under its field, with what would work", () => {
  const wrong: readonly (readonly [
    name: string,
    change: (draft: Draft) => Draft,
    field: string,
    sentence: RegExp,
  ])[] = [
    [
      "a falling range",
      (draft) => set(draft, "age", { from: "100", to: "10" }),
      "column.0.from",
      /From has to be below To.*10 to 100/,
    ],
    ["a range that is no number", (draft) => set(draft, "age", { from: "old" }), "column.0.from", /number/],
    [
      "one class",
      (draft) => set(draft, "back", { categories: ["no"] }),
      "column.3.categories",
      /There is only “no”/,
    ],
    [
      "a category twice",
      (draft) => set(draft, "smoker", { categories: ["no", "no", "yes"] }),
      "column.1.categories",
      /twice/,
    ],
    [
      "a logarithm of a range below -1",
      (draft) => set(draft, "age", { scaling: "log1p", from: "-5" }),
      "column.0.scaling",
      /[Ll]og1p/,
    ],
    [
      "more than are wanted",
      (draft) => ({ ...draft, rules: { goal: "12", cohortSizeMin: "16" } }),
      "cohortSizeMin",
      /More than the 12 wanted/,
    ],
    [
      "too few in earnest",
      (draft) => ({ ...draft, rules: { stage: "in-earnest", cohortSizeMin: "4" } }),
      "cohortSizeMin",
      /at least 10/,
    ],
    [
      "groups that cannot open their sums",
      (draft) => ({ ...draft, rules: { goal: "500", overSelection: "1", cohortSizeMin: "97" } }),
      "cohortSizeMin",
      /500 are invited, in groups of about 96.*Never fewer than \d+ would work/,
    ],
    [
      "a change shorter than nothing",
      (draft) => ({ ...draft, rules: { clipNormL2: "-1" } }),
      "clipNormL2",
      /No change is shorter than 0/,
    ],
    [
      "no change at all",
      (draft) => ({ ...draft, rules: { clipNormL2: "0" } }),
      "clipNormL2",
      /teaches nothing/,
    ],
    [
      "a ring that cannot hold them (S21)",
      () => {
        const task = bundledTask("digits", 900, 3);
        const aggregation = { ...task.aggregation, graph: "complete" as const };
        return {
          ...draftOfTask({ ...task, aggregation }),
          about: { ...ABOUT, slug: "digits" },
          rules: { ring: "16" },
        };
      },
      "ring",
      /16 bits/,
    ],
    ["half a pass", (draft) => ({ ...draft, rules: { epochs: "0.5" } }), "epochs", /whole number/],
    ["no digits", (draft) => ({ ...draft, rules: { batchSize: "many" } }), "batchSize", /number/],
    [
      "a deadline of nothing",
      (draft) => ({ ...draft, rules: { trainS: "0" } }),
      "trainS",
      /From 0\.5 to 86400 s/,
    ],
    ["no time to join", (draft) => ({ ...draft, rules: { joinS: "0.5" } }), "joinS", /From 2 to 86400 s/],
    ["two days for keys", (draft) => ({ ...draft, rules: { keysS: "172800" } }), "keysS", /86400 s/],
    ["an empty deadline", (draft) => ({ ...draft, rules: { sendS: "" } }), "sendS", /such as 40/],
    [
      "all rows kept back",
      (draft) => ({ ...draft, rules: { localPercent: "100" } }),
      "localPercent",
      /below 100 %/,
    ],
    [
      "fewer than no rows",
      (draft) => ({ ...draft, rules: { localPercent: "-1" } }),
      "localPercent",
      /From 0/,
    ],
    [
      "an address with capitals",
      (draft) => ({ ...draft, about: { ...draft.about, slug: "Readmission!" } }),
      "slug",
      /[Ll]ower-case/,
    ],
    [
      "a contact that is none",
      (draft) => ({ ...draft, about: { ...draft.about, contact: "ask us" } }),
      "contact",
      /Neither a mail address nor a page/,
    ],
    [
      "one noun",
      (draft) => ({ ...draft, about: { ...draft.about, noun: "record" } }),
      "noun",
      /with a comma/,
    ],
    ["a model that is no JSON", (draft) => ({ ...draft, model: { from: "json", text: "{" } }), "model", /./],
    [
      "a batch normalization",
      (draft) => ({
        ...draft,
        model: {
          from: "json",
          text: JSON.stringify({
            class_name: "Sequential",
            config: { layers: [{ class_name: "BatchNormalization", config: { name: "b", axis: -1 } }] },
          }),
        },
      }),
      "model",
      /LayerNormalization/,
    ],
  ];
  test.each(wrong)("%s", (_, change, field, sentence) => {
    const { task, problems } = taskOfDraft(change(whole(readmissions())));
    expect(task).toBeNull();
    const found = problems.find((problem) => problem.field === field);
    expect(found?.sentence, JSON.stringify(problems)).toMatch(sentence);
    expect(found?.isMissing).toBe(false);
  });
});

test("[F6] numbers that can be read in two ways keep a draft from being a task until someone has said which", () => {
  const profiler = new TableProfiler(["income", "back"]);
  for (let index = 0; index < 60; index++)
    profiler.add([`${1 + (index % 9)},${100 + 3 * index}`, index % 3 === 0 ? "yes" : "no"]);
  const draft = withTable(null, sampleTable(profiler), { name: "a.csv", byteCount: 1 });
  const asked = taskOfDraft({ ...draft, about: ABOUT });
  expect(asked.problems).toMatchObject([
    {
      part: 2,
      field: "column.0.from",
      sentence: "Numbers such as 1,234 can be read in two ways. Say which is meant, or give the range.",
      isMissing: false,
    },
  ]);
  const [asThousands] = asked.problems[0]?.mends ?? [];
  if (asThousands === undefined) throw new Error("no button");
  expect(asThousands.words).toBe("It is one thousand two hundred and thirty-four: 1000 to 10000");
  const answered = mended(draft, asThousands);
  const { task } = taskOfDraft({ ...answered, about: ABOUT });
  expect(task?.features).toMatchObject({ columns: [{ name: "income", range: [1_000, 10_000] }] });
});

test("[K4] names that reach a prototype are names like others", () => {
  const profiler = new TableProfiler(["__proto__", "constructor", "toString"]);
  for (let index = 0; index < 60; index++)
    profiler.add([String(index % 9), String(index % 7), index % 2 === 0 ? "a" : "b"]);
  const draft = withTable(null, sampleTable(profiler), { name: "__proto__.csv", byteCount: 1 });
  const { task } = taskOfDraft({ ...draft, about: ABOUT });
  expect(task?.features.kind === "tabular" && task.features.columns.map(({ name }) => name)).toEqual([
    "__proto__",
    "constructor",
  ]);
});

test("[K4] the least number that a large round is offered makes a task", () => {
  const draft = { ...whole(readmissions()), rules: { goal: "500", overSelection: "1", cohortSizeMin: "97" } };
  const [mend] = taskOfDraft(draft).problems[0]?.mends ?? [];
  if (mend === undefined) throw new Error("no button");
  expect(taskOfDraft(mended(draft, mend)).problems).toEqual([]);
});

describe("[K4] a template, completed, is a task", () => {
  test.each(TEMPLATE_DRAFTS.map((template) => [template.name, template] as const))("%s", (_, { create }) => {
    const { problems } = taskOfDraft({ ...create(), about: { ...ABOUT, slug: create().about.slug } });
    expect(problems).toEqual([]);
  });
});

describe("[K5] a draft of a task's next version", () => {
  const tasks = BUNDLED_TASKS.map((name) => [name, bundledTask(name, 8, 3)] as const);

  const example = taskSchema.parse(
    JSON.parse(readFileSync(new URL("../../../../examples/tasks/readmission.json", import.meta.url), "utf8")),
  );
  const WORDS = {
    purpose: "tell things apart",
    intendedUse: "Trying.",
    notFor: "Deciding.",
    contact: "a@b.example",
  };

  test.each([...tasks, [example.slug, example] as const])(
    "%s differs in the words that were missing, and in nothing else",
    (_, task) => {
      const draft = draftOfTask(task);
      const about = { ...draft.about };
      for (const [name, words] of Object.entries(WORDS) as [keyof typeof WORDS, string][])
        if (about[name] === "") about[name] = words;
      const { preview, problems } = taskOfDraft({ ...draft, about });
      // Tasks of earlier versions give no reason for what is protected; the page asks for one.
      expect(problems.filter(({ field }) => !field.endsWith(".why"))).toEqual([]);
      expect(preview).toEqual({ ...WORDS, ...task, version: task.version + 1 });
    },
  );

  test("a new purpose rewrites the heading and what is learnt, another noun only the heading", () => {
    const draft = draftOfTask({ ...example, invitation: "Help us, and keep your discharges to yourself" });
    const made = (change: Partial<Draft["about"]>) =>
      taskOfDraft({ ...draft, about: { ...draft.about, ...change } }).preview;
    expect(made({ purpose: "To see who comes back." })).toMatchObject({
      invitation: "Help a model see who comes back, and keep your discharges to yourself",
      learns: "to see who comes back",
      purpose: "see who comes back",
    });
    expect(made({ noun: "stay, stays" })).toMatchObject({
      invitation: "Help us, and keep your stays to yourself",
      learns: example.learns,
      purpose: example.purpose,
    });
  });

  test("a stage that the version before does not state is stated only once it is chosen", () => {
    const [, digits] = tasks[0] as (typeof tasks)[0];
    const draft = draftOfTask(digits);
    expect(digits.stage).toBeUndefined();
    expect(statedStage(draft)).toBeNull();
    expect(taskOfDraft({ ...draft, rules: { stage: "trying-out" } }).preview?.stage).toBe("trying-out");
  });

  test("begun again from a newer version, it keeps what was changed and takes the rest", () => {
    const [, digits] = tasks[0] as (typeof tasks)[0];
    const base: Task = {
      ...digits,
      purpose: "read digits",
      intendedUse: "x",
      notFor: "y",
      contact: "a@b.example",
    };
    const draft: Draft = { ...draftOfTask(base), rules: { epochs: "4" } };
    const mine: Draft = { ...draft, about: { ...draft.about, notFor: "Grading." } };
    const newest: Task = {
      ...base,
      version: 9,
      intendedUse: "Teaching.",
      training: { ...base.training, batchSize: 64 },
    };
    const made = taskOfDraft(rebased(mine, newest)).task;
    expect(made).toMatchObject({ version: 10, intendedUse: "Teaching.", notFor: "Grading." });
    expect(made?.training).toMatchObject({ epochs: 4, batchSize: 64 });
  });
});

test("[K6] a draft has no row of its sample: no value of fewer than five rows, and not the extremes", () => {
  const profiler = new TableProfiler(["income", "town", "answer"]);
  for (let index = 0; index < 200; index++)
    profiler.add([
      String(30_000 + 97 * index),
      index < 3 ? "CANARY-TOWN" : "elsewhere",
      index % 2 === 0 ? "yes" : "no",
    ]);
  profiler.add(["987654.25", "elsewhere", "yes"]);
  const text = JSON.stringify(withTable(null, sampleTable(profiler), { name: "a.csv", byteCount: 1 }));
  expect(text).not.toContain("CANARY-TOWN");
  expect(text).not.toContain("987654");
});

describe("[K4] what would work can be done at once", () => {
  const problemOf = (draft: Draft, field: string) =>
    taskOfDraft(draft).problems.find((problem) => problem.field === field);
  /** The draft after each piece of advice about a field. */
  const afterAdvice = (draft: Draft, field: string) =>
    (problemOf(draft, field)?.mends ?? []).map((mend) => [mend.words, mended(draft, mend)] as const);

  test("a range the wrong way round becomes that of the sample", () => {
    const draft = set(whole(readmissions()), "age", { from: "90", to: "20" });
    const [[words, better] = []] = afterAdvice(draft, "column.0.from");
    expect(words).toBe("Take 10 to 100");
    expect(better && taskOfDraft(better).problems).toEqual([]);
  });

  test("a least number above the number wanted gives way on either side", () => {
    const draft = { ...whole(readmissions()), rules: { goal: "12", cohortSizeMin: "16" } };
    const ways = afterAdvice(draft, "cohortSizeMin");
    expect(ways.map(([words]) => words)).toEqual(["Want 16", "Never fewer than 12"]);
    expect(ways.map(([, better]) => taskOfDraft(better).problems)).toEqual([[], []]);
  });

  test("a ring too small for the cohort becomes the larger one", () => {
    const task = bundledTask("digits", 8, 1);
    const large = { ...task, aggregation: { ...task.aggregation, cohortSizeMax: 600 } };
    const draft: Draft = { ...draftOfTask(large), rules: { ring: "16" } };
    const [[words, better] = []] = afterAdvice(draft, "ring");
    expect(words).toBe("Take 32 bits");
    expect(better && problemOf(better, "ring")).toBeUndefined();
  });

  test("columns beyond what a task takes are left out, and no others", () => {
    const profiler = new TableProfiler([
      ...Array.from({ length: 600 }, (_, at) => `gene ${at} here`),
      "back",
    ]);
    for (let row = 0; row < 40; row++) {
      profiler.add([
        ...Array.from({ length: 600 }, (_, at) => String((row * 7 + at) % 31)),
        row % 2 ? "yes" : "no",
      ]);
    }
    const proposed = whole(withTable(null, sampleTable(profiler), { name: "a.csv", byteCount: 1 }));
    expect(taskOfDraft(proposed).problems).toEqual([]);
    const draft = set(proposed, "gene 599 here", { use: "input" });
    expect(problemOf(draft, "columns")?.sentence).toBe(
      "513 columns are asked for, and a task takes 512. Leave out 1.",
    );
    const [[, better] = []] = afterAdvice(draft, "columns");
    expect(better && taskOfDraft(better).task?.features).toEqual(taskOfDraft(proposed).task?.features);
  });

  test.each(["once", "twice"])(
    "BatchNormalization gives its place to LayerNormalization, in JSON that is text %s",
    (how) => {
      const layers = [
        { class_name: "Dense", config: { name: "first", units: 4, activation: "relu" } },
        {
          class_name: "BatchNormalization",
          config: { name: "norm", axis: -1, momentum: 0.99, moving_mean_initializer: "zeros" },
        },
        { class_name: "Dense", config: { name: "back", units: 1, activation: "sigmoid" } },
      ];
      const written = JSON.stringify({ class_name: "Sequential", config: { name: "m", layers } });
      const text = how === "once" ? written : JSON.stringify(written);
      const draft: Draft = { ...whole(readmissions()), model: { from: "json", text } };
      const [[words, better] = []] = afterAdvice(draft, "model");
      expect(words).toBe("Put LayerNormalization there");
      const result = better && taskOfDraft(better);
      expect(result?.problems).toEqual([]);
      expect(result?.task?.model.layers.map(({ className, name }) => [className, name])).toEqual([
        ["Dense", "first"],
        ["LayerNormalization", "norm"],
        ["Dense", "back"],
      ]);
    },
  );
});
