import { err, type Result } from "#shared/kernel/result.ts";
import type { ImageFeatures } from "#shared/task/features.ts";
import { pictureToPixels } from "#shared/task/picture.ts";
import { toGrey } from "../core/grey.ts";

const FILE_BYTES_MAX = 50_000_000;
/** Larger ones are scaled down before they are read; what is left is far finer than any task's picture. */
const SIDE_MAX = 1_024;

/**
 * A picture file of any kind that the browser can show, as the task takes it. Runs in a worker.
 *
 * Errors: the end of a sentence that starts with the file's name.
 */
export async function readPictureFile(
  file: Blob,
  features: ImageFeatures,
): Promise<Result<Float32Array, string>> {
  if (file.size > FILE_BYTES_MAX) return err("is larger than 50 MB");
  try {
    const bitmap = await createImageBitmap(file);
    const scale = Math.min(1, SIDE_MAX / Math.max(bitmap.width, bitmap.height));
    const [width, height] = [bitmap.width, bitmap.height].map((side) =>
      Math.max(1, Math.round(side * scale)),
    ) as [number, number];
    const canvas = new OffscreenCanvas(width, height).getContext("2d");
    if (canvas === null) return err("cannot be drawn in this browser");
    canvas.drawImage(bitmap, 0, 0, width, height);
    bitmap.close();
    const { data } = canvas.getImageData(0, 0, width, height);
    const pixels = pictureToPixels(toGrey(data, { height, width }, 4, 255), features);
    return pixels.ok ? pixels : err("is blank");
  } catch {
    return err("is no picture that this browser can read");
  }
}
