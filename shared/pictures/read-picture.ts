import { err, ok, type Result } from "../kernel/result.ts";
import type { PictureCodecs } from "./codecs.ts";
import { type FittedPicture, fitPicture, type PictureSize } from "./fit.ts";
import { looksOf, rasterToPicture } from "./raster.ts";
import { readPictureHeader } from "./read-header.ts";

/** Bytes of one picture file. */
export const PICTURE_BYTES_MAX = 50_000_000;

/** What a task takes: height, width, and one channel (grey) or three (RGB). */
export interface PictureShape extends PictureSize {
  readonly channels: 1 | 3;
}

/**
 * Reads a PNG, JPEG or WebP file in the task's format: decoded, laid on white, turned as its Exif data say, in grey or in
 * colour, and brought to the task's size by `fitPicture`. Colour profiles are ignored.
 *
 * Errors: the end of a sentence that starts with the file's name.
 */
export async function readPicture(
  bytes: Uint8Array,
  shape: PictureShape,
  codecs: PictureCodecs,
): Promise<Result<ReadPicture, string>> {
  if (bytes.length > PICTURE_BYTES_MAX) return err(`is larger than ${PICTURE_BYTES_MAX / 1e6} MB`);
  const header = readPictureHeader(bytes);
  if (!header.ok) return header;
  const raster = await codecs.decode(header.value);
  if (raster === null) return err(DAMAGED[header.value.format]);
  const { orientation } = header.value;
  const fitted = fitPicture(rasterToPicture(raster, orientation, shape.channels), shape);
  if (!fitted.ok) return err("is blank: nothing stands out from its background");
  const { isOpaque, isGrey } = looksOf(raster);
  return ok({
    ...fitted.value,
    isTurned: orientation > 1,
    isLaidOnWhite: !isOpaque,
    isMadeGrey: shape.channels === 1 && !isGrey,
  });
}

/** A picture in the task's format, and what was done to it. */
export interface ReadPicture extends FittedPicture {
  readonly isTurned: boolean;
  readonly isLaidOnWhite: boolean;
  readonly isMadeGrey: boolean;
}

const DAMAGED = {
  png: "is a damaged PNG file; copy it again",
  jpeg: "is a damaged JPEG file; copy it again",
  webp: "is a damaged WebP file; copy it again",
} as const;
