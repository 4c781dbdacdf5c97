import { env, InferenceSession, Tensor } from "onnxruntime-web";
import { answers, judgeOutputs } from "#shared/engine/evaluate.ts";
import { exportOnnx, type OnnxOptions, onnxOutputs } from "#shared/export/onnx/export-onnx.ts";
import { onnxInputs } from "#shared/export/onnx/inputs.ts";
import { largestError, type Portability } from "#shared/export/portability.ts";
import { type RandomRows, randomRows } from "#shared/export/random-rows.ts";
import type { ModelSource } from "#shared/export/source.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import type { HashHex } from "#shared/protocol/ids.ts";
import { lowerMedian } from "#shared/stats/median.ts";
import type { Dataset } from "#shared/task/dataset.ts";
import type { JudgedRows } from "#shared/task/judged-rows.ts";
import { compareJudged } from "#shared/task/report/compare-judged.ts";
import { resamplingToCompare } from "#shared/task/report/resampling.ts";
import { groupCountOf, targetOf } from "#shared/task/target.ts";

/*
 * Tries a model as it leaves in onnxruntime, which shares no code with our engine. Its WebAssembly comes with the package, so
 * nothing is fetched. One thread, because the coordinator has other things to do.
 */

env.wasm.numThreads = 1;
env.logLevel = "error";

const RANDOM_ROWS = 64;
const RANDOM_SEED = 12;
const ROWS_AT_A_TIME = 256;
/** Answers that are timed, after a few that are not. */
const TIMED = 41;
const WARM = 5;

/** Held-out rows and what our engine says of them. */
export interface JudgedSet {
  readonly heldOutHash: HashHex;
  readonly rows: Dataset;
  readonly judged: JudgedRows;
}

/** @param beat  Called now and then. */
export async function portabilityOf(
  source: ModelSource,
  set: JudgedSet | null,
  beat: () => void,
): Promise<Portability> {
  const [onnx, int8] = [exportOnnx(source), exportOnnx(source, { precision: "int8" })];
  const random = randomRows(source.task.features, RANDOM_ROWS, RANDOM_SEED);
  const ours = await answers(source.task, source.weights, random.dataset, beat);
  const theirs = await withSession(onnx, (session) => answersOf(session, source, random, RANDOM_ROWS));
  const errorMax = largestError(ours, theirs);
  beat();
  return {
    parity: {
      random: { rows: RANDOM_ROWS, errorMax },
      heldOut: set === null ? null : await heldOutParity(source, set, beat),
    },
    byteCounts: { onnx: onnx.length, int8: int8.length },
    oneRowMs: { onnx: await oneRowMs(onnx, source), int8: await oneRowMs(int8, source) },
    int8: set === null ? null : await int8Comparison(source, set, beat),
  };
}

async function heldOutParity(source: ModelSource, set: JudgedSet, beat: () => void) {
  const theirs = await judgedBy(source, { part: "model" }, set.rows, beat);
  const errorMax = largestError(numbersOf(set.judged), numbersOf(theirs));
  return { rows: set.rows.count, errorMax };
}

async function int8Comparison(
  source: ModelSource,
  { heldOutHash, rows, judged }: JudgedSet,
  beat: () => void,
) {
  const theirs = await judgedBy(source, { part: "model", precision: "int8" }, rows, beat);
  const target = targetOf(source.task.features);
  const resampling = resamplingToCompare(heldOutHash, rows.count, groupCountOf(target));
  const { task } = source;
  const measures = compareJudged({ task, judged }, { task, judged: theirs }, resampling, beat);
  return { comparable: true, heldOutHash, rowCount: rows.count, resampling, measures } as const;
}

/** What is compared: probabilities, or numbers in the label's unit. */
function numbersOf(judged: JudgedRows): Float32Array {
  return judged.kind === "classes" ? judged.probabilities : Float32Array.from(judged.answers);
}

async function judgedBy(
  source: ModelSource,
  options: OnnxOptions,
  rows: Dataset,
  beat: () => void,
): Promise<JudgedRows> {
  const { inputShape } = source.task.model;
  const size = rows.inputs.length / rows.count;
  const outputs: number[] = [];
  await withSession(exportOnnx(source, options), async (session) => {
    for (let start = 0; start < rows.count; start += ROWS_AT_A_TIME) {
      const end = Math.min(rows.count, start + ROWS_AT_A_TIME);
      const part = Float32Array.from(rows.inputs.subarray(start * size, end * size));
      const encoded = new Tensor("float32", part, [end - start, ...inputShape]);
      const found = await session.run({ encoded });
      for (const value of floatsOf(found["outputs"])) outputs.push(value);
      beat();
    }
  });
  return judgeOutputs(source.task, Float32Array.from(outputs), rows.labels);
}

/** Probabilities or numbers of rows as people have them, row after row. */
async function answersOf(
  session: InferenceSession,
  { task }: ModelSource,
  rows: RandomRows,
  count: number,
): Promise<Float32Array> {
  const found = await session.run(feedsOf(task.features, rows, count));
  const outputs = onnxOutputs(task).filter(({ type }) => type === "float");
  const columns = outputs.map(({ name }) => floatsOf(found[name]));
  const [only] = columns;
  if (columns.length === 1 && only !== undefined) return only;
  return Float32Array.from({ length: count * columns.length }, (_, index) => {
    const column = columns[index % columns.length];
    return column?.[Math.floor(index / columns.length)] ?? Number.NaN;
  });
}

function feedsOf(features: ModelSource["task"]["features"], { feeds }: RandomRows, count: number) {
  const entries = onnxInputs(features).map(({ name, type, dims }) => {
    const shape = dims === null ? [count] : [count, ...dims.slice(1).map(Number)];
    const size = shape.reduce((product, length) => product * length, 1);
    const values = (feeds.get(name) ?? []).slice(0, size);
    const tensor =
      type === "string"
        ? new Tensor("string", values.map(String), shape)
        : new Tensor("float32", values.map(Number), shape);
    return [name, tensor] as const;
  });
  return Object.fromEntries(entries);
}

async function oneRowMs(bytes: Bytes, source: ModelSource): Promise<number> {
  const row = randomRows(source.task.features, 1, RANDOM_SEED);
  const feeds = feedsOf(source.task.features, row, 1);
  return withSession(bytes, async (session) => {
    const times: number[] = [];
    for (let time = 0; time < WARM + TIMED; time++) {
      const beganMs = performance.now();
      await session.run(feeds);
      if (time >= WARM) times.push(performance.now() - beganMs);
    }
    return lowerMedian(times) ?? 0;
  });
}

async function withSession<T>(bytes: Bytes, use: (session: InferenceSession) => Promise<T>): Promise<T> {
  const session = await InferenceSession.create(bytes, { executionProviders: ["wasm"] });
  try {
    return await use(session);
  } finally {
    await session.release();
  }
}

function floatsOf(tensor: { readonly data: unknown } | undefined): Float32Array {
  return tensor?.data instanceof Float32Array ? tensor.data : new Float32Array(0);
}
