import { err, ok, type Result } from "../kernel/result.ts";
import type { Picture } from "./raster.ts";

/** The size that an image task asks for. */
export interface PictureSize {
  readonly height: number;
  readonly width: number;
}

/** Between the edge of a sheet and its middle, light falls off; a scene differs by more. */
const GROUND_TOLERANCE = 0.2;
/** A stroke may cross the edge. */
const GROUND_SHARE_MIN = 0.9;

/**
 * Brings a picture to the task's size.
 *
 * - One of exactly that size is not changed.
 * - A grey one with an even border is ink on a background: it is cropped to the ink, centred and averaged down; the
 *   background becomes 0 and the darkest or lightest ink 1. Dark ink on white and light ink on black read the same.
 * - Any other, and every one in colour, is a photo: the largest part of the task's proportions is cut from its middle and
 *   averaged down. Its values are kept.
 *
 * Error: `blank` if nothing stands out from an even background in grey.
 */
export function fitPicture(picture: Picture, size: PictureSize): Result<FittedPicture, FitError> {
  if (picture.height === size.height && picture.width === size.width)
    return ok({ pixels: picture.values, fit: "kept" });
  if (picture.channels === 3 || !hasEvenBorder(picture))
    return ok({ pixels: fitPhoto(picture, size), fit: "photo" });
  const ink = inkOf(picture);
  const crop = inkBox(ink);
  if (crop === null) return err({ type: "blank" });
  const cell = Math.max((crop.bottom - crop.top) / size.height, (crop.right - crop.left) / size.width);
  const pixels = averageDown(ink, size, {
    cell,
    left: (crop.left + crop.right) / 2 - (cell * size.width) / 2,
    top: (crop.top + crop.bottom) / 2 - (cell * size.height) / 2,
  });
  return ok({ pixels, fit: "ink" });
}

export interface FittedPicture {
  /** [height, width, channels] flat, in [0, 1]. */
  readonly pixels: Float32Array;
  /** kept: it had the task's size. ink: cropped to what stands out of an even background. photo: its middle. */
  readonly fit: "kept" | "ink" | "photo";
}
export type FitError = { readonly type: "blank" };

function fitPhoto(picture: Picture, size: PictureSize): Float32Array {
  const cell = Math.min(picture.height / size.height, picture.width / size.width);
  return averageDown(picture, size, {
    cell,
    left: (picture.width - cell * size.width) / 2,
    top: (picture.height - cell * size.height) / 2,
  });
}

function borderOf({ values, height, width }: Picture): Float32Array {
  const border: number[] = [];
  for (let column = 0; column < width; column++) {
    border.push(values[column] ?? 0, values[(height - 1) * width + column] ?? 0);
  }
  for (let row = 1; row < height - 1; row++) {
    border.push(values[row * width] ?? 0, values[row * width + width - 1] ?? 0);
  }
  return Float32Array.from(border).sort();
}

/** True if nearly all of the border is close to its median. */
function hasEvenBorder(picture: Picture): boolean {
  const border = borderOf(picture);
  const ground = border[border.length >> 1] ?? 0;
  let near = 0;
  for (const value of border) if (Math.abs(value - ground) <= GROUND_TOLERANCE) near++;
  return near >= GROUND_SHARE_MIN * border.length;
}

/** How far each pixel stands out from the background, 0 to 1. The background is the median of the border. */
function inkOf(picture: Picture): Picture {
  const border = borderOf(picture);
  const ground = border[border.length >> 1] ?? 0;
  const farthest = picture.values.reduce((most, value) => Math.max(most, Math.abs(value - ground)), 0);
  // Less than a tenth of the full range is paper and compression noise, not ink.
  const values =
    farthest < 0.1
      ? new Float32Array(picture.values.length)
      : picture.values.map((value) => Math.abs(value - ground) / farthest);
  return { ...picture, values };
}

function inkBox({ values, height, width }: Picture) {
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let index = 0; index < values.length; index++) {
    if ((values[index] ?? 0) < 0.35) continue;
    const row = Math.floor(index / width);
    const column = index % width;
    left = Math.min(left, column);
    right = Math.max(right, column + 1);
    top = Math.min(top, row);
    bottom = Math.max(bottom, row + 1);
  }
  return right > left && bottom > top ? { left, top, right, bottom } : null;
}

interface Grid {
  /** Side of a square of the result, in the picture's pixels. */
  readonly cell: number;
  readonly left: number;
  readonly top: number;
}

function averageDown(picture: Picture, size: PictureSize, grid: Grid): Float32Array {
  const { channels } = picture;
  const pixels = new Float32Array(size.height * size.width * channels);
  for (let row = 0; row < size.height; row++) {
    for (let column = 0; column < size.width; column++) {
      const left = grid.left + column * grid.cell;
      const top = grid.top + row * grid.cell;
      const at = (row * size.width + column) * channels;
      for (let channel = 0; channel < channels; channel++) {
        pixels[at + channel] = meanOver(picture, channel, left, top, grid.cell);
      }
    }
  }
  return pixels;
}

/** Mean over a square. Outside the picture all is 0: there is only background. */
function meanOver(picture: Picture, channel: number, left: number, top: number, side: number): number {
  const { values, height, width, channels } = picture;
  let sum = 0;
  for (let row = Math.max(0, Math.floor(top)); row < Math.min(height, top + side); row++) {
    const overlapRows = Math.min(row + 1, top + side) - Math.max(row, top);
    for (let column = Math.max(0, Math.floor(left)); column < Math.min(width, left + side); column++) {
      const overlapColumns = Math.min(column + 1, left + side) - Math.max(column, left);
      if (overlapRows <= 0 || overlapColumns <= 0) continue;
      sum += overlapRows * overlapColumns * (values[(row * width + column) * channels + channel] ?? 0);
    }
  }
  return Math.min(1, sum / (side * side));
}
