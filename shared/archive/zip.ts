import { utf8ToText } from "../kernel/bytes.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import { type ByteSource, type NamedFile, readAhead, tooLarge } from "./byte-source.ts";
import { crc32 } from "./crc32.ts";
import { inflate, RATIO_MAX } from "./inflate.ts";

/*
 * Reads a zip archive by its directory, which stands at the end and names each file's place and size before anything is
 * unpacked. Nothing is written to a disk, so a name can do no harm there.
 *
 * | at the end | signature  | says                                                             |
 * | ---------- | ---------- | ---------------------------------------------------------------- |
 * | end        | 0x06054b50 | number of entries, size and place of the directory; a comment     |
 * | zip64 end  | 0x06064b50 | the same with eight bytes each; a locator (0x07064b50) points to it |
 * | entry      | 0x02014b50 | method, CRC, sizes, name, place of the file's own header            |
 * | file       | 0x04034b50 | a header whose name and extra field may have other lengths; then data |
 *
 * By hand, because fflate unpacks either a whole archive in memory or goes by the files' own headers instead of the directory,
 * and checks no CRC (D43). It still inflates.
 *
 * Source: PKWARE APPNOTE 6.3.10, 4.3.
 */

/** Entries of one archive; a device takes no more than 200,000 rows. */
const ENTRIES_MAX = 250_000;
const DIRECTORY_BYTES_MAX = 64_000_000;
/** All files of one archive, unpacked. */
const TOTAL_BYTES_MAX = 20_000_000_000;
const END_BYTES = 22;
const COMMENT_BYTES_MAX = 65_535;
const SIGNATURES = {
  end: 0x06054b50,
  end64: 0x06064b50,
  locator: 0x07064b50,
  entry: 0x02014b50,
  file: 0x04034b50,
};
const U16_FULL = 0xffff;
const U32_FULL = 0xffff_ffff;
const ENCRYPTED = 1;
const METHODS = new Map([
  [1, "shrink"],
  [6, "implode"],
  [9, "Deflate64"],
  [12, "bzip2"],
  [14, "LZMA"],
  [93, "Zstandard"],
  [94, "MP3"],
  [95, "XZ"],
  [97, "WavPack"],
  [98, "PPMd"],
  [99, "AES"],
]);

/** True if `bytes`, the start of a file, are those of a zip archive. */
export function isZip(bytes: Uint8Array): boolean {
  return (
    bytes[0] === 0x50 &&
    bytes[1] === 0x4b &&
    ((bytes[2] === 3 && bytes[3] === 4) || (bytes[2] === 5 && bytes[3] === 6))
  );
}

/**
 * Lists the files of an archive in the order of their places in it, without its folders.
 *
 * Errors: the end of a sentence that starts with the archive's name.
 */
export async function openZip(source: ByteSource): Promise<Result<readonly NamedFile[], string>> {
  const end = await readEnd(source);
  if (!end.ok) return end;
  const { entryCount, directoryStart, directoryBytes } = end.value;
  if (entryCount > ENTRIES_MAX) {
    return err(`holds ${entryCount} files, more than ${ENTRIES_MAX}; split it`);
  }
  if (directoryStart + directoryBytes > source.byteCount) return err(CUT_SHORT);
  if (directoryBytes > DIRECTORY_BYTES_MAX) return err(DAMAGED);
  const directory = await source.read(directoryStart, directoryStart + directoryBytes);
  const entries: Entry[] = [];
  let at = 0;
  for (let index = 0; index < entryCount; index++) {
    const entry = readEntry(directory, at);
    if (entry === null) return err(DAMAGED);
    at = entry.next;
    if (!entry.path.endsWith("/")) entries.push(entry);
  }
  const fault = faultOf(entries, source);
  if (fault !== null) return err(fault);
  const ahead = readAhead(source);
  entries.sort((left, right) => left.start - right.start);
  return ok(
    entries.map((entry) => ({
      path: entry.path,
      read: (byteCountMax: number) =>
        entry.byteCount > byteCountMax
          ? Promise.resolve(err(tooLarge(byteCountMax)))
          : readFileOf(ahead, entry),
    })),
  );
}

const CUT_SHORT = "is a zip archive that is cut short; copy it again";
const DAMAGED = "is a damaged zip archive; copy it again";
const SPLIT = "is one part of a zip archive in several; join them, or unpack them and give the folder";

interface End {
  readonly entryCount: number;
  readonly directoryStart: number;
  readonly directoryBytes: number;
}

async function readEnd(source: ByteSource): Promise<Result<End, string>> {
  const tailStart = Math.max(0, source.byteCount - END_BYTES - COMMENT_BYTES_MAX);
  const tail = await source.read(tailStart, source.byteCount);
  const view = viewOf(tail);
  let at = tail.length - END_BYTES;
  while (at >= 0 && view.getUint32(at, true) !== SIGNATURES.end) at--;
  if (at < 0) return err(CUT_SHORT);
  const end = {
    entryCount: view.getUint16(at + 10, true),
    directoryBytes: view.getUint32(at + 12, true),
    directoryStart: view.getUint32(at + 16, true),
  };
  const isLong =
    end.entryCount === U16_FULL || end.directoryBytes === U32_FULL || end.directoryStart === U32_FULL;
  if (!isLong) return view.getUint16(at + 4, true) === 0 ? ok(end) : err(SPLIT);
  if (at < 20 || view.getUint32(at - 20, true) !== SIGNATURES.locator) return ok(end);
  const place = u64(view, at - 12);
  if (place + 56 > source.byteCount) return err(CUT_SHORT);
  const long = viewOf(await source.read(place, place + 56));
  if (long.getUint32(0, true) !== SIGNATURES.end64) return err(DAMAGED);
  if (long.getUint32(16, true) !== 0) return err(SPLIT);
  return ok({ entryCount: u64(long, 32), directoryBytes: u64(long, 40), directoryStart: u64(long, 48) });
}

interface Entry {
  readonly path: string;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packedBytes: number;
  readonly byteCount: number;
  /** Where the file's own header starts. */
  readonly start: number;
  /** Where the next entry starts in the directory. */
  readonly next: number;
}

/** Null if there is no whole entry at `at`. */
function readEntry(directory: Uint8Array, at: number): Entry | null {
  if (at + 46 > directory.length) return null;
  const view = viewOf(directory);
  if (view.getUint32(at, true) !== SIGNATURES.entry) return null;
  const nameEnd = at + 46 + view.getUint16(at + 28, true);
  const extraEnd = nameEnd + view.getUint16(at + 30, true);
  const next = extraEnd + view.getUint16(at + 32, true);
  if (next > directory.length) return null;
  let byteCount = view.getUint32(at + 24, true);
  let packedBytes = view.getUint32(at + 20, true);
  let start = view.getUint32(at + 42, true);
  const long = longFields(directory.subarray(nameEnd, extraEnd));
  // The long field has only those values that the short ones leave open, in this order.
  if (byteCount === U32_FULL) byteCount = long.shift() ?? byteCount;
  if (packedBytes === U32_FULL) packedBytes = long.shift() ?? packedBytes;
  if (start === U32_FULL) start = long.shift() ?? start;
  return {
    path: nameOf(directory.subarray(at + 46, nameEnd)),
    flags: view.getUint16(at + 8, true),
    method: view.getUint16(at + 10, true),
    crc: view.getUint32(at + 16, true),
    packedBytes,
    byteCount,
    start,
    next,
  };
}

/** The numbers of the zip64 extra field. */
function longFields(extra: Uint8Array): number[] {
  const view = viewOf(extra);
  for (let at = 0; at + 4 <= extra.length; at += 4 + view.getUint16(at + 2, true)) {
    const length = Math.min(view.getUint16(at + 2, true), extra.length - at - 4);
    if (view.getUint16(at, true) !== 1) continue;
    return Array.from({ length: Math.min(3, Math.floor(length / 8)) }, (_, index) =>
      u64(view, at + 4 + 8 * index),
    );
  }
  return [];
}

/** UTF-8, as most programs write it whatever they say; else one letter a byte. Windows' separator is taken as "/". */
function nameOf(bytes: Uint8Array): string {
  const text = utf8ToText(bytes) ?? Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return text.replaceAll("\\", "/").replace(/^(?:\.?\/)+/, "");
}

/** What is wrong with the archive as a whole. */
function faultOf(entries: readonly Entry[], source: ByteSource): string | null {
  if (entries.some(({ flags, method }) => (flags & ENCRYPTED) !== 0 || method === 99))
    return "is encrypted; unpack it with its password and give the folder";
  if (entries.some(({ path }) => path.split("/").includes("..")))
    return "has files whose paths lead out of it, so it is not unpacked; pack it again";
  let total = 0;
  let packed = 0;
  for (const { byteCount, packedBytes } of entries) {
    total += byteCount;
    packed += packedBytes;
  }
  if (packed > source.byteCount || total > packed * RATIO_MAX + entries.length * 1_024)
    return "says that it holds more than it can; it was made to fill memory, so it is not unpacked";
  if (total > TOTAL_BYTES_MAX)
    return `unpacks to ${(total / 1e9).toFixed(0)} GB, more than ${TOTAL_BYTES_MAX / 1e9} GB; split it`;
  return null;
}

/** Errors: the end of a sentence that starts with the file's name. */
async function readFileOf(source: ByteSource, entry: Entry): Promise<Result<Uint8Array, string>> {
  const { start, method, packedBytes, byteCount } = entry;
  if (method !== 0 && method !== 8) {
    const name = METHODS.get(method) ?? `method ${method}`;
    return err(`is packed with ${name}, which is not read here; unpack the archive and give the folder`);
  }
  if (start + 30 > source.byteCount) return err(DAMAGED_FILE);
  const header = viewOf(await source.read(start, start + 30));
  if (header.getUint32(0, true) !== SIGNATURES.file) return err(DAMAGED_FILE);
  const from = start + 30 + header.getUint16(26, true) + header.getUint16(28, true);
  if (from + packedBytes > source.byteCount) return err(DAMAGED_FILE);
  const packed = await source.read(from, from + packedBytes);
  if (method === 0 && packedBytes !== byteCount) return err(DAMAGED_FILE);
  const bytes = method === 0 ? ok(packed) : inflate(packed, byteCount);
  if (!bytes.ok) return err(bytes.error === "too-large" ? LIED : DAMAGED_FILE);
  return crc32(bytes.value) === entry.crc ? ok(bytes.value) : err(DAMAGED_FILE);
}

const DAMAGED_FILE = "is damaged in the archive; pack it again";
const LIED = "unpacks to more than the archive says, so it is not unpacked";

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A number of eight bytes; beyond 2^53 it is not exact, and far above every limit here. */
function u64(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
}
