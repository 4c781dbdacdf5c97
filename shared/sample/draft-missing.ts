import { graphPlanOf, isSharded } from "../cohort/graph-plan.ts";
import { LIMITS } from "../protocol/limits.ts";
import { PHASE_MS_MAX, PHASE_MS_MIN, RECRUITING_MS_MIN, shardRefusal } from "../task/aggregation-plan.ts";
import {
  type Draft,
  type DraftColumn,
  type DraftRules,
  fieldsOfColumn,
  proposedRules,
  rulesOf,
} from "./draft.ts";
import { categoriesOf, named } from "./draft-features.ts";
import type { DraftPart, DraftProblem } from "./draft-problem.ts";
import { invitedOf } from "./draft-rules.ts";
import { type DraftMend, isAsked } from "./mend.ts";
import { nounsOf, numberOf } from "./typed.ts";

/** What a page asks for beyond the schema, in words nearer to the input than the schema's. */
export function missingOf(draft: Draft): DraftProblem[] {
  return [...missingColumns(draft), ...wrongRules(draft), ...missingWords(draft)];
}

function missing(part: DraftPart, field: string, sentence: string): DraftProblem {
  return { part, field, sentence, isMissing: true };
}
function wrong(
  part: DraftPart,
  field: string,
  sentence: string,
  mends: readonly DraftMend[] = [],
): DraftProblem {
  return { part, field, sentence, isMissing: false, ...(mends.length > 0 && { mends }) };
}

function missingColumns(draft: Draft): DraftProblem[] {
  if (draft.data.kind === "pictures") return missingClasses(draft.data.classes);
  const uses = draft.columns.map((column) => fieldsOfColumn(column).use);
  const problems: DraftProblem[] = [];
  if (!uses.includes("label"))
    problems.push(missing(2, "label", "Say which column is learnt: open it and choose “what is learnt”."));
  if (uses.filter((use) => use === "label").length > 1)
    problems.push(
      wrong(2, "label", "Two columns are what is learnt. Choose one; the other may be an input."),
    );
  if (draft.data.kind === "table" && !uses.includes("input"))
    problems.push(
      missing(2, "inputs", "No column is an input, so there is nothing to learn from. Choose at least one."),
    );
  return [
    ...problems,
    ...tooManyColumns(draft),
    ...draft.columns.flatMap((column, at) => columnProblems(column, at)),
  ];
}

function tooManyColumns({ data, columns }: Draft): DraftProblem[] {
  const count = columns.filter((column) => isAsked(fieldsOfColumn(column))).length;
  const { columnsMax } = LIMITS;
  if (data.kind !== "table" || count <= columnsMax) return [];
  const sentence = `${count} columns are asked for, and a task takes ${columnsMax}. Leave out ${count - columnsMax}.`;
  return [
    wrong(2, "columns", sentence, [{ type: "fewer-columns", words: `Ask for the first ${columnsMax} only` }]),
  ];
}

function missingClasses(lines: readonly string[]): DraftProblem[] {
  const classes = named(lines);
  const twice = classes.find((name, index) => classes.indexOf(name) !== index);
  if (twice !== undefined)
    return [wrong(2, "classes", `“${twice}” stands there twice. Name each class once.`)];
  return classes.length >= 2
    ? []
    : [
        wrong(
          2,
          "classes",
          "A model needs two classes or more. Take a sample with a folder for each, or add one by hand.",
        ),
      ];
}

function columnProblems(column: DraftColumn, at: number): DraftProblem[] {
  const fields = fieldsOfColumn(column);
  const field = (name: string) => `column.${at}.${name}`;
  const problems: DraftProblem[] = [];
  if (fields.use === "left-out") return problems;
  if (fields.protected && fields.why.trim() === "" && fields.use !== "label")
    problems.push(
      missing(
        2,
        field("why"),
        "Say in a sentence why this is asked for, for instance to check that the model serves all alike.",
      ),
    );
  if (fields.type === "number") {
    const [from, to] = [numberOf(fields.from), numberOf(fields.to)];
    if (Number.isNaN(from)) problems.push(wrong(2, field("from"), "A number is wanted, such as 0."));
    else if (Number.isNaN(to)) problems.push(wrong(2, field("to"), "A number is wanted, such as 100."));
    else if (from >= to) {
      const { proposed } = column;
      const range = `${proposed.from} to ${proposed.to}`;
      const fields = { from: proposed.from, to: proposed.to };
      problems.push(
        numberOf(proposed.from) < numberOf(proposed.to)
          ? wrong(2, field("from"), `From has to be below To. The sample fits ${range}.`, [
              { type: "column", at, fields, words: `Take ${range}` },
            ])
          : wrong(2, field("from"), "From has to be below To."),
      );
    } else {
      const way = undecided(column, at);
      if (way !== null) problems.push(way);
    }
    if (fields.use === "label" && fields.unit.trim() === "")
      problems.push(
        missing(2, field("unit"), "A number that is learnt needs a unit, because figures are shown in it."),
      );
    return problems;
  }
  const categories = categoriesOf(fields);
  const twice = categories.find((name, index) => categories.indexOf(name) !== index);
  if (twice !== undefined)
    problems.push(wrong(2, field("categories"), `“${twice}” stands there twice. Name each once.`));
  if (categories.length < 2) {
    const only = categories.length === 1 ? `There is only “${categories[0]}”. ` : "";
    const sentence =
      fields.use === "label"
        ? `${only}A model needs two answers or more: take a sample with five rows of each, or add one by hand.`
        : `${only}A column needs two categories or more. Add one, or leave the column out.`;
    problems.push(wrong(2, field("categories"), sentence));
  }
  return problems;
}

/** Not null if the sample's numbers can be read in two ways and nobody has said which; a range says it. */
function undecided({ twoWays, edited }: DraftColumn, at: number): DraftProblem | null {
  if (twoWays == null || edited.from !== undefined || edited.to !== undefined) return null;
  const { written, asThousands, asDecimals } = twoWays;
  const way = (value: string, { from, to }: typeof asThousands): DraftMend => ({
    type: "column",
    at,
    fields: { from, to, example: "" },
    words: `It is ${value}: ${from} to ${to}`,
  });
  return wrong(
    2,
    `column.${at}.from`,
    `Numbers such as ${written} can be read in two ways. Say which is meant, or give the range.`,
    [way("one thousand two hundred and thirty-four", asThousands), way("a little more than one", asDecimals)],
  );
}

/** Answers while one types that the schema would give in the words of the API. */
function wrongRules(draft: Draft): DraftProblem[] {
  const rules = rulesOf(draft);
  const [goal, min] = [numberOf(rules.goal), numberOf(rules.cohortSizeMin)];
  const problems: DraftProblem[] = [];
  if (min > goal) {
    problems.push(
      wrong(
        5,
        "cohortSizeMin",
        `More than the ${goal} wanted. Want at least ${min}, or ask for no more than ${goal}.`,
        [
          { type: "rules", rules: { goal: String(min) }, words: `Want ${min}` },
          { type: "rules", rules: { cohortSizeMin: String(goal) }, words: `Never fewer than ${goal}` },
        ],
      ),
    );
  }
  problems.push(...wrongGroups(draft), ...wrongNumbers(draft, rules), ...wrongUnits(rules));
  if (numberOf(rules.clipNormL2) <= 0)
    problems.push(
      wrong(
        5,
        "clipNormL2",
        `${numberOf(rules.clipNormL2) === 0 ? "A change of length 0 teaches nothing." : "No change is shorter than 0."} Give a number above 0; the trial proposes one.`,
      ),
    );
  return problems;
}

/** A large round is split into groups, and each must be able to open its own sum. */
function wrongGroups(draft: Draft): DraftProblem[] {
  const { goal, overSelection, cohortSizeMin } = rulesOf(draft);
  const plan = { goal: numberOf(goal), overSelection: numberOf(overSelection) };
  const graph = graphPlanOf(plan);
  const [min, invited] = [numberOf(cohortSizeMin), invitedOf(rulesOf(draft))];
  if (!isSharded(graph) || !Number.isInteger(min) || !(min >= 3) || min > plan.goal) return [];
  const { size } = graph;
  const works = (least: number) =>
    shardRefusal({ ...plan, cohortSizeMin: least, securityModel: "active" }) === null;
  if (works(min)) return [];
  const best = Array.from({ length: size }, (_, index) => size - index).find(works);
  if (best === undefined) return [];
  return [
    wrong(
      5,
      "cohortSizeMin",
      `${invited} are invited, in groups of about ${size}, and some of a group leave. Never fewer than ${best} would work.`,
      [{ type: "rules", rules: { cohortSizeMin: String(best) }, words: `Never fewer than ${best}` }],
    ),
  ];
}

const NUMBER_RULES = [
  ...["goal", "overSelection", "cohortSizeMin", "epochs", "batchSize", "learningRate", "proximalMu"],
  ...["clipNormL2", "weightCap", "localPercent", "joinS", "trainS", "keysS", "sendS"],
] as const satisfies readonly (keyof DraftRules)[];

/** Fields that are empty or hold no number, with one that would work. */
function wrongNumbers({ rules: edited }: Draft, rules: DraftRules): DraftProblem[] {
  const usual = proposedRules(rules.stage);
  return NUMBER_RULES.filter((name) => name in edited && Number.isNaN(numberOf(rules[name]))).map((name) =>
    wrong(5, name, `A number is wanted, such as ${usual[name]}.`),
  );
}

/** Fields in per cent and seconds; the schema has fractions and milliseconds. */
function wrongUnits(rules: DraftRules): DraftProblem[] {
  const problems: DraftProblem[] = [];
  const percent = numberOf(rules.localPercent);
  if (percent < 0 || percent >= 100)
    problems.push(
      wrong(5, "localPercent", "From 0 to below 100 %: a device trains on the rest. 20 is usual."),
    );
  for (const name of ["joinS", "trainS", "keysS", "sendS"] as const) {
    const [least, most] = [
      (name === "joinS" ? RECRUITING_MS_MIN : PHASE_MS_MIN) / 1_000,
      PHASE_MS_MAX / 1_000,
    ];
    const seconds = numberOf(rules[name]);
    if (seconds < least || seconds > most)
      problems.push(wrong(5, name, `From ${least} to ${most} s (a day).`));
  }
  return problems;
}

const MAIL_OR_PAGE = /^(?:[^\s@]+@[^\s@]+\.[^\s@]+|https:\/\/[^\s/]+\S*)$/;

function missingWords({ about }: Draft): DraftProblem[] {
  const problems: DraftProblem[] = [];
  const ask = (field: keyof Draft["about"], sentence: string) => {
    if (about[field].trim() === "") problems.push(missing(7, field, `Missing. ${sentence}`));
  };
  ask("purpose", "Complete the sentence “Help a model ...”, for instance: tell digits apart.");
  ask("noun", "Say what one row is and what many are, for instance: record, records.");
  ask("intendedUse", "Say who is to use the model, and for what.");
  ask("notFor", "Say at least one thing that it must not be used for.");
  ask("contact", "Give a mail address or a page, for those who have questions.");
  ask("slug", "Give it a name of small letters, digits and dashes; it becomes its address.");
  if (about.noun.trim() !== "" && nounsOf(about.noun) === null)
    problems.push(
      wrong(7, "noun", "Two words are wanted, for one and for many, with a comma between: record, records."),
    );
  if (about.contact.trim() !== "" && !MAIL_OR_PAGE.test(about.contact.trim()))
    problems.push(
      wrong(7, "contact", "Neither a mail address nor a page. name@place.org or https://... would do."),
    );
  return problems;
}
