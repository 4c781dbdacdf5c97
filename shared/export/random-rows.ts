import { encodeInputs } from "../data/encode-row.ts";
import { assert } from "../kernel/assert.ts";
import type { Dataset } from "../task/dataset.ts";
import { channelCount, type Features, inputSize, type TabularFeatures } from "../task/features.ts";
import { type Scaled, scale } from "../task/scaling.ts";
import { seededUniform } from "../task/shuffle.ts";
import { inputColumns } from "./example.ts";

/** Rows that nobody has, as people would have them and as the model takes them. */
export interface RandomRows {
  /** By the name of the graph's input, row after row. */
  readonly feeds: ReadonlyMap<string, readonly number[] | readonly string[]>;
  readonly dataset: Dataset;
}

/** Numbers are spread over their ranges, and categories are equally likely. @param seed  u32. */
export function randomRows(features: Features, count: number, seed: number): RandomRows {
  const uniform = seededUniform(seed);
  if (features.kind === "tabular") return randomTable(features, count, uniform);
  const places = placesOf(features);
  const values = Array.from({ length: count }, () =>
    places.map((place) => numberIn(place, uniform())),
  ).flat();
  const inputs = Float32Array.from(values, (value, index) =>
    scale(placeAt(places, index % places.length), value),
  );
  const name = features.kind === "image" ? "pixels" : "series";
  return { feeds: new Map([[name, values]]), dataset: datasetOf(inputs, count) };
}

function randomTable(features: TabularFeatures, count: number, uniform: () => number): RandomRows {
  const columns = inputColumns(features);
  const size = inputSize(features);
  const inputs = new Float32Array(count * size);
  const cells = Array.from({ length: count }, () =>
    columns.map((column) =>
      column.type === "numeric"
        ? numberIn(column, uniform())
        : (column.categories[Math.floor(uniform() * column.categories.length)] ?? ""),
    ),
  );
  for (const [row, own] of cells.entries()) {
    const target = inputs.subarray(row * size, (row + 1) * size);
    const encoded = encodeInputs(own.map(String), columns, target);
    assert(encoded.ok, "a row within all ranges is taken");
  }
  const feeds = columns.map(({ name, type }, index) => {
    const own = cells.map((row) => row[index] ?? "");
    return [name, type === "numeric" ? own.map(Number) : own.map(String)] as const;
  });
  return { feeds: new Map(feeds), dataset: datasetOf(inputs, count) };
}

/** Not at an end, where rounding could leave the range. A float32, because that is what graphs take. */
function numberIn({ range: [from, to] }: Scaled, share: number): number {
  return Math.fround(from + (0.01 + 0.98 * share) * (to - from));
}

/** What scales each number of a row. */
function placesOf(features: Exclude<Features, TabularFeatures>): readonly Scaled[] {
  if (features.kind === "image") {
    const length = features.height * features.width * channelCount(features);
    return Array.from({ length }, () => ({ range: features.range }));
  }
  return Array.from({ length: features.length }, () => features.channels).flat();
}

function placeAt(places: readonly Scaled[], index: number): Scaled {
  return places[index] ?? { range: [0, 1] };
}

function datasetOf(inputs: Float32Array<ArrayBuffer>, count: number): Dataset {
  return { inputs, labels: new Float32Array(count), count };
}
