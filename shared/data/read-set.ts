import { type ByteSource, type NamedFile, sourceOf } from "../archive/byte-source.ts";
import { gunzip } from "../archive/inflate.ts";
import { openZip } from "../archive/zip.ts";
import { assert } from "../kernel/assert.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import type { PictureCodecs } from "../pictures/codecs.ts";
import {
  PICTURE_BYTES_MAX,
  type PictureShape,
  type ReadPicture,
  readPicture,
} from "../pictures/read-picture.ts";
import { channelCount, type Features, type ImageFeatures } from "../task/features.ts";
import { folderOfClass } from "./class-folders.ts";
import { type IdxFile, idxFault, openIdx, scanIdx } from "./idx.ts";
import type { Mapping } from "./match/mapping.ts";
import { PictureNotes } from "./picture-notes.ts";
import { scanTable } from "./read-csv.ts";
import {
  type Imported,
  type ImportRefusal,
  type ImportReport,
  refuseImport,
  rowsMaxOf,
  STOPPED,
} from "./report.ts";
import { KeptRows, type OpenRowSink } from "./row-sink.ts";
import { createRowCollector, type RowCollector } from "./rows.ts";
import { type LeftOutFiles, layOut, type SetContent, type SetLayout, type SetPart } from "./set-layout.ts";
import type { OpenDecoder } from "./table/encoding.ts";
import { inWords, quoted, some } from "./words.ts";

/** Bytes of one IDX file or table, unpacked: 60,000 pictures of 28 x 28 are 47 MB. */
export const FILE_BYTES_MAX = 500_000_000;

export interface SetReading {
  readonly codecs: PictureCodecs;
  /** For a table. */
  readonly openDecoder: OpenDecoder;
  /** Of a table: what its owner said about it. */
  readonly mapping?: Mapping | null;
  /** Default: the training part, if the set comes in two. */
  readonly part?: SetPart;
  /** The name of the set to read, as the refusal `several-sets` listed it. */
  readonly set?: string | undefined;
  /** Called often; lets others work. Reading stops if it gives false. */
  readonly onProgress?: (progress: SetProgress) => Promise<boolean>;
}

export interface SetProgress {
  /** Of both counts; bytes are those of a table. */
  readonly unit: "pictures" | "bytes";
  readonly doneCount: number;
  readonly totalCount: number;
  readonly rowCount: number;
}

/**
 * Reads a set of pictures or a table from an archive. See `readSet`.
 *
 * @param name  The archive's, for sentences.
 */
export async function readArchive(
  name: string,
  source: ByteSource,
  features: Features,
  reading: SetReading,
): Promise<Result<Imported, ImportRefusal>> {
  const kept = new KeptRows(features);
  return kept.imported(await scanArchive(name, source, features, reading, kept.openRows));
}

/** Like `readArchive`, with the rows in a sink instead of in memory. */
export async function scanArchive(
  name: string,
  source: ByteSource,
  features: Features,
  reading: SetReading,
  openRows: OpenRowSink,
): Promise<Result<ImportReport, ImportRefusal>> {
  const files = await openArchive(name, source);
  return files.ok ? scanSet(name, files.value, features, reading, openRows) : files;
}

/** The files of a zip archive that is no document of a program. */
export async function openArchive(
  name: string,
  source: ByteSource,
): Promise<Result<readonly NamedFile[], ImportRefusal>> {
  const files = await openZip(source);
  if (!files.ok) return refuseImport("unreadable", `${quoted(name)} ${files.error}.`);
  const isDocument = files.value.some(({ path }) => path === "[Content_Types].xml" || path === "content.xml");
  return isDocument
    ? refuseImport(
        "not-text",
        `${quoted(name)} is a document of Excel, Word or the like. Save the sheet as CSV and give that.`,
      )
    : ok(files.value);
}

/**
 * Reads the files of a folder or an archive: a pair of IDX files, one folder of pictures for each class, or one table.
 * Folders around these do not matter.
 *
 * Files that are not used are counted: as left out if they could have been meant, as a note if systems or programs made them.
 */
export async function readSet(
  name: string,
  files: readonly NamedFile[],
  features: Features,
  reading: SetReading,
): Promise<Result<Imported, ImportRefusal>> {
  const kept = new KeptRows(features);
  return kept.imported(await scanSet(name, files, features, reading, kept.openRows));
}

async function scanSet(
  name: string,
  files: readonly NamedFile[],
  features: Features,
  reading: SetReading,
  openRows: OpenRowSink,
): Promise<Result<ImportReport, ImportRefusal>> {
  const layout = layOut(files, features, reading);
  const read = await scanContent(name, layout, features, reading, openRows);
  if (!read.ok || layout.ignoredCount === 0) return read;
  const count = layout.ignoredCount;
  const note = `${filesOf(count)} of the system (such as .DS_Store or Thumbs.db) ${count === 1 ? "was" : "were"} ignored.`;
  return ok(noted(read.value, note));
}

function noted(report: ImportReport, sentence: string): ImportReport {
  return { ...report, notes: [...report.notes, { kind: "pictures", sentence }] };
}

async function scanContent(
  name: string,
  { content }: SetLayout,
  features: Features,
  reading: SetReading,
  openRows: OpenRowSink,
): Promise<Result<ImportReport, ImportRefusal>> {
  switch (content.kind) {
    case "several":
    case "half":
    case "nothing":
      return refusedContent(name, content, features);
    case "table":
      return scanTableFile(content.file, features, reading, openRows);
    case "idx":
      assert(features.kind === "image", "only pictures are in IDX files");
      return scanIdxFiles(content, features, reading, openRows);
    case "classes":
      assert(features.kind === "image", "only pictures are in class folders");
      return scanClasses(name, content, features, reading, openRows);
  }
}

/** Why nothing of a folder or an archive can be read, or which of its sets someone must choose. */
export function refusedContent(
  name: string,
  content: Extract<SetContent, { kind: "several" | "half" | "nothing" }>,
  features: Features,
): Result<never, ImportRefusal> {
  switch (content.kind) {
    case "several": {
      const sentence = `${quoted(name)} holds several sets: ${some(content.names)}. Give one of them.`;
      return err({ type: "several-sets", sentence, problems: [], choices: content.names });
    }
    case "half":
      return refuseImport(
        "unreadable",
        `${quoted(content.name)} is one file of an IDX set, and the other is not beside it. Pictures and labels are called alike, as train-images-idx3-ubyte and train-labels-idx1-ubyte.`,
      );
    case "nothing":
      return refuseImport("unreadable", nothingSentence(name, content, features));
  }
}

async function scanTableFile(
  file: NamedFile,
  features: Features,
  { openDecoder, mapping, onProgress }: SetReading,
  openRows: OpenRowSink,
): Promise<Result<ImportReport, ImportRefusal>> {
  const bytes = await readUnpacked(file);
  if (!bytes.ok) return idxFault(file.path, bytes.error);
  const source = sourceOf(bytes.value);
  let isStopped = false;
  let rowCount = 0;
  const paced: ByteSource = {
    byteCount: source.byteCount,
    read: async (from, to) => {
      const counts = { doneCount: from, totalCount: source.byteCount, rowCount };
      isStopped = (await onProgress?.({ unit: "bytes", ...counts })) === false;
      return source.read(from, to);
    },
  };
  const options = {
    mapping,
    isStopped: () => isStopped,
    onProgress: (_bytes: number, rows: number) => {
      rowCount = rows;
    },
  };
  return (await scanTable(paced, openDecoder, features, options, { openRows })).outcome;
}

async function scanIdxFiles(
  content: Extract<SetContent, { kind: "idx" }>,
  features: ImageFeatures,
  reading: SetReading,
  openRows: OpenRowSink,
): Promise<Result<ImportReport, ImportRefusal>> {
  const arrays: IdxFile[] = [];
  for (const file of [content.pictures, content.labels]) {
    const bytes = await readUnpacked(file);
    if (!bytes.ok) return idxFault(file.path, bytes.error);
    const array = await openIdx(sourceOf(bytes.value));
    if (!array.ok) return idxFault(file.path, array.error);
    arrays.push(array.value);
  }
  const [pictures, labels] = arrays as [IdxFile, IdxFile];
  const read = await scanIdx(pictures, labels, features, openRows, {
    layout: content.layout,
    onProgress: (done, total) => onPictures(reading, done, total),
  });
  if (!read.ok || content.otherCount === 0) return read;
  const note = `${quoted(content.pictures.path)} and its labels were read; ${filesOf(content.otherCount)} beside them ${content.otherCount === 1 ? "was" : "were"} not used.`;
  return ok(noted(read.value, note));
}

/** Says how many pictures were read. False if reading should stop. */
export async function onPictures(
  { onProgress }: Pick<SetReading, "onProgress">,
  doneCount: number,
  totalCount: number,
): Promise<boolean> {
  return onProgress?.({ unit: "pictures", doneCount, totalCount, rowCount: doneCount }) ?? true;
}

/** Errors: the end of a sentence that starts with the file's name. */
async function readUnpacked(file: NamedFile): Promise<Result<Uint8Array, string>> {
  const bytes = await file.read(FILE_BYTES_MAX);
  return bytes.ok ? unpacked(bytes.value) : bytes;
}

/** RFC 1952: a gzip file starts with these two bytes. */
export function isGzip([first, second]: Uint8Array): boolean {
  return first === 0x1f && second === 0x8b;
}

/** What a gzip file holds; other bytes as they are. Errors: the end of a sentence that starts with the file's name. */
export function unpacked(bytes: Uint8Array): Result<Uint8Array, string> {
  if (!isGzip(bytes)) return ok(bytes);
  const content = gunzip(bytes, FILE_BYTES_MAX);
  if (content.ok) return content;
  return err(
    content.error === "damaged"
      ? "is a gzip file that is damaged or cut short; copy it again"
      : `unpacks to more than ${FILE_BYTES_MAX / 1e6} MB; use a part of it`,
  );
}

async function scanClasses(
  name: string,
  content: Extract<SetContent, { kind: "classes" }>,
  features: ImageFeatures,
  reading: SetReading,
  openRows: OpenRowSink,
): Promise<Result<ImportReport, ImportRefusal>> {
  const { pictures, leftOut } = content;
  const rowsMax = rowsMaxOf(features);
  if (pictures.length > rowsMax) {
    return refuseImport(
      "too-many-rows",
      `${quoted(name)} holds ${inWords(pictures.length)} pictures, more than ${inWords(rowsMax)}, the limit for one device. Use a part of them.`,
    );
  }
  const shape = pictureShapeOf(features);
  const rows = createRowCollector(openRows(pictures.length));
  const notes = new PictureNotes(shape);
  for (const [index, { file, label }] of pictures.entries()) {
    if (!(await onPictures(reading, index, pictures.length))) return STOPPED;
    const picture = await readPictureFile(file, shape, reading.codecs);
    if (!picture.ok) {
      rows.leaveOut(`${quoted(file.path)} ${picture.error}.`);
      continue;
    }
    rows.take(picture.value.pixels, label);
    notes.add(picture.value);
  }
  for (const sentence of notes.sentences()) rows.note(sentence);
  for (const group of leftOut) leaveGroupOut(rows, group, features);
  return rows.finish(`${quoted(name)} holds no picture that can be used.`);
}

/** What pictures of a task become. */
export function pictureShapeOf(features: ImageFeatures): PictureShape {
  return { height: features.height, width: features.width, channels: channelCount(features) };
}

/** Reads one picture. Errors: the end of a sentence that starts with the file's name. */
export async function readPictureFile(
  file: Pick<NamedFile, "read">,
  shape: PictureShape,
  codecs: PictureCodecs,
): Promise<Result<ReadPicture, string>> {
  const bytes = await file.read(PICTURE_BYTES_MAX);
  return bytes.ok ? readPicture(bytes.value, shape, codecs) : bytes;
}

function leaveGroupOut(rows: RowCollector, group: LeftOutFiles, features: ImageFeatures): void {
  const { reason, name, count } = group;
  const were = `${filesOf(count)} ${count === 1 ? "was" : "were"} left out`;
  switch (reason) {
    case "no-class":
      rows.leaveOut(
        `The folder ${quoted(name)} is named after no class, so its ${were}. The classes are ${classFolders(features)}.`,
        null,
        count,
      );
      return;
    case "no-folder":
      rows.leaveOut(
        count === 1
          ? `${quoted(name)} lies in no folder of a class and was left out.`
          : `${filesOf(count)} lie in no folder of a class and were left out, ${quoted(name)} first.`,
        null,
        count,
      );
      return;
    case "two-classes":
      rows.leaveOut(`${quoted(name)} is named after two classes, so its ${were}. Rename one.`, null, count);
      return;
    case "other-part":
      rows.leaveOut(`Of the part ${quoted(name)} of the set ${were}.`, null, count);
  }
}

function classFolders(features: ImageFeatures): string {
  return some(features.classes.map(folderOfClass));
}

function nothingSentence(
  name: string,
  { folders, fileCount }: Extract<SetContent, { kind: "nothing" }>,
  features: Features,
): string {
  if (fileCount === 0) return `${quoted(name)} holds no files. Choose the folder with your data.`;
  if (features.kind !== "image") return `${quoted(name)} holds no CSV file, which this task takes.`;
  const has = folders.length === 0 ? "It has no folders." : `It has ${some(folders)}.`;
  return `${quoted(name)} holds neither IDX files (train-images-idx3-ubyte, train-labels-idx1-ubyte) nor a folder named after a class (${classFolders(features)}). ${has}`;
}

function filesOf(count: number): string {
  return `${inWords(count)} ${count === 1 ? "file" : "files"}`;
}
