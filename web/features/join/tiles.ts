import { modelTensors } from "#shared/task/model.ts";
import type { Task } from "#shared/task/task.ts";

/** As many numbers as one can still tell apart: 32 hidden units of the digits task with 64 weights each. */
const CELLS_MAX = 2_048;
const COLUMNS = 64;

/** The number of the vector that each small square shows; -1 leaves a square empty. */
export interface TilePlan {
  readonly columns: number;
  readonly rows: number;
  /** Numbers shown. */
  readonly cellCount: number;
  /** Tiles of `height` x `width`, one for each hidden unit; null if the numbers are laid out in a row. */
  readonly tile: { readonly count: number; readonly height: number; readonly width: number } | null;
  readonly indexByCell: Int32Array;
}

/**
 * Lays out the first numbers of an update so that their structure is visible. If a dense layer reads small pictures,
 * the weights of each unit form a picture. Otherwise the numbers follow one another row by row.
 *
 * The update comes first in the vector, in the order of `modelTensors`; a dense kernel [in, units] is input-major.
 *
 * @param sampleLength  Numbers available, from the first one.
 */
export function tilePlan(task: Pick<Task, "model" | "features">, sampleLength: number): TilePlan {
  const kernel = modelTensors(task.model).tensors.find((tensor) => tensor.shape.length > 1);
  const { features } = task;
  if (features.kind === "image" && kernel?.shape.length === 2) {
    const [inputs = 0, units = 0] = kernel.shape;
    const { height, width } = features;
    if (
      inputs === height * width &&
      width <= COLUMNS / 2 &&
      inputs * units <= Math.min(sampleLength, CELLS_MAX)
    ) {
      return pictureTiles(height, width, units);
    }
  }
  return plainRows(Math.min(sampleLength, CELLS_MAX));
}

function pictureTiles(height: number, width: number, units: number): TilePlan {
  const perRow = Math.min(units, Math.floor(COLUMNS / width));
  const columns = perRow * width;
  const rows = Math.ceil(units / perRow) * height;
  const indexByCell = new Int32Array(columns * rows).fill(-1);
  for (let unit = 0; unit < units; unit++) {
    const top = Math.floor(unit / perRow) * height;
    const left = (unit % perRow) * width;
    for (let pixel = 0; pixel < height * width; pixel++) {
      const cell = (top + Math.floor(pixel / width)) * columns + left + (pixel % width);
      indexByCell[cell] = pixel * units + unit;
    }
  }
  return {
    columns,
    rows,
    cellCount: units * height * width,
    tile: { count: units, height, width },
    indexByCell,
  };
}

function plainRows(cellCount: number): TilePlan {
  const columns = Math.min(COLUMNS, Math.max(1, Math.ceil(Math.sqrt(cellCount * 2))));
  const rows = Math.max(1, Math.ceil(cellCount / columns));
  const indexByCell = new Int32Array(columns * rows).fill(-1);
  for (let cell = 0; cell < cellCount; cell++) indexByCell[cell] = cell;
  return { columns, rows, cellCount, tile: null, indexByCell };
}

/** The magnitude shown at full strength: the 99.5th percentile, so that an outlier does not make the others pale. */
export function fullStrength(values: Int32Array, plan: TilePlan): number {
  const magnitudes = [...plan.indexByCell].flatMap((index) =>
    index < 0 ? [] : [Math.abs(values[index] ?? 0)],
  );
  magnitudes.sort((a, b) => a - b);
  return Math.max(1, magnitudes[Math.floor((magnitudes.length - 1) * 0.995)] ?? 1);
}

/** 0 to 1. An exponent below 1 keeps weak changes visible. */
export function strengthOf(value: number, full: number): number {
  return Math.min(1, Math.abs(value) / full) ** 0.8;
}
