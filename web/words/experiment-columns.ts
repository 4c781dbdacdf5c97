import type { RunNames } from "#shared/protocol/run-search.ts";
import { STRATEGY_TITLES } from "#shared/strategy/index.ts";
import { headlineOf, MEASURES } from "#shared/task/measures/index.ts";
import { measuredOnWords } from "./experiment-sets.ts";
import type { ExperimentRow } from "./experiments.ts";
import { formatCount, formatDecimal, formatFigure, formatMeasure, formatWhen } from "./format.ts";
import { figureCell } from "./measures.ts";
import { comparedWith } from "./models.ts";
import { ON_DEVICES } from "./run-curve.ts";
import { runStatus } from "./sentences.ts";

/* What columns runs side by side may have, and how the coordinator is asked to order by one. Pure. */

export const RATE = "training.optimizer.learningRate";

/** A column that one may choose. */
export interface ExperimentColumn {
  /** In the address. */
  readonly name: string;
  readonly label: string;
  readonly numeric: boolean;
  /** Shown if the address names no columns. */
  readonly first: boolean;
  /** What the runs are ordered by, as in MLflow's `order_by`; null if they cannot be. */
  readonly order: string | null;
  readonly words: (row: ExperimentRow) => string;
}

const TEXT = { numeric: false, first: false, order: null } as const;
const NUMBER = { numeric: true, first: false, order: null } as const;

function paramColumn(name: string, label: string, first = false): ExperimentColumn {
  const words = ({ params }: ExperimentRow) => params.get(name) ?? "none";
  return { ...NUMBER, name, label, first, order: orderKey("params", name), words };
}

const FIXED: readonly ExperimentColumn[] = [
  { ...TEXT, name: "outcome", label: "Outcome", first: true, order: "state", words: outcomeWords },
  {
    ...NUMBER,
    ...{ name: "rounds", label: "Rounds", first: true, order: "rounds" },
    words: ({ run }) => `${run.roundsCommitted} of ${run.roundsPlanned}`,
  },
  {
    ...TEXT,
    ...{ name: "strategy", label: "Strategy", first: true, order: "strategy" },
    words: ({ run }) => STRATEGY_TITLES[run.strategy.kind],
  },
  paramColumn(RATE, "Rate", true),
  paramColumn("training.epochs", "Passes", true),
  {
    ...NUMBER,
    ...{ name: "devices", label: "Devices in a sum", order: "metrics.survivors" },
    words: ({ metrics }) => countWords(metrics.get("survivors")),
  },
  {
    ...NUMBER,
    name: "figure",
    label: "Newest figure",
    first: true,
    words: ({ measures }) => figureCell(measures),
  },
  {
    ...NUMBER,
    ...{ name: "loss", label: "Loss", order: "metrics.loss" },
    words: ({ measures }) => (measures["loss"] === undefined ? "none" : formatMeasure(measures["loss"])),
  },
  { ...TEXT, name: "rows", label: "Measured on", order: "measured_on", words: measuredOnWords },
  { ...TEXT, name: "against", label: "Beside the model in use", first: true, words: againstWords },
  {
    ...NUMBER,
    ...{ name: "traffic", label: "kB a device, last round", order: "metrics.device_kilobytes" },
    words: ({ metrics }) => tenthsWords(metrics.get("device_kilobytes")),
  },
  {
    ...NUMBER,
    ...{ name: "seconds", label: "Seconds, last round", order: "metrics.round_seconds" },
    words: ({ metrics }) => tenthsWords(metrics.get("round_seconds")),
  },
  paramColumn("training.batchSize", "Rows a step"),
  paramColumn("training.proximalMu", "Proximal mu"),
  paramColumn("noiseMultiplier", "Noise"),
  paramColumn("seed", "Seed"),
  {
    ...NUMBER,
    ...{ name: "weights", label: "Model, weights" },
    words: ({ view }) => countWords(view?.parameterCount),
  },
  {
    ...TEXT,
    ...{ name: "began", label: "Began with" },
    words: ({ run }) => (run.beginsWith === undefined ? "a new model" : `version ${run.beginsWith.version}`),
  },
  { ...TEXT, name: "by", label: "By", order: "by", words: ({ run }) => run.launchedBy },
  { ...TEXT, name: "tags", label: "Tags", words: ({ tags }) => tagWords(tags) },
  {
    ...TEXT,
    ...{ name: "when", label: "When", first: true, order: "started" },
    words: ({ run }) =>
      run.endedAt === null ? `since ${formatWhen(run.createdAt)}` : formatWhen(run.endedAt),
  },
];

/** All columns: those with a name for people, then every other param, figure and tag that runs have. */
export function experimentColumns(names: RunNames): readonly ExperimentColumn[] {
  const known = new Set(FIXED.map(({ name }) => name));
  return [
    ...FIXED,
    ...names.params
      .filter((key) => !known.has(key))
      .map((key) => ({ ...paramColumn(key, key), name: `params.${key}` })),
    ...names.metrics.map(metricColumn),
    ...names.tags.map(tagColumn),
  ];
}

function metricColumn(key: string): ExperimentColumn {
  const words = ({ measures, metrics }: ExperimentRow) => {
    const measure = Object.hasOwn(measures, key) ? measures[key] : undefined;
    const value = metrics.get(key);
    // The newest figure with its interval, if it is the one that the coordinator keeps under this name.
    if (measure !== undefined && measure.value === value) return formatMeasure(measure);
    return value === undefined ? "none" : numberWords(value);
  };
  return { ...NUMBER, name: `metrics.${key}`, label: key, order: orderKey("metrics", key), words };
}

function tagColumn(key: string): ExperimentColumn {
  const words = ({ tags }: ExperimentRow) => cut(tags.get(key) ?? "none");
  return { ...TEXT, name: `tags.${key}`, label: key, order: orderKey("tags", key), words };
}

/** A name as MLflow's language has it, in back quotes if it needs them. */
export function orderKey(entity: "params" | "metrics" | "tags", key: string): string {
  return /^[\p{L}\p{N}_][\p{L}\p{N}_./-]*$/u.test(key) ? `${entity}.${key}` : `${entity}.\`${key}\``;
}

/** The columns that an address names, in the order of the list; those to begin with if it names none. */
export function columnsNamed(
  columns: readonly ExperimentColumn[],
  names: string | null,
): readonly ExperimentColumn[] {
  const asked = names?.split(",") ?? null;
  return columns.filter(({ name, first }) => (asked === null ? first : asked.includes(name)));
}

/**
 * What the coordinator is asked to order by. A figure is each task's headline, wherever it was measured.
 *
 * @param order  A column's name; "-" before it turns the order round. Rules V11, V12.
 */
export function orderText(columns: readonly ExperimentColumn[], names: RunNames, order: string): string {
  const name = order.replace(/^-/, "");
  const direction = order.startsWith("-") ? " DESC" : "";
  const keys = name === "figure" ? headlineKeys(names) : name === "loss" ? keysOf(names, ["loss"]) : null;
  if (keys !== null) return keys.map((key) => `metrics.${key}${direction}`).join(",");
  const by = columns.find((column) => column.name === name)?.order ?? null;
  return by === null ? "" : `${by}${direction}`;
}

/** The order of `MEASURES` is that of headlines. An order has at most eight entries. */
function headlineKeys(names: RunNames): readonly string[] {
  const measures = MEASURES.map(({ name }) => name);
  return keysOf(names, measures).slice(0, 8);
}

/** Where a figure of held-out rows and that of rows on devices stand, as far as a run has them. */
function keysOf({ metrics }: RunNames, measures: readonly string[]): readonly string[] {
  return measures.flatMap((name) => [name, `devices_${name}`]).filter((key) => metrics.includes(key));
}

/** True if the runs can be ordered by this column. */
export function canOrder({ name, order }: ExperimentColumn): boolean {
  return name === "figure" || order !== null;
}

/** A param's name for people: that of its column, or else its own. */
export function paramTitle(key: string): string {
  return FIXED.find(({ name }) => name === key)?.label ?? key;
}

function outcomeWords({ run, versionInUse, isInUse }: ExperimentRow): string {
  if (versionInUse === null) return runStatus(run);
  return isInUse ? `${runStatus(run)}, in use` : `${runStatus(run)}; its version ${versionInUse} is in use`;
}

/** By the figures alone; a pair of runs is compared on the same rows under the table. */
function againstWords({ view, measures, measuredOn, isInUse }: ExperimentRow): string {
  const inUse = view?.inUse ?? null;
  if (isInUse) return "is in use";
  if (headlineOf(measures) === null) return "none";
  if (inUse?.alias !== "champion") return "none is promoted";
  const judged = { measures, ...(measuredOn !== null && measuredOn !== ON_DEVICES && { measuredOn }) };
  return comparedWith(judged, inUse) ?? "none";
}

const countWords = (count: number | undefined): string => (count === undefined ? "none" : formatCount(count));

const tenthsWords = (value: number | undefined): string =>
  value === undefined ? "none" : formatDecimal(value, 1);

/** Those that people gave: Chorus's own stand in columns of their own. */
function tagWords(tags: ReadonlyMap<string, string>): string {
  const given = [...tags].filter(([key]) => !/^(fl|mlflow)\./.test(key));
  return given.length === 0 ? "none" : cut(given.map(([key, value]) => `${key} ${value}`).join(", "));
}

const cut = (text: string): string => (text.length > 60 ? `${text.slice(0, 59)}…` : text);
const numberWords = (value: number): string =>
  Number.isInteger(value) ? formatCount(value) : formatFigure(value);
