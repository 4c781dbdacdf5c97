import { concatBytes } from "../kernel/bytes.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import { exifOrientation } from "./exif.ts";
import { startsWith, textAt } from "./magic.ts";
import type { PictureHeader } from "./picture-header.ts";

/*
 * A PNG file is its signature and chunks:
 *
 * | bytes | content                            |
 * | ----- | ---------------------------------- |
 * | 4     | length of the data, big-endian     |
 * | 4     | kind, e.g. IHDR                    |
 * | ...   | data                               |
 * | 4     | CRC, which the decoder checks      |
 *
 * Source: W3C, Portable Network Graphics (PNG) Specification, third edition.
 */

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** The chunks that pixels follow from. Gamma, profiles and text stay out: text and profiles may unpack to any size. */
const ESSENTIAL = new Set(["IHDR", "PLTE", "tRNS", "IDAT", "IEND"]);
/** Values of a pixel by colour type. */
const VALUES_PER_PIXEL = new Map([
  [0, 1],
  [2, 3],
  [3, 1],
  [4, 2],
  [6, 4],
]);
/** The most that a byte of deflate can unpack to. Source: zlib's technical details. */
const DEFLATE_RATIO_MAX = 1032;
/** What deflate adds to data that it cannot shrink is far below this. */
const SLACK_BYTES = 65_536;

/** Null if it is no PNG file. */
export function readPngHeader(bytes: Uint8Array): Result<PictureHeader, string> | null {
  if (!startsWith(bytes, SIGNATURE)) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: Uint8Array[] = [bytes.subarray(0, 8)];
  let orientation = 1;
  let packedBytes = 0;
  let at = 8;
  for (let kind = ""; kind !== "IEND"; ) {
    const end = at + 12 > bytes.length ? Number.POSITIVE_INFINITY : at + 12 + view.getUint32(at);
    if (end > bytes.length) return err("is a PNG file that is cut short; copy it again");
    kind = textAt(bytes, at + 4, 4);
    if (parts.length === 1 && (kind !== "IHDR" || end - at !== 25)) return err("is a damaged PNG file");
    if (ESSENTIAL.has(kind)) parts.push(bytes.subarray(at, end));
    if (kind === "IDAT") packedBytes += end - at - 12;
    if (kind === "eXIf") orientation = exifOrientation(bytes.subarray(at + 8, end - 4));
    at = end;
  }
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  const [depth = 0, colourType = 0] = bytes.subarray(24, 26);
  const valuesPerPixel = VALUES_PER_PIXEL.get(colourType);
  if (valuesPerPixel === undefined) return err("is a damaged PNG file");
  const size = { format: "png", width, height, orientation, isDeep: depth === 16 } as const;
  const pixelBytes = height * (1 + Math.ceil((width * valuesPerPixel * depth) / 8));
  if (pixelBytes > packedBytes * DEFLATE_RATIO_MAX + SLACK_BYTES)
    return err(`says that it is ${width} by ${height} pixels, but holds far fewer; save it again`);
  if (packedBytes > 2 * pixelBytes + SLACK_BYTES)
    return err(`says that it is ${width} by ${height} pixels, but holds far more; save it again`);
  return ok({ ...size, essence: concatBytes(parts) });
}
