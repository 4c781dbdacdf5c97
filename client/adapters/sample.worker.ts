import type { ByteSource, NamedFile } from "#shared/archive/byte-source.ts";
import { openZip } from "#shared/archive/zip.ts";
import { readTable } from "#shared/data/read-csv.ts";
import { readSet } from "#shared/data/read-set.ts";
import type { Imported } from "#shared/data/report.ts";
import { assert } from "#shared/kernel/assert.ts";
import { answerCall } from "#shared/kernel/calls.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { buffersOf, packTable } from "#shared/sample/packed-table.ts";
import { isPicturePath } from "#shared/sample/pictures-profile.ts";
import { proposeTable } from "#shared/sample/propose-table.ts";
import type { Features } from "#shared/task/features.ts";
import { profilePictures } from "../core/sample/profile-pictures.ts";
import { profileTable } from "../core/sample/profile-table.ts";
import type { SampleRows, SampleView } from "../core/sample/sample.ts";
import { blobSource, namedFile } from "./blob-files.ts";
import { pagePictureCodecs } from "./page-codecs.ts";
import { platformDecoder } from "./platform-ports.ts";
import type { FromSampleWorker, SampleFile, ToSampleWorker } from "./sample-messages.ts";

/* Reads a researcher's sample. Nothing that it reads leaves this page: it has neither socket nor request. */

const tell = (message: FromSampleWorker, handedOver: readonly ArrayBuffer[] = []) =>
  globalThis.postMessage(message, { transfer: [...handedOver] });
const startedAt = performance.now();
let files: readonly SampleFile[] = [];
let plainQuotes = false;
/** What was read as a table; null for pictures. */
let table: ByteSource | null = null;
let pictureFiles: Promise<Result<readonly NamedFile[], string>> | null = null;

globalThis.onmessage = ({ data }: MessageEvent<ToSampleWorker>) => {
  if (data.kind === "call") {
    void answerCall(data, ({ features }) => rowsOf(features), tell, buffersOfRows);
    return;
  }
  files = data.files;
  plainQuotes = data.plainQuotes;
  void read().catch((fault: unknown) => show({ state: "refused", refusal: unreadable(fault) }));
};

function unreadable(fault: unknown): string {
  const reason = fault instanceof Error ? fault.message : String(fault);
  return `The sample cannot be read any more (${reason}). If it was saved again, choose it again.`;
}

async function read(): Promise<void> {
  const [first] = files;
  assert(first !== undefined, "a sample has a file");
  if (files.length === 1 && !/\.zip$/i.test(first.path)) {
    await showTable(blobSource(first.file));
    return;
  }
  const named = await namedFiles();
  if (!named.ok) {
    show({ state: "refused", refusal: named.error });
    return;
  }
  const only = onlyTable(named.value);
  if (only !== null) {
    const bytes = await only.read(TABLE_BYTES_MAX);
    if (bytes.ok) await showTable(blobSource(new Blob([bytes.value as Uint8Array<ArrayBuffer>])));
    else show({ state: "refused", refusal: `“${only.path}” ${bytes.error}.` });
    return;
  }
  const pictures = await profilePictures(named.value, pagePictureCodecs(), (progress) =>
    show({ state: "reading", pictures: progress }),
  );
  if (pictures.ok) show({ state: "read", pictures: pictures.value, readByteCount: byteCount() });
  else show({ state: "refused", refusal: pictures.error });
}

/** A table in an archive or a folder is unpacked as a whole. */
const TABLE_BYTES_MAX = 500_000_000;

async function showTable(source: ByteSource): Promise<void> {
  table = source;
  const whole = await profileTable(
    source,
    platformDecoder,
    () => performance.now(),
    (progress) => show({ state: "reading", ...progress }),
    plainQuotes,
  );
  if (whole.ok) show({ state: "read", ...whole.value, readByteCount: byteCount() });
  else show({ state: "refused", refusal: whole.error });
}

/** Files of the archive, of the folder, or as they were chosen. */
function namedFiles(): Promise<Result<readonly NamedFile[], string>> {
  pictureFiles ??= openFiles();
  return pictureFiles;
}

async function openFiles(): Promise<Result<readonly NamedFile[], string>> {
  const [first] = files;
  if (files.length === 1 && first !== undefined) {
    const opened = await openZip(blobSource(first.file));
    return opened.ok ? ok(opened.value) : err(`“${first.path}” ${opened.error}.`);
  }
  return ok(files.map(({ path, file }) => ({ ...namedFile(file), path })));
}

function onlyTable(named: readonly NamedFile[]): NamedFile | null {
  const tables = named.filter(
    ({ path }) => /\.(?:csv|tsv)$/i.test(path) && !/(?:^|\/)(?:\.|__MACOSX\/)/.test(path),
  );
  return tables.length === 1 && !named.some(({ path }) => isPicturePath(path)) ? (tables[0] ?? null) : null;
}

async function rowsOf(features: Features): Promise<Result<SampleRows, string>> {
  const imported =
    table === null
      ? await setOf(features)
      : (await readTable(table, platformDecoder, features, { takesUnsure: true, plainQuotes })).outcome;
  return imported.ok ? ok(imported.value) : err(imported.error.sentence);
}

function buffersOfRows(read: Result<SampleRows, string>): ArrayBuffer[] {
  if (!read.ok) return [];
  const { inputs, labels } = read.value.dataset;
  return [...new Set([inputs.buffer, labels.buffer])] as ArrayBuffer[];
}

async function setOf(features: Features): Promise<Result<Imported, { readonly sentence: string }>> {
  const named = await namedFiles();
  if (!named.ok) return err({ sentence: named.error });
  return readSet("the sample", named.value, features, {
    codecs: pagePictureCodecs(),
    openDecoder: platformDecoder,
  });
}

function byteCount(): number {
  return files.reduce((sum, { file }) => sum + file.size, 0);
}

type Shown = Omit<SampleView, "proposal">;
let shown: Shown | null = null;

function show(change: Partial<Shown>): void {
  const [first] = files;
  const folder = first?.path.includes("/") ? first.path.split("/")[0] : undefined;
  shown ??= {
    name: folder ?? (files.length === 1 ? (first?.path ?? "") : `${files.length} files`),
    byteCount: byteCount(),
    readByteCount: 0,
    state: "reading",
    table: null,
    pictures: null,
    notes: [],
    problems: [],
    quoteFaultCount: 0,
    hasPlainQuotes: plainQuotes,
    refusal: null,
    elapsedMs: 0,
  };
  shown = { ...shown, ...change, elapsedMs: performance.now() - startedAt };
  const packed = shown.table === null ? null : packTable(shown.table, proposeTable(shown.table));
  tell({ kind: "view", view: { ...shown, table: packed } }, packed === null ? [] : buffersOf(packed));
}
