import { modelTensors } from "#shared/task/model.ts";
import type { Task } from "#shared/task/task.ts";
import { formatCount } from "../../words/format.ts";

/** As many numbers as one can still see apart: 32 hidden units of the digits task with 64 weights each. */
const CELLS_MAX = 2_048;
const COLUMNS = 64;

/** Which number of the vector each small square shows; -1 leaves a square empty. */
export interface TilePlan {
  readonly columns: number;
  readonly rows: number;
  /** Numbers shown. */
  readonly cellCount: number;
  /** Tiles of `height` x `width`, one a hidden unit; null if the numbers simply follow one another. */
  readonly tile: { readonly count: number; readonly height: number; readonly width: number } | null;
  readonly indexByCell: Int32Array;
}

/**
 * Lays the first numbers of an update out so that what they hold can be seen: where a dense layer reads small pictures,
 * the weights of one unit stand as a picture of their own, otherwise the numbers follow one another row by row.
 *
 * The update leads the vector in the order of `modelTensors`; a dense kernel [in, units] lies input-major.
 *
 * @param sampleLength  Numbers at hand, from the first on.
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

/**
 * Under the heading of the section: how many numbers one sees three times.
 *
 * @param same  False if the changes are mixed with one another before they are masked.
 */
export function tileSentence(plan: TilePlan, same = true): string {
  const tiles =
    plan.tile === null ? "" : `; ${plan.tile.count} tiles of ${plan.tile.height} by ${plan.tile.width}`;
  const which = same ? "The same " : "";
  return `${which}${formatCount(plan.cellCount)} numbers three times, one small square each${tiles}.`;
}

/** The magnitude shown at full strength: the 99.5th percentile, so that an outlier does not pale the rest. */
export function fullStrength(values: Int32Array, plan: TilePlan): number {
  const magnitudes = [...plan.indexByCell].flatMap((index) =>
    index < 0 ? [] : [Math.abs(values[index] ?? 0)],
  );
  magnitudes.sort((a, b) => a - b);
  return Math.max(1, magnitudes[Math.floor((magnitudes.length - 1) * 0.995)] ?? 1);
}

/** 0 to 1; weak changes stay visible because the exponent is under 1. */
export function strengthOf(value: number, full: number): number {
  return Math.min(1, Math.abs(value) / full) ** 0.8;
}
