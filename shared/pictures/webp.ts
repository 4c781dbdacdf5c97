import { err, ok, type Result } from "../kernel/result.ts";
import { exifOrientation } from "./exif.ts";
import { startsWith, textAt } from "./magic.ts";
import type { PictureHeader } from "./picture-header.ts";

/*
 * A WebP file is a RIFF file: chunks of a kind in four letters, a length (little-endian) and data, padded to an even length.
 * VP8 is a lossy picture, VP8L a lossless one; VP8X stands before the chunks of what has alpha, Exif data or frames.
 *
 * Source: RFC 9649, WebP Image Format.
 */

const ANIMATED = 0x02;

/** Null if it is no WebP file. */
export function readWebpHeader(bytes: Uint8Array): Result<PictureHeader, string> | null {
  if (textAt(bytes, 0, 4) !== "RIFF" || textAt(bytes, 8, 4) !== "WEBP") return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(4, true) + 8 > bytes.length)
    return err("is a WebP file that is cut short; copy it again");
  let size: { readonly width: number; readonly height: number } | null = null;
  let orientation = 1;
  const fileEnd = view.getUint32(4, true) + 8;
  for (let at = 12; at + 8 <= fileEnd; ) {
    const kind = textAt(bytes, at, 4);
    const length = view.getUint32(at + 4, true);
    const data = bytes.subarray(at + 8, at + 8 + length);
    if (at + 8 + length > fileEnd) return err("is a damaged WebP file");
    if (kind === "VP8X" && ((data[0] ?? 0) & ANIMATED) !== 0)
      return err("is an animation; save one of its frames as PNG or JPEG");
    if (kind === "VP8X" && data.length >= 10) size = { width: 1 + u24(data, 4), height: 1 + u24(data, 7) };
    // A lossy or lossless picture says its size itself, and the decoder allocates by that.
    if (kind === "VP8 ") size = lossySize(data) ?? size;
    if (kind === "VP8L") size = losslessSize(data) ?? size;
    // Some writers keep the name of JPEG's segment before the data.
    if (kind === "EXIF")
      orientation = exifOrientation(textAt(data, 0, 6) === "Exif\0\0" ? data.subarray(6) : data);
    at += 8 + length + (length % 2);
  }
  if (size === null) return err("is a WebP file without a picture in it");
  return ok({ format: "webp", ...size, orientation, isDeep: false, essence: bytes });
}

/** The frame tag of three bytes, a start code, then 14 bits each of width and height. Source: RFC 6386, 9.1. */
function lossySize(data: Uint8Array): { readonly width: number; readonly height: number } | null {
  if (!startsWith(data, [0x9d, 0x01, 0x2a], 3) || data.length < 10) return null;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return { width: view.getUint16(6, true) & 0x3fff, height: view.getUint16(8, true) & 0x3fff };
}

/** A signature byte, then 14 bits each of width - 1 and height - 1. Source: RFC 9649, 3.4. */
function losslessSize(data: Uint8Array): { readonly width: number; readonly height: number } | null {
  if (data[0] !== 0x2f || data.length < 5) return null;
  const bits = new DataView(data.buffer, data.byteOffset, data.byteLength).getUint32(1, true);
  return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) };
}

function u24(data: Uint8Array, at: number): number {
  return (data[at] ?? 0) | ((data[at + 1] ?? 0) << 8) | ((data[at + 2] ?? 0) << 16);
}
