const ORIENTATION_TAG = 0x0112;
const SHORT = 3;

/**
 * The orientation in a block of Exif data that starts with its TIFF header; 1 if there is none or it makes no sense.
 *
 * | bytes | content                                              |
 * | ----- | ---------------------------------------------------- |
 * | 2     | "II" little-endian, "MM" big-endian                  |
 * | 2     | 42                                                   |
 * | 4     | where the first directory starts                     |
 * | 2     | there: its number of entries                         |
 * | 12 each | tag, type, count, value                            |
 *
 * Source: Exif 3.0, 4.5 and 4.6.4; TIFF 6.0, section 2.
 */
export function exifOrientation(tiff: Uint8Array): number {
  if (tiff.length < 14) return 1;
  const isLittle = tiff[0] === 0x49 && tiff[1] === 0x49;
  if (!isLittle && !(tiff[0] === 0x4d && tiff[1] === 0x4d)) return 1;
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  if (view.getUint16(2, isLittle) !== 42) return 1;
  const start = view.getUint32(4, isLittle);
  if (start + 2 > tiff.length) return 1;
  const count = view.getUint16(start, isLittle);
  for (let entry = 0; entry < count; entry++) {
    const at = start + 2 + 12 * entry;
    if (at + 12 > tiff.length) return 1;
    if (view.getUint16(at, isLittle) !== ORIENTATION_TAG) continue;
    const value = view.getUint16(at + 8, isLittle);
    return view.getUint16(at + 2, isLittle) === SHORT && value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}
