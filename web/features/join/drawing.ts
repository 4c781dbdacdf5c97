import type { PictureSize } from "#shared/pictures/fit.ts";

/*
 * Turns pen strokes into the small grey picture that an image task takes.
 *
 * The UCI digits were made from 32 x 32 bitmaps, normalised in size and cut into blocks of 4 x 4, whose ink pixels were
 * counted (0 to 16). Drawings are processed the same way, so that they resemble the data that the model is judged on.
 * Source: Alpaydin and Kaynak 1998, UCI Optical Recognition of Handwritten Digits.
 */

/** A position on the pad: x to the right, y down, both in [0, 1]. */
export interface PadPoint {
  readonly x: number;
  readonly y: number;
}
/** The pen's path from down to up; a single point is a dot. */
export type Stroke = readonly PadPoint[];

/** Ink pixels on each side of a block before averaging; 4 x 4 gives the 17 levels of the UCI digits. */
const BLOCK_SIDE = 4;
/**
 * Half the pen's width as a fraction of the picture's height: 2.3 of 32 rows, as wide as the strokes of the UCI digits.
 */
const PEN_RADIUS_SHARE = 0.072;
/** Limits the scaling, so that a dot or a short dash does not fill the picture. */
const MAGNIFICATION_MAX = 3;

/**
 * The picture of a drawing, scaled to fill the height (or the width, if it fills first) and centred.
 *
 * @returns height x width values in [0, 1], row by row, in steps of 1/16; all 0 for an empty drawing.
 */
export function strokesToPixels(strokes: readonly Stroke[], size: PictureSize): Float32Array {
  const rows = size.height * BLOCK_SIDE;
  const columns = size.width * BLOCK_SIDE;
  const radius = Math.max(1, rows * PEN_RADIUS_SHARE);
  const fine = new Uint8Array(rows * columns);
  const box = boundingBox(strokes);
  if (box !== null) {
    const scale = Math.min(
      (rows - 2 * radius) / Math.max(box.bottom - box.top, 1e-9),
      (columns - 2 * radius) / Math.max(box.right - box.left, 1e-9),
      MAGNIFICATION_MAX * rows,
    );
    const place = (point: PadPoint): PadPoint => ({
      x: columns / 2 + (point.x - (box.left + box.right) / 2) * scale,
      y: rows / 2 + (point.y - (box.top + box.bottom) / 2) * scale,
    });
    for (const stroke of strokes) inkStroke(fine, columns, rows, stroke.map(place), radius);
  }
  return averageBlocks(fine, size);
}

function boundingBox(strokes: readonly Stroke[]) {
  const points = strokes.flat();
  if (points.length === 0) return null;
  return {
    left: Math.min(...points.map((point) => point.x)),
    right: Math.max(...points.map((point) => point.x)),
    top: Math.min(...points.map((point) => point.y)),
    bottom: Math.max(...points.map((point) => point.y)),
  };
}

/** Sets the pixels whose centre lies within `radius` of the stroke. */
function inkStroke(
  fine: Uint8Array,
  columns: number,
  rows: number,
  points: readonly PadPoint[],
  radius: number,
): void {
  for (const [index, to] of points.entries()) {
    const from = points[Math.max(0, index - 1)] ?? to;
    const firstRow = Math.max(0, Math.floor(Math.min(from.y, to.y) - radius));
    const lastRow = Math.min(rows - 1, Math.ceil(Math.max(from.y, to.y) + radius));
    const firstColumn = Math.max(0, Math.floor(Math.min(from.x, to.x) - radius));
    const lastColumn = Math.min(columns - 1, Math.ceil(Math.max(from.x, to.x) + radius));
    for (let row = firstRow; row <= lastRow; row++) {
      for (let column = firstColumn; column <= lastColumn; column++) {
        if (squaredDistance(column + 0.5, row + 0.5, from, to) <= radius * radius)
          fine[row * columns + column] = 1;
      }
    }
  }
}

function squaredDistance(x: number, y: number, from: PadPoint, to: PadPoint): number {
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  const squaredLength = dx * dx + dy * dy;
  const along =
    squaredLength === 0
      ? 0
      : Math.min(1, Math.max(0, ((x - from.x) * dx + (y - from.y) * dy) / squaredLength));
  const offX = x - from.x - along * dx;
  const offY = y - from.y - along * dy;
  return offX * offX + offY * offY;
}

function averageBlocks(fine: Uint8Array, size: PictureSize): Float32Array {
  const columns = size.width * BLOCK_SIDE;
  const pixels = new Float32Array(size.height * size.width);
  for (let row = 0; row < size.height; row++) {
    for (let column = 0; column < size.width; column++) {
      let ink = 0;
      for (let offset = 0; offset < BLOCK_SIDE * BLOCK_SIDE; offset++) {
        const fineRow = row * BLOCK_SIDE + Math.floor(offset / BLOCK_SIDE);
        ink += fine[fineRow * columns + column * BLOCK_SIDE + (offset % BLOCK_SIDE)] ?? 0;
      }
      pixels[row * size.width + column] = ink / (BLOCK_SIDE * BLOCK_SIDE);
    }
  }
  return pixels;
}
