import { err, ok, type Result } from "../kernel/result.ts";
import { readJpegHeader } from "./jpeg.ts";
import { otherKind } from "./other-kinds.ts";
import type { PictureHeader } from "./picture-header.ts";
import { readPngHeader } from "./png.ts";
import { readWebpHeader } from "./webp.ts";

/** Pixels of one picture. A phone's camera has up to 50 million; decoded they take 200 MB. */
export const PIXELS_MAX = 50_000_000;

/**
 * Tells PNG, JPEG and WebP by their content, whatever the file's name is. Refuses what no decoder should see: other kinds,
 * files that are cut short, sizes above `PIXELS_MAX`, and sizes that the file cannot hold.
 *
 * Errors: the end of a sentence that starts with the file's name.
 */
export function readPictureHeader(bytes: Uint8Array): Result<PictureHeader, string> {
  if (bytes.length === 0) return err("is empty");
  const header = readPngHeader(bytes) ?? readJpegHeader(bytes) ?? readWebpHeader(bytes);
  if (header === null) return err(otherKind(bytes));
  if (!header.ok) return header;
  const { width, height } = header.value;
  if (width === 0 || height === 0) return err("has no width or no height");
  if (width * height > PIXELS_MAX) {
    return err(
      `is ${width} by ${height} pixels, more than ${PIXELS_MAX / 1e6} million in all; scale it down first`,
    );
  }
  return ok(header.value);
}
