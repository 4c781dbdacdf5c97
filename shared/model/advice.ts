import { tensorShapes } from "../layers/chain.ts";
import { type LayerSpec, layerSpecSchema } from "../layers/table.ts";
import { LIMITS } from "../protocol/limits.ts";
import { type ModelSpec, modelTensors } from "../task/model.ts";
import type { Task } from "../task/task.ts";
import type { Ring } from "../vector/ring.ts";
import { type ModelFacts, modelFacts } from "./facts.ts";

/** What will not work, or not well, with the number that would. */
export interface Advice {
  /** `refused`: nobody could take part. `warning`: it runs, and is likely a mistake. */
  readonly kind: "refused" | "warning";
  readonly about: "model" | "rows" | "upload" | "ring" | "memory" | "time";
  /** One or two sentences for people. */
  readonly sentence: string;
  /** The number that would work, ready to be used; absent if the sentence names none. */
  readonly mend?: AdviceMend;
}

export type AdviceMend = { readonly words: string } & (
  | { readonly type: "model"; readonly model: ModelSpec }
  | { readonly type: "ring"; readonly ring: Ring }
  | { readonly type: "batch"; readonly batchSize: number }
);

/** A phone's page is ended by its browser at a few hundred MB. */
const MEMORY_BYTE_COUNT_MAX = 400_000_000;
/** Bytes that a phone sends in a minute at 10 Mbit/s. */
const UPLOAD_BYTE_COUNT_SLOW = 75_000_000;

/**
 * Advice on a task's model, worst first; empty if there is nothing to say.
 *
 * @param rowCount  Rows that the model would learn from, e.g. those of a sample; null if unknown.
 */
export function modelAdvice(task: Task, facts: ModelFacts, rowCount: number | null): readonly Advice[] {
  const found = [
    tooLong(task, facts),
    ringAdvice(task, facts),
    memoryAdvice(task, facts),
    byHeart(task.model, facts, rowCount),
    slowUpload(task, facts),
    narrow(task.model),
  ];
  const all = found.filter((advice) => advice !== null);
  return [...all.filter(({ kind }) => kind === "refused"), ...all.filter(({ kind }) => kind === "warning")];
}

function tooLong(task: Task, facts: ModelFacts): Advice | null {
  const { listLength } = facts.rounds[task.aggregation.ring];
  if (listLength <= LIMITS.vectorLengthMax) return null;
  const works = (model: ModelSpec) =>
    modelFacts({ ...task, model }).rounds[task.aggregation.ring].listLength <= LIMITS.vectorLengthMax;
  const { words, mend } = wouldWork(task.model, works);
  return {
    kind: "refused",
    about: "upload",
    sentence: `Its masked list would have ${count(listLength)} words, and an upload takes ${count(LIMITS.vectorLengthMax)}. ${words}`,
    ...mend,
  };
}

function ringAdvice({ aggregation }: Task, { rounds, parameterCount }: ModelFacts): Advice | null {
  const { ring, cohortSizeMax } = aggregation;
  const { refusal, listLength } = rounds[ring];
  const take32 = ring === 16 ? { mend: { type: "ring", ring: 32, words: "Take 32 bits" } as const } : {};
  if (refusal !== null) return { kind: "refused", about: "ring", sentence: sentenceOf(refusal), ...take32 };
  // Rotation pads the list to a power of two, which can eat up most of what halving saves.
  if (ring === 16 && listLength >= rounds[32].listLength) {
    return {
      kind: "warning",
      about: "ring",
      sentence: `A 16-bit ring saves nothing here: it pads ${count(parameterCount)} numbers to a power of two. Use 32 bits.`,
      ...take32,
    };
  }
  if (ring === 16 && cohortSizeMax > RING_16_COMFORTABLE) {
    return {
      kind: "warning",
      about: "ring",
      sentence: `On a 16-bit ring, ${cohortSizeMax} devices leave each update fewer than ${STEPS_COMFORTABLE} steps. Up to ${RING_16_COMFORTABLE} devices, or 32 bits, round it less.`,
      ...take32,
    };
  }
  return null;
}
const STEPS_COMFORTABLE = 256;
const RING_16_COMFORTABLE = Math.floor((2 ** 15 - 1) / STEPS_COMFORTABLE);

function memoryAdvice(task: Task, facts: ModelFacts): Advice | null {
  if (facts.memoryByteCount <= MEMORY_BYTE_COUNT_MAX) return null;
  const works = (batchSize: number) =>
    modelFacts({ ...task, training: { ...task.training, batchSize } }).memoryByteCount <=
    MEMORY_BYTE_COUNT_MAX;
  const batch = largest(1, task.training.batchSize, works);
  const { words, mend } =
    batch === null
      ? wouldWork(
          task.model,
          (model) => modelFacts({ ...task, model }).memoryByteCount <= MEMORY_BYTE_COUNT_MAX,
        )
      : {
          words: `A batch of ${count(batch)} rows would fit.`,
          mend: { mend: { type: "batch", batchSize: batch, words: `Take ${count(batch)} rows` } as const },
        };
  return {
    kind: "warning",
    about: "memory",
    sentence: `Training takes about ${megabytes(facts.memoryByteCount)} on a device, and a phone’s page has about ${megabytes(MEMORY_BYTE_COUNT_MAX)}. ${words}`,
    ...mend,
  };
}

function byHeart(model: ModelSpec, facts: ModelFacts, rowCount: number | null): Advice | null {
  if (rowCount === null || facts.parameterCount <= rowCount) return null;
  const perRow = facts.parameterCount / rowCount;
  const many =
    perRow < 1.5
      ? "As many numbers to learn as rows"
      : `${NUMBER_WORDS[Math.round(perRow)] ?? count(Math.round(perRow))} numbers to learn for every row`;
  const works = (smaller: ModelSpec) => modelTensors(smaller).parameterCount <= rowCount;
  const otherwise = `${count(facts.parameterCount)} rows, or a linear model, would suit it better.`;
  const { words, mend } = wouldWork(model, works, otherwise);
  return {
    kind: "warning",
    about: "rows",
    sentence: `${many}: it would learn rows by heart. ${words}`,
    ...mend,
  };
}
const NUMBER_WORDS = ["", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten"];

function slowUpload({ aggregation }: Task, { rounds }: ModelFacts): Advice | null {
  const { listByteCount, listLength } = rounds[aggregation.ring];
  if (listByteCount < UPLOAD_BYTE_COUNT_SLOW || listLength > LIMITS.vectorLengthMax) return null;
  const other = rounds[16];
  const sentence = `Each round a device sends ${megabytes(listByteCount)}, more than a minute on a phone’s network.`;
  if (aggregation.ring === 16 || other.refusal !== null || other.listLength >= listLength)
    return { kind: "warning", about: "upload", sentence };
  return {
    kind: "warning",
    about: "upload",
    sentence: `${sentence} A 16-bit ring would make it ${megabytes(other.listByteCount)}.`,
    mend: { type: "ring", ring: 16, words: "Take 16 bits" },
  };
}

/** A layer inside that has fewer numbers than there are classes cannot tell them apart well. */
function narrow({ layers, classCount = 1 }: ModelSpec): Advice | null {
  const tight = layers
    .slice(0, -1)
    .find(
      (layer) =>
        layer.className === "Dense" &&
        layer.units < Math.min(classCount, 2 ** 16) &&
        layer.units < Math.ceil(Math.log2(classCount)) * 2,
    );
  if (tight?.className !== "Dense") return null;
  return {
    kind: "warning",
    about: "model",
    sentence: `“${tight.name}” has ${tight.units} units for ${classCount} classes, which is little to tell them apart by. ${classCount} or more would do.`,
  };
}

/** Says how narrow the widest layer must be for `works`, with that model, or says `otherwise`. */
function wouldWork(
  model: ModelSpec,
  works: (model: ModelSpec) => boolean,
  otherwise = "Use fewer or smaller layers.",
): { readonly words: string; readonly mend: Pick<Advice, "mend"> } {
  const none = { words: otherwise, mend: {} };
  const widest = widestLayer(model);
  if (widest === null) return none;
  const { index, width, noun, name } = widest;
  const narrowed = (to: number) => withWidth(model, index, to);
  const fitting = largest(1, width - 1, (to) => {
    const smaller = narrowed(to);
    return smaller !== null && works(smaller);
  });
  const fittingModel = fitting === null ? null : narrowed(fitting);
  if (fitting === null || fittingModel === null) return none;
  return {
    words: `With ${count(fitting)} ${noun} in “${name}” instead of ${count(width)} it would fit.`,
    mend: {
      mend: { type: "model", model: fittingModel, words: `Take ${count(fitting)} ${noun} in “${name}”` },
    },
  };
}

/** The inner layer with units or filters that has the most weights on both sides. */
function widestLayer({ layers }: ModelSpec) {
  const inner = layers.slice(0, -1).flatMap((layer, index) => {
    const { name } = layer;
    if (layer.className === "Dense") return [{ index, name, width: layer.units, noun: "units" }];
    if (layer.className === "Conv1D" || layer.className === "Conv2D") {
      return [{ index, name, width: layer.filters, noun: "filters" }];
    }
    return [];
  });
  return inner.toSorted((left, right) => right.width - left.width)[0] ?? null;
}

function withWidth(model: ModelSpec, index: number, width: number): ModelSpec | null {
  const layers = model.layers.map((layer, place): LayerSpec => {
    if (place !== index) return layer;
    const field = layer.className === "Dense" ? { units: width } : { filters: width };
    return layerSpecSchema.parse({ ...layer, ...field });
  });
  return tensorShapes({ ...model, layers }).ok ? { ...model, layers } : null;
}

/** The largest whole number in [least, greatest] that works, if all smaller ones work too; null if none does. */
function largest(least: number, greatest: number, works: (value: number) => boolean): number | null {
  if (greatest < least || !works(least)) return null;
  let [low, high] = [least, greatest];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (works(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}

function count(value: number): string {
  return String(value).replaceAll(/\B(?=(\d{3})+$)/g, ",");
}

function megabytes(byteCount: number): string {
  return `${count(Math.round(byteCount / 1e6))} MB`;
}

function sentenceOf(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
