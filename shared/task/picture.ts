import { err, ok, type Result } from "../kernel/result.ts";

/** Of an image task's features. */
export interface PictureSize {
  readonly height: number;
  readonly width: number;
}

/** A decoded picture: `luminance` row by row, 0 black to 1 white. */
export interface GreyPicture {
  readonly luminance: Float32Array;
  readonly height: number;
  readonly width: number;
}

/**
 * A picture file as the task takes it. One of exactly the task's size is taken as it is, white being 1;
 * any other is read as ink on a ground (told by the border), cropped to the ink, centred and averaged down.
 *
 * @returns height x width values in [0, 1], row by row.
 * Errors: `blank` where nothing stands out from the ground.
 */
export function pictureToPixels(picture: GreyPicture, size: PictureSize): Result<Float32Array, PictureError> {
  if (picture.height === size.height && picture.width === size.width) {
    return ok(picture.luminance);
  }
  const ink = inkOf(picture);
  const crop = inkBox(ink, picture);
  if (crop === null) return err({ type: "blank" });
  const cell = Math.max((crop.bottom - crop.top) / size.height, (crop.right - crop.left) / size.width);
  const left = (crop.left + crop.right) / 2 - (cell * size.width) / 2;
  const top = (crop.top + crop.bottom) / 2 - (cell * size.height) / 2;
  const pixels = new Float32Array(size.height * size.width);
  for (let row = 0; row < size.height; row++) {
    for (let column = 0; column < size.width; column++) {
      pixels[row * size.width + column] = meanOver(
        ink,
        picture,
        left + column * cell,
        top + row * cell,
        cell,
      );
    }
  }
  return ok(pixels);
}
export type PictureError = { readonly type: "blank" };

/** How far each pixel stands out from the ground, 0 to 1; the ground is the mean of the border. */
function inkOf(picture: GreyPicture): Float32Array {
  const { luminance, height, width } = picture;
  let sum = 0;
  let count = 0;
  for (let index = 0; index < luminance.length; index++) {
    const row = Math.floor(index / width);
    const column = index % width;
    if (row === 0 || column === 0 || row === height - 1 || column === width - 1) {
      sum += luminance[index] ?? 0;
      count++;
    }
  }
  const ground = sum / Math.max(1, count);
  const farthest = luminance.reduce((most, value) => Math.max(most, Math.abs(value - ground)), 0);
  // Under a tenth of the full range is paper and compression noise, not ink.
  if (farthest < 0.1) return new Float32Array(luminance.length);
  return luminance.map((value) => Math.abs(value - ground) / farthest);
}

function inkBox(ink: Float32Array, picture: GreyPicture) {
  let [left, top, right, bottom] = [picture.width, picture.height, 0, 0];
  for (let index = 0; index < ink.length; index++) {
    if ((ink[index] ?? 0) < 0.35) continue;
    const row = Math.floor(index / picture.width);
    const column = index % picture.width;
    left = Math.min(left, column);
    right = Math.max(right, column + 1);
    top = Math.min(top, row);
    bottom = Math.max(bottom, row + 1);
  }
  return right > left && bottom > top ? { left, top, right, bottom } : null;
}

/** Mean ink over a square; what lies outside the picture is ground. */
function meanOver(ink: Float32Array, picture: GreyPicture, left: number, top: number, side: number): number {
  let sum = 0;
  for (let row = Math.floor(top); row < top + side; row++) {
    const overlapRows = Math.min(row + 1, top + side) - Math.max(row, top);
    if (row < 0 || row >= picture.height || overlapRows <= 0) continue;
    for (let column = Math.floor(left); column < left + side; column++) {
      const overlapColumns = Math.min(column + 1, left + side) - Math.max(column, left);
      if (column < 0 || column >= picture.width || overlapColumns <= 0) continue;
      sum += overlapRows * overlapColumns * (ink[row * picture.width + column] ?? 0);
    }
  }
  return sum / (side * side);
}
