import type { StrategySpec } from "../strategy/index.ts";
import type { Task } from "../task/task.ts";
import type { LeftOutReason } from "./column-guess.ts";
import type { ColumnFields, TwoWays } from "./propose-columns.ts";

/*
 * A task that is being made, as plain JSON. Numbers are the texts that were typed, so that nothing is lost while they are
 * wrong. A draft has no row of the sample: only names, rounded ranges, categories of five rows or more, and counts.
 */

export interface DraftColumn {
  /** As in the header of the sample. */
  readonly name: string;
  readonly proposed: ColumnFields;
  /** What the person changed; the rest follows the proposal while the sample is still being read. */
  readonly edited: Partial<ColumnFields>;
  readonly leftOutBecause: LeftOutReason | null;
  /** Set if the person has to say how the sample's numbers are meant. */
  readonly twoWays?: TwoWays | null;
}

/** What is measured at each step of a series. */
export interface DraftChannel {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly from: string;
  readonly to: string;
  readonly scaling: ColumnFields["scaling"];
  readonly mean: string;
  readonly deviation: string;
}

export type DraftData =
  | { readonly kind: "table" }
  | { readonly kind: "series"; readonly length: string; readonly channels: readonly DraftChannel[] }
  | {
      readonly kind: "pictures";
      readonly height: string;
      readonly width: string;
      readonly channels: "1" | "3";
      /** Range of a pixel. */
      readonly from: string;
      readonly to: string;
      readonly classes: readonly string[];
      /** Fields that the person changed; the others follow the sample. */
      readonly edited?: readonly PicturesField[];
    };

export type PicturesField = "height" | "width" | "channels" | "classes";
export type PicturesData = Extract<DraftData, { kind: "pictures" }>;

export type DraftModel =
  | { readonly from: "template"; readonly name: string }
  | { readonly from: "json"; readonly text: string }
  /** That of the base. */
  | { readonly from: "base" };

export interface DraftRules {
  readonly stage: "trying-out" | "in-earnest";
  readonly goal: string;
  readonly overSelection: string;
  readonly cohortSizeMin: string;
  readonly epochs: string;
  readonly batchSize: string;
  readonly optimizer: "adam" | "sgd";
  readonly learningRate: string;
  readonly momentum: string;
  readonly proximalMu: string;
  readonly loss: "squared" | "huber";
  readonly huberDelta: string;
  readonly strategy: StrategySpec["kind"];
  readonly clipNormL2: string;
  readonly weightCap: string;
  readonly ring: "16" | "32";
  readonly localPercent: string;
  /** Seconds. */
  readonly joinS: string;
  readonly trainS: string;
  readonly keysS: string;
  readonly sendS: string;
  /** By class, as typed; a class that is not listed weighs 1. */
  readonly classWeights: readonly (readonly [name: string, weight: string])[];
  /** Null if devices demand none. */
  readonly logWitnesses: NonNullable<Task["logWitnesses"]> | null;
}

/** The part about purpose. */
export interface DraftAbout {
  readonly slug: string;
  /** Completes "Help a model ...". */
  readonly purpose: string;
  /** What a row is, one and many, with a comma between. */
  readonly noun: string;
  readonly intendedUse: string;
  readonly notFor: string;
  readonly contact: string;
}

export interface DraftSample {
  readonly name: string;
  readonly byteCount: number;
  readonly rows: number;
  /** Rows of each class of the label, for what guessing gives and for weights; empty if it is a number. */
  readonly classRows: readonly (readonly [name: string, rows: number])[];
}

export interface Draft {
  readonly format: 1;
  readonly data: DraftData;
  /** The task that it began with. What the page has no input for stays as it is there. */
  readonly base: Task | null;
  /** True if it is to become the version after `base`; false if the task is new. */
  readonly isNext: boolean;
  /** Null if it began with a template or a task, or if the sample was forgotten. */
  readonly sample: DraftSample | null;
  /** Of a table all columns; of a series the label and what is left out; of pictures none. */
  readonly columns: readonly DraftColumn[];
  readonly model: DraftModel;
  /** What was changed; the rest follows from the stage. */
  readonly rules: Partial<DraftRules>;
  readonly about: DraftAbout;
  readonly heldOut: "without" | "upload" | "command";
}

/** Pictures with what the person changed of them. */
export function withEdits(
  data: PicturesData,
  fields: Partial<Pick<PicturesData, PicturesField>>,
): PicturesData {
  const names = [...(data.edited ?? []), ...(Object.keys(fields) as PicturesField[])];
  return { ...data, ...fields, edited: [...new Set(names)] };
}

export function fieldsOfColumn({ proposed, edited }: DraftColumn): ColumnFields {
  return { ...proposed, ...edited };
}

/** The column that is learnt; null if none is chosen. */
export function labelOf(draft: Pick<Draft, "columns">): DraftColumn | null {
  return draft.columns.find((column) => fieldsOfColumn(column).use === "label") ?? null;
}

/** Rules that are proposed for a stage. In earnest takes enough devices that each hides among many. */
export function proposedRules(stage: DraftRules["stage"]): DraftRules {
  const cohort =
    stage === "in-earnest"
      ? { goal: "24", overSelection: "1.3", cohortSizeMin: "16" }
      : { goal: "4", overSelection: "1", cohortSizeMin: "3" };
  return {
    stage,
    ...cohort,
    epochs: "3",
    batchSize: "16",
    optimizer: "adam",
    learningRate: "0.01",
    momentum: "0.9",
    proximalMu: "0",
    loss: "squared",
    huberDelta: "1",
    strategy: "fedavg",
    clipNormL2: "5",
    weightCap: "1000",
    ring: "32",
    localPercent: "20",
    joinS: "30",
    trainS: "60",
    keysS: "20",
    sendS: "40",
    classWeights: [],
    logWitnesses: null,
  };
}

export function rulesOf({ rules, base }: Pick<Draft, "rules" | "base">): DraftRules {
  const start = base === null ? proposedRules(rules.stage ?? "trying-out") : rulesOfTask(base);
  return { ...start, ...rules };
}

/** What is said about the stage; null if the version before says nothing and nobody has chosen since. */
export function statedStage({ rules, base }: Pick<Draft, "rules" | "base">): DraftRules["stage"] | null {
  const { stage = base === null ? rulesOf({ rules, base }).stage : base.stage } = rules;
  return stage ?? null;
}

/** The rules of a task, as they would be typed. */
export function rulesOfTask({
  stage = "trying-out",
  training,
  aggregation,
  evaluation,
  features,
  logWitnesses,
}: Task): DraftRules {
  const { optimizer, loss, classWeights } = training;
  const { deadlines } = aggregation;
  const seconds = (ms: number) => String(ms / 1_000);
  return {
    stage,
    goal: String(aggregation.goal),
    overSelection: String(aggregation.overSelection),
    cohortSizeMin: String(aggregation.cohortSizeMin),
    epochs: String(training.epochs),
    batchSize: String(training.batchSize),
    optimizer: optimizer.kind,
    learningRate: String(optimizer.learningRate),
    momentum: String(optimizer.kind === "sgd" ? optimizer.momentum : 0.9),
    proximalMu: String(training.proximalMu),
    loss: loss?.kind ?? "squared",
    huberDelta: String(loss?.kind === "huber" ? loss.delta : 1),
    strategy: aggregation.strategy.kind,
    clipNormL2: String(aggregation.clipNormL2),
    weightCap: String(aggregation.weightCap),
    ring: aggregation.ring === 16 ? "16" : "32",
    localPercent: String(Number((100 * evaluation.localFraction).toPrecision(12))),
    joinS: seconds(deadlines.recruitingMs),
    trainS: seconds(deadlines.trainingMs),
    keysS: seconds(deadlines.sharingMs),
    sendS: seconds(deadlines.collectingMs),
    classWeights: (classWeights ?? []).map((weight, at) => [features.classes?.[at] ?? "", String(weight)]),
    logWitnesses: logWitnesses ?? null,
  };
}

/** The version that a draft is to become. */
export function versionOf({ base, isNext }: Pick<Draft, "base" | "isNext">): number {
  return base !== null && isNext ? base.version + 1 : 1;
}

/** A draft about rows of a kind, before anyone has typed. */
export function newDraft(data: DraftData, columns: readonly DraftColumn[], slug: string): Draft {
  return {
    format: 1,
    data,
    base: null,
    isNext: false,
    sample: null,
    columns,
    model: { from: "template", name: "" },
    rules: {},
    about: { slug, purpose: "", noun: "", intendedUse: "", notFor: "", contact: "" },
    heldOut: "without",
  };
}
