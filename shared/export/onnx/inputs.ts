import { missingWords } from "../../data/match/words-match.ts";
import { type Column, channelCount, columnWidth, type Features } from "../../task/features.ts";
import type { Scaled } from "../../task/scaling.ts";
import { inputColumns } from "../example.ts";
import type { Graph } from "./graph.ts";
import type { OnnxValueInfo } from "./message.ts";

/*
 * The inputs of a task as its owner has them, and the nodes that turn them into the numbers that the model takes. They follow
 * shared/data/encode-row.ts: what it refuses gives NaN here, because a graph cannot refuse.
 *
 * | task    | inputs                                                               |
 * | ------- | -------------------------------------------------------------------- |
 * | table   | one a column, [rows], float or string                                |
 * | picture | `pixels`, float [rows, height, width, channels], in the task's range |
 * | series  | `series`, float [rows, length, channels], each in its unit           |
 */

type Numeric = Extract<Column, { type: "numeric" }>;
type Categorical = Extract<Column, { type: "categorical" }>;

const ROWS_DIM = "rows";
/** Types in TensorProto.DataType, for Cast. */
const [FLOAT, BOOL, DOUBLE] = [1, 9, 11];

/** The inputs that a task's graph has. */
export function onnxInputs(features: Features): readonly OnnxValueInfo[] {
  if (features.kind === "image") {
    const [from, to] = features.range;
    const dims = [ROWS_DIM, features.height, features.width, channelCount(features)];
    return [{ name: "pixels", type: "float", dims, about: `Pixels from ${from} to ${to}` }];
  }
  if (features.kind === "series") {
    const dims = [ROWS_DIM, features.length, features.channels.length];
    return [{ name: "series", type: "float", dims, about: features.channels.map(aboutNumber).join("; ") }];
  }
  const columns = inputColumns(features);
  // Callers with a table of one column hand it over as [rows, 1], so the only input takes both.
  const dims = columns.length === 1 ? null : [ROWS_DIM];
  return columns.map((column) =>
    column.type === "numeric"
      ? { name: column.name, type: "float", dims, about: aboutNumber(column) }
      : { name: column.name, type: "string", dims, about: `One of ${column.categories.join(", ")}` },
  );
}

function aboutNumber({
  name,
  title = name,
  unit,
  range: [from, to],
}: Pick<Numeric, "name" | "title" | "unit" | "range">) {
  return `${title}${unit === undefined ? "" : ` in ${unit}`}, ${from} to ${to}`;
}

/** Adds the nodes. @returns The name of what the model takes, [rows, ...inputShape]. */
export function encodedInputs(graph: Graph, features: Features): string {
  if (features.kind === "image") return scaledNumbers(graph, "pixels", [{ range: features.range }]);
  if (features.kind === "series") return scaledNumbers(graph, "series", features.channels);
  const parts = inputColumns(features).map((column) =>
    column.type === "numeric" ? encodedNumber(graph, column) : encodedCategory(graph, column),
  );
  return graph.node("Concat", parts, { axis: { int: 1 } });
}

/** @returns [rows, 1]. */
function encodedNumber(graph: Graph, column: Numeric): string {
  const cells = graph.node("Reshape", [column.name, graph.integers([-1, 1])]);
  if (column.missing !== "middle") return scaledNumbers(graph, cells, [column]);
  const [from, to] = column.range;
  const middle = graph.scalar("float", (from + to) / 2);
  return scaledNumbers(graph, graph.node("Where", [graph.node("IsNaN", [cells]), middle, cells]), [column]);
}

/**
 * Scales the last axis of `input`, in double precision like the devices. A number outside its range becomes NaN.
 *
 * @param scalings  One for the whole axis, or one for each of its numbers.
 */
function scaledNumbers(graph: Graph, input: string, scalings: readonly Scaled[]): string {
  const wide = graph.node("Cast", [inRange(graph, input, scalings)], { to: { int: DOUBLE } });
  const vector = (name: string, of: (scaled: Scaled) => number) =>
    graph.constant({
      name: `${input}/${name}`,
      type: "double",
      dims: [scalings.length],
      data: Float64Array.from(scalings, of),
    });
  // Numbers with and without a logarithm go both ways, and each takes its own result.
  const isLog = scalings.map(({ scaling }) => scaling?.kind === "log1p");
  const logs = isLog.includes(true)
    ? graph.node("Log", [graph.node("Add", [wide, graph.scalar("double", 1)])])
    : wide;
  const chosen =
    isLog.includes(true) && isLog.includes(false)
      ? graph.node("Where", [
          graph.node("Cast", [vector("is log", ({ scaling }) => Number(scaling?.kind === "log1p"))], {
            to: { int: BOOL },
          }),
          logs,
          wide,
        ])
      : logs;
  const shifted = graph.node("Sub", [chosen, vector("offset", offsetOf)]);
  return graph.node("Cast", [graph.node("Div", [shifted, vector("span", spanOf)])], { to: { int: FLOAT } });
}

/** In single precision like the input: rounding keeps the order, so an end of the range stays inside. */
function inRange(graph: Graph, input: string, scalings: readonly Scaled[]): string {
  const bound = (name: string, of: (scaled: Scaled) => number) =>
    graph.constant({
      name: `${input}/${name}`,
      type: "float",
      dims: [scalings.length],
      data: Float32Array.from(scalings, of),
    });
  const isInside = graph.node("And", [
    graph.node("GreaterOrEqual", [input, bound("from", ({ range: [from] }) => from)]),
    graph.node("LessOrEqual", [input, bound("to", ({ range: [, to] }) => to)]),
  ]);
  return graph.node("Where", [isInside, input, graph.scalar("float", Number.NaN)]);
}

/** What is subtracted of a number, or of its logarithm. */
export function offsetOf({ range: [from], scaling }: Scaled): number {
  if (scaling?.kind === "standard") return scaling.mean;
  return scaling?.kind === "log1p" ? Math.log1p(from) : from;
}

/** What it is divided by then. */
export function spanOf({ range: [from, to], scaling }: Scaled): number {
  if (scaling?.kind === "standard") return scaling.deviation;
  return scaling?.kind === "log1p" ? Math.log1p(to) - Math.log1p(from) : to - from;
}

/** One-hot, [rows, columnWidth]. A word that the task refuses gives NaN. */
function encodedCategory(graph: Graph, column: Categorical): string {
  const { name, categories, missing, other } = column;
  const width = columnWidth(column);
  const refused = -1;
  const indexByWord = new Map<string, number>([["", refused]]);
  if (missing === "category") for (const word of missingWords()) indexByWord.set(word, categories.length);
  for (const [index, category] of categories.entries()) indexByWord.set(category, index);
  const indices = graph.node(
    "LabelEncoder",
    [graph.node("Reshape", [name, graph.integers([-1, 1])])],
    {
      keys_strings: { strings: [...indexByWord.keys()] },
      values_int64s: { ints: [...indexByWord.values()] },
      default_int64: { int: other === undefined ? refused : categories.indexOf(other) },
    },
    { domain: "ai.onnx.ml" },
  );
  const places = graph.integers(Array.from({ length: width }, (_, index) => index));
  const oneHot = graph.node("Cast", [graph.node("Equal", [indices, places])], { to: { int: FLOAT } });
  const isRefused = graph.node("Less", [indices, graph.integers([0])]);
  return graph.node("Where", [isRefused, graph.scalar("float", Number.NaN), oneHot]);
}
