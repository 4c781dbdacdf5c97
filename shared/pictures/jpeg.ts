import { err, ok, type Result } from "../kernel/result.ts";
import { exifOrientation } from "./exif.ts";
import { textAt } from "./magic.ts";
import type { PictureHeader } from "./picture-header.ts";

/*
 * A JPEG file is a list of markers, 0xff and a code, most with a segment whose length is in two bytes. Coded pixels follow
 * the segment of "start of scan"; a 0xff among them is followed by 0 or by a restart marker.
 *
 * Source: ITU-T T.81, annex B. Exif 3.0, 4.7.2 (APP1).
 */

const START_OF_IMAGE = 0xd8;
const END_OF_IMAGE = 0xd9;
const START_OF_SCAN = 0xda;
const APP1 = 0xe1;
const RESTARTS = [0xd0, 0xd7] as const;
/** Frames that follow from a cosine transform and Huffman codes: baseline, extended, progressive. */
const READ_FRAMES = new Set([0xc0, 0xc1, 0xc2]);
const OTHER_FRAMES = new Set([0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf]);
const CUT_SHORT = "is a JPEG file that is cut short; copy it again";

interface Frame {
  readonly width: number;
  readonly height: number;
}

/** Null if it is no JPEG file. */
export function readJpegHeader(bytes: Uint8Array): Result<PictureHeader, string> | null {
  if (bytes[0] !== 0xff || bytes[1] !== START_OF_IMAGE || bytes[2] !== 0xff) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let frame: Frame | null = null;
  let orientation = 1;
  let scanCount = 0;
  let at = 2;
  for (;;) {
    // Before a marker there may be any number of fill bytes.
    while (bytes[at] === 0xff && bytes[at + 1] === 0xff) at++;
    if (at + 2 > bytes.length) return err(CUT_SHORT);
    const code = bytes[at + 1] as number;
    if (bytes[at] !== 0xff) return err("is a damaged JPEG file");
    if (code === END_OF_IMAGE) break;
    if (code >= RESTARTS[0] && code <= RESTARTS[1]) {
      at += 2;
      continue;
    }
    if (at + 4 > bytes.length) return err(CUT_SHORT);
    const end = at + 2 + view.getUint16(at + 2);
    if (end > bytes.length) return err(CUT_SHORT);
    const segment = bytes.subarray(at + 4, end);
    if (READ_FRAMES.has(code)) {
      const read = readFrame(segment);
      if (!read.ok) return read;
      frame = read.value;
    } else if (OTHER_FRAMES.has(code)) {
      return err("is a rare kind of JPEG (lossless or arithmetic); save it as an ordinary JPEG or PNG");
    } else if (code === APP1 && textAt(segment, 0, 6) === "Exif\0\0") {
      orientation = exifOrientation(segment.subarray(6));
    }
    at = end;
    if (code === START_OF_SCAN) {
      scanCount++;
      at = endOfScan(bytes, end);
    }
  }
  if (frame === null || scanCount === 0) return err("is a JPEG file without a picture in it");
  return ok({ format: "jpeg", ...frame, orientation, isDeep: false, essence: bytes });
}

function readFrame(segment: Uint8Array): Result<Frame, string> {
  if (segment.length < 6) return err("is a damaged JPEG file");
  const [bits, heightHigh = 0, heightLow = 0, widthHigh = 0, widthLow = 0, componentCount] = segment;
  if (bits !== 8) return err("is a JPEG with 12 bits a value; save it with 8 bits, or as PNG");
  if (componentCount === 4) return err("is a JPEG in printing colours (CMYK); save it in RGB, or as PNG");
  return ok({ height: heightHigh * 256 + heightLow, width: widthHigh * 256 + widthLow });
}

/** Where the next marker after the coded pixels is; the end of the file if there is none. */
function endOfScan(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(0xff, from); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    const code = bytes[at + 1];
    if (code === undefined) break;
    const isCoded = code === 0 || code === 0xff || (code >= RESTARTS[0] && code <= RESTARTS[1]);
    if (!isCoded) return at;
  }
  return bytes.length;
}
