import type { OwnCode } from "../../protocol/own-code.ts";
import type { HeldOutCard } from "../../task/held-out.ts";
import type { EvaluationReport } from "../../task/report/report.ts";
import { targetOf } from "../../task/target.ts";
import type { Task } from "../../task/task.ts";

/** All that a model's card says. */
export interface CardSource {
  readonly task: Task;
  readonly taskHash: string;
  readonly model: {
    /** Counts the task's models. */
    readonly version: number;
    readonly runId: string;
    readonly runNumber: number;
    readonly round: number;
    readonly modelHash: string;
    readonly madeAt: string;
    /** Devices whose updates are in the sum that the model was made from; null if that is not known. */
    readonly cohortSize: number | null;
  };
  /** Hash of the rules that the run's devices agreed to. */
  readonly configHash: string;
  /** Null without held-out rows. */
  readonly report: EvaluationReport | null;
  readonly heldOut: HeldOutCard | null;
  /** Version of the code that writes the card. */
  readonly codeVersion: string;
  /** What the coordinator ran and served when the run was launched; null if it was an older version. */
  readonly launchedWith: OwnCode | null;
}

/** What every model of a federation cannot do, and what its making does not protect. */
export function limitsOf({ task, report }: Pick<CardSource, "task" | "report">): readonly string[] {
  return [
    ...(task.notFor === undefined ? [] : [`Not for: ${task.notFor}`]),
    "Nobody has seen the rows that it learnt from, so nobody has checked their labels. A device may have sent a wrong update.",
    ...(report === null
      ? ["It was not judged on held-out rows, so how well it does is known from the devices' own rows alone."]
      : [
          "Its measures hold for rows like the held-out ones. Fairness between groups and drift were not looked at.",
        ]),
  ];
}

/** What making it protects, and what it does not. */
export function privacyOf({ task, model }: Pick<CardSource, "task" | "model">): readonly string[] {
  const { cohortSizeMin, securityModel } = task.aggregation;
  const cohort =
    model.cohortSize === null
      ? ""
      : ` The sum that this model was made from has ${model.cohortSize} devices.`;
  return [
    `Secure aggregation (${securityModel} security model): the coordinator sees sums over at least ${cohortSizeMin} devices, and no update of a single one.${cohort}`,
    "There is no differential privacy. What a sum or a model says about rows is not bounded, and a model may have learnt a rare row by heart.",
    "Who took part and when is known to the coordinator.",
  ];
}

/** For registries: which kind of problem it is. Null if they have no word for it. */
export function pipelineTagOf({ features }: Pick<Task, "features">): string | null {
  const isNumber = targetOf(features).kind === "number";
  if (features.kind === "image") return "image-classification";
  if (features.kind === "tabular") return isNumber ? "tabular-regression" : "tabular-classification";
  return null;
}

/** What goes in, one line each. */
export function inputLines({ features }: Pick<Task, "features">): readonly string[] {
  if (features.kind === "image")
    return [
      `Pictures of ${features.height} × ${features.width} pixels, each from ${features.range.join(" to ")}`,
    ];
  if (features.kind === "series")
    return features.channels.map(
      ({ name, unit, range }) =>
        `${features.length} values of ${name}${unit === undefined ? "" : ` in ${unit}`}, ${range.join(" to ")}`,
    );
  return features.columns
    .filter(({ input }) => input)
    .map((column) =>
      column.type === "numeric"
        ? `${column.name}: a number${column.unit === undefined ? "" : ` in ${column.unit}`}, ${column.range.join(" to ")}`
        : `${column.name}: one of ${column.categories.join(", ")}`,
    );
}

/** What comes out. */
export function outputLine({ features }: Pick<Task, "features">): string {
  const target = targetOf(features);
  return target.kind === "classes"
    ? `A probability for each of ${target.classes.join(", ")}`
    : `${target.title} in ${target.unit}, ${target.range.join(" to ")}`;
}

/** Hashes and versions with which someone can make the same bytes again. */
export function originOf(source: CardSource): readonly (readonly [name: string, value: string])[] {
  const { task, taskHash, model, configHash, report, codeVersion, launchedWith } = source;
  return [
    ["Model, SHA-256", model.modelHash],
    ["Task", `${task.slug}, version ${task.version}`],
    ["Task, SHA-256", taskHash],
    ["Run", model.runId],
    ["Round", String(model.round)],
    ["Rules that devices agreed to, SHA-256", configHash],
    ...known([
      ["Code of the run, SHA-256", launchedWith?.hash],
      ["Participant's page, SHA-256", launchedWith?.shellHash],
      ["Commit", launchedWith?.commit],
    ]),
    ...(report === null
      ? []
      : ([
          ["Held-out rows, SHA-256", report.heldOutHash],
          [
            "Evaluated by",
            `Chorus ${report.environment.code}, ${report.environment.runtime}, ${report.environment.engine}`,
          ],
          ...known([
            ["Code of the evaluation, SHA-256", report.environment.codeHash],
            ["Environment of the evaluation, SHA-256", report.environment.hash],
          ]),
        ] as const)),
    ["Card written by", `Chorus ${codeVersion}`],
  ];
}

function known(
  lines: readonly (readonly [name: string, value: string | null | undefined])[],
): readonly (readonly [name: string, value: string])[] {
  return lines.flatMap(([name, value]) => (value == null ? [] : [[name, value] as const]));
}

export function titleOf({ title, slug }: Pick<Task, "title" | "slug">): string {
  return title ?? slug;
}
