import { startsWith, textAt } from "./magic.ts";

const SAVE_AS = "save it as PNG or JPEG";

/** Kinds by their first bytes. */
const KINDS: readonly { readonly name: string; readonly starts: readonly number[]; readonly at?: number }[] =
  [
    { name: "a GIF", starts: [0x47, 0x49, 0x46, 0x38] },
    { name: "a TIFF", starts: [0x49, 0x49, 0x2a, 0] },
    { name: "a TIFF", starts: [0x4d, 0x4d, 0, 0x2a] },
    { name: "a TIFF", starts: [0x49, 0x49, 0x2b, 0] },
    { name: "a TIFF", starts: [0x4d, 0x4d, 0, 0x2b] },
    { name: "a JPEG XL", starts: [0xff, 0x0a] },
    { name: "a JPEG XL", starts: [0, 0, 0, 0x0c, 0x4a, 0x58, 0x4c, 0x20] },
    { name: "a JPEG 2000", starts: [0, 0, 0, 0x0c, 0x6a, 0x50, 0x20, 0x20] },
    { name: "a JPEG 2000", starts: [0xff, 0x4f, 0xff, 0x51] },
    { name: "a Photoshop file", starts: [0x38, 0x42, 0x50, 0x53] },
    { name: "an icon file (ICO)", starts: [0, 0, 1, 0] },
    { name: "a DICOM file", starts: [0x44, 0x49, 0x43, 0x4d], at: 128 },
  ];
/** Brands of ISO media files. Source: ISO/IEC 23008-12 (HEIF), AV1 Image File Format. */
const BRANDS = new Map([
  ["avif", "an AVIF"],
  ["avis", "an AVIF"],
  ["heic", "a HEIC"],
  ["heix", "a HEIC"],
  ["heim", "a HEIC"],
  ["heis", "a HEIC"],
  ["hevc", "a HEIC"],
  ["mif1", "a HEIC"],
  ["msf1", "a HEIC"],
]);
/** The first kilobyte is enough for a comment before the root element. */
const TEXT_LENGTH = 1_024;

/**
 * Names what the file is, if it is no picture of a kind that is read, and says what to do.
 *
 * @returns the end of a sentence that starts with the file's name.
 */
export function otherKind(bytes: Uint8Array): string {
  const kind = KINDS.find(({ starts, at }) => startsWith(bytes, starts, at));
  if (kind !== undefined) return notRead(kind.name);
  if (textAt(bytes, 4, 4) === "ftyp") return notRead(BRANDS.get(textAt(bytes, 8, 4)) ?? "a film");
  if (/^BM$/.test(textAt(bytes, 0, 2)) && startsWith(bytes, [0, 0, 0, 0], 6)) return notRead("a BMP");
  if (/^P[1-7]\s/.test(textAt(bytes, 0, 3))) return notRead("a Netpbm picture");
  if (textAt(bytes, 0, 4) === "%PDF") return `is a PDF; ${SAVE_AS}`;
  if (startsWith(bytes, [0x50, 0x4b, 3, 4]) || startsWith(bytes, [0x50, 0x4b, 5, 6]))
    return "is a zip archive; give it by itself, or unpack it";
  if (startsWith(bytes, [0x1f, 0x8b])) return "is a gzip file; unpack it first";
  const text = textAt(bytes, 0, TEXT_LENGTH);
  if (/<svg[\s>]/i.test(text)) return notRead("an SVG");
  if (/^\s*<(?:!doctype html|html)/i.test(text))
    return "is a web page and no picture; download the picture itself";
  return "is no picture; PNG, JPEG and WebP are read";
}

function notRead(name: string): string {
  return `is ${name}, which is not read here; ${SAVE_AS}`;
}
