import { err, ok, type Result } from "../../kernel/result.ts";

/* How the bytes of a table become text, by the marks that programs leave and by the bytes themselves. */

/** Labels of the Encoding Standard. */
export const ENCODINGS = [
  "utf-8",
  "utf-16le",
  "utf-16be",
  "windows-1252",
  "windows-1250",
  "macintosh",
] as const;
export type Encoding = (typeof ENCODINGS)[number];

/** What people call them. */
export const ENCODING_NAMES: Readonly<Record<Encoding, string>> = {
  "utf-8": "UTF-8",
  "utf-16le": "UTF-16",
  "utf-16be": "UTF-16, big-endian",
  "windows-1252": "Windows-1252",
  "windows-1250": "Windows-1250",
  macintosh: "Mac OS Roman",
};

/** The part of TextDecoder that reading needs. It throws a TypeError at bytes that are not of its encoding. */
export interface Decoder {
  decode(bytes: Uint8Array, options: { readonly stream: boolean }): string;
}
/** The platform's decoder, fatal, so that a byte order mark is dropped and a wrong encoding is noticed. */
export type OpenDecoder = (encoding: Encoding) => Decoder;

/** Bytes from a file's start that `sniff` looks at. */
export const SNIFF_BYTE_COUNT = 4_096;

/**
 * The encoding of a file by its first bytes: a byte order mark, or the zeros of UTF-16 without one, else UTF-8. A file that is
 * not UTF-8 is noticed while it is decoded.
 *
 * @param start  The first SNIFF_BYTE_COUNT bytes, or the whole file.
 * Errors: a sentence that names the file's real format and says what to do.
 */
export function sniff(start: Uint8Array): Result<Encoding, string> {
  const format = FORMATS.find(({ magic }) => startsWith(start, magic));
  if (format !== undefined) return err(format.sentence(start));
  if (startsWith(start, [0xef, 0xbb, 0xbf])) return markupSentence(start.subarray(3)) ?? ok("utf-8");
  if (startsWith(start, [0xff, 0xfe, 0, 0]) || startsWith(start, [0, 0, 0xfe, 0xff]))
    return err("This text is UTF-32, which few programs write. Save it as UTF-8.");
  if (startsWith(start, [0xff, 0xfe])) return ok("utf-16le");
  if (startsWith(start, [0xfe, 0xff])) return ok("utf-16be");
  const zeros = [0, 0];
  let controls = 0;
  for (const [index, byte] of start.entries()) {
    if (byte === 0) zeros[index & 1] = (zeros[index & 1] as number) + 1;
    if (byte < 9 || (byte > 13 && byte < 32 && byte !== 27)) controls += 1;
  }
  const [even = 0, odd = 0] = zeros;
  // Western text in UTF-16 has a zero in every other byte.
  if (odd > start.length / 4 && even === 0) return ok("utf-16le");
  if (even > start.length / 4 && odd === 0) return ok("utf-16be");
  // A program that crashed may leave a few zeros in a table; then only their rows are left out.
  if (controls > start.length / 100) return err("This is not a text file. Give a CSV file.");
  return markupSentence(start) ?? ok("utf-8");
}

function startsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, index) => bytes[index] === byte);
}

function latin(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

interface Format {
  readonly magic: readonly number[];
  readonly sentence: (start: Uint8Array) => string;
}
const SAVE_AS = "Open it in your spreadsheet program and save it as CSV (UTF-8)";
const ascii = (text: string): number[] => Array.from(text, (character) => character.charCodeAt(0));
const named = (sentence: string) => (): string => sentence;

/** Formats that people give for a CSV file, often under the name .csv. */
const FORMATS: readonly Format[] = [
  { magic: ascii("PK\u0003\u0004"), sentence: zipSentence },
  { magic: ascii("PK\u0005\u0006"), sentence: named("This is an empty zip archive, not a CSV file.") },
  {
    magic: [0xd0, 0xcf, 0x11, 0xe0],
    sentence: named(`This is a workbook of an old Excel (.xls), not a CSV file. ${SAVE_AS}.`),
  },
  {
    magic: [0x1f, 0x8b],
    sentence: named("This file is compressed with gzip. Unpack it and give the file inside."),
  },
  {
    magic: ascii("7z\u00bc\u00af"),
    sentence: named("This is a 7z archive. Unpack it and give the CSV file inside."),
  },
  { magic: ascii("Rar!"), sentence: named("This is a RAR archive. Unpack it and give the CSV file inside.") },
  {
    magic: ascii("%PDF"),
    sentence: named("This is a PDF document. Give the table that it was made from, as CSV."),
  },
  { magic: ascii("{\\rtf"), sentence: named("This is a text document (RTF). Save the table in it as CSV.") },
  { magic: ascii("PAR1"), sentence: named("This is a Parquet file. Export it as CSV.") },
  { magic: ascii("ARROW1"), sentence: named("This is an Arrow file. Export it as CSV.") },
  {
    magic: ascii("SQLite format 3"),
    sentence: named("This is an SQLite database. Export the table as CSV."),
  },
  { magic: ascii("$FL2"), sentence: named("This is an SPSS file (.sav). Export it as CSV.") },
  { magic: ascii("<stata_dta>"), sentence: named("This is a Stata file (.dta). Export it as CSV.") },
  { magic: [0x89, 0x50, 0x4e, 0x47], sentence: named("This is a PNG picture, not a CSV file.") },
  { magic: [0xff, 0xd8, 0xff], sentence: named("This is a JPEG picture, not a CSV file.") },
];

/** The name of a zip's first entries tells workbooks from archives. */
function zipSentence(start: Uint8Array): string {
  const text = latin(start);
  if (text.includes("application/vnd.oasis.opendocument.spreadsheet"))
    return `This is an OpenDocument spreadsheet (.ods), not a CSV file. ${SAVE_AS}.`;
  if (text.includes("[Content_Types].xml") || text.includes("xl/") || text.includes("_rels/"))
    return `This is an Excel workbook (.xlsx), not a CSV file. ${SAVE_AS}.`;
  return "This is a zip archive. Unpack it and give the CSV file inside.";
}

/** Web pages, XML and JSON are text, but no table. */
function markupSentence(start: Uint8Array): Result<never, string> | null {
  const text = latin(start.subarray(0, 512)).trimStart().toLowerCase();
  if (/^(<!doctype html|<html|<head|<body|<table|<meta|<div|<style|<script)/.test(text))
    return err(
      `This is a web page (HTML), not a CSV file. If it holds the table, ${SAVE_AS.replace("Open", "open")}.`,
    );
  if (text.startsWith("<?xml") || text.startsWith("<workbook"))
    return err(`This is an XML file, not a CSV file. ${SAVE_AS}.`);
  if (/^(\{\s*"|\[\s*[[{])/.test(text))
    return err("This is a JSON file, not a CSV file. Export the table as CSV.");
  return null;
}
