import type { CheckProgress } from "#coordinator/core/ports/held-out-files.ts";
import { type ByteSource, sliceOf } from "#shared/archive/byte-source.ts";
import { type IdxFile, type IdxLayout, idxFault, openIdx, scanIdx } from "#shared/data/idx.ts";
import { scanTable } from "#shared/data/read-csv.ts";
import { scanArchive } from "#shared/data/read-set.ts";
import {
  type Imported,
  type ImportRefusal,
  type ImportReport,
  refuseImport,
  rowsMaxOf,
} from "#shared/data/report.ts";
import { KeptRows, type OpenRowSink } from "#shared/data/row-sink.ts";
import type { OpenDecoder } from "#shared/data/table/encoding.ts";
import type { Result } from "#shared/kernel/result.ts";
import { openByteSource } from "#shared/node/folder-files.ts";
import { nodePictureCodecs } from "#shared/node/picture-wasm.ts";
import { type ImageFeatures, inputSize } from "#shared/task/features.ts";
import type { HeldOutReading } from "#shared/task/held-out.ts";
import type { Task } from "#shared/task/task.ts";
import { openGunzipSource } from "./gunzip-source.ts";

/** Longest header of an IDX file of pictures or labels. */
const IDX_HEADER_MAX = 20;

type OnProgress = (progress: CheckProgress) => void;
type Scanned = Result<ImportReport, ImportRefusal>;

/** Reads held-out rows into memory, as a device reads its own. Errors: those of the readers. */
export async function readHeldOutRows(
  path: string,
  reading: HeldOutReading,
  task: Task,
): Promise<Result<Imported, ImportRefusal>> {
  const kept = new KeptRows(task.features);
  return kept.imported(await scanHeldOutRows(path, reading, task, kept.openRows, () => {}));
}

/**
 * The same, piece by piece, with the rows in a sink: memory depends on the file's length only by its labels. A zip file is
 * read file by file, each of which is in memory as a whole.
 *
 * @param onProgress  Called now and then.
 * Errors: those of the readers. @throws if the file cannot be read.
 */
export async function scanHeldOutRows(
  path: string,
  { format, layout }: HeldOutReading,
  { features }: Task,
  openRows: OpenRowSink,
  onProgress: OnProgress,
): Promise<Scanned> {
  switch (format) {
    case "csv":
      return fromSource(path, async (source) => {
        const report = (byteCount: number, rowsChecked: number) =>
          onProgress({ rowsChecked, checkedShare: byteCount / source.byteCount });
        const { outcome } = await scanTable(
          source,
          openDecoder,
          features,
          { onProgress: report },
          { openRows },
        );
        return outcome;
      });
    case "idx":
      if (features.kind !== "image")
        return refuseImport(
          "bad-shape",
          "An IDX pair holds pictures, but this task takes numbers. Give a CSV file.",
        );
      return scanPair(
        path,
        (source) => scanUnpackedPair(source, features, layout, openRows, onProgress),
        features,
      );
    case "zip":
      return fromSource(path, (source) =>
        scanArchive(
          "The file",
          source,
          features,
          {
            codecs: nodePictureCodecs(),
            openDecoder,
            part: "test",
            onProgress: async ({ doneCount, totalCount, rowCount }) => {
              onProgress({ rowsChecked: rowCount, checkedShare: doneCount / Math.max(1, totalCount) });
              return true;
            },
          },
          openRows,
        ),
      );
  }
}

const openDecoder: OpenDecoder = (encoding) => new TextDecoder(encoding, { fatal: true });

async function fromSource<Value>(path: string, read: (source: ByteSource) => Promise<Value>): Promise<Value> {
  const source = await openByteSource(path);
  try {
    return await read(source);
  } finally {
    await source.close();
  }
}

/** Both files of a pair, one after the other, packed or not. */
async function scanPair(
  path: string,
  scan: (source: ByteSource) => Promise<Scanned>,
  features: ImageFeatures,
): Promise<Scanned> {
  const isPacked = await fromSource(path, async (source) => {
    const start = await source.read(0, Math.min(2, source.byteCount));
    // RFC 1952: a gzip file starts with these two bytes.
    return start[0] === 0x1f && start[1] === 0x8b;
  });
  if (!isPacked) return fromSource(path, scan);
  const byteCountMax = rowsMaxOf(features) * (1 + inputSize(features)) + 2 * IDX_HEADER_MAX;
  const unpacked = await openGunzipSource(path, byteCountMax);
  if (!unpacked.ok)
    return unpacked.error === "too-large"
      ? refuseImport(
          "too-many-rows",
          "Unpacked, this is larger than all rows that a task may have. Use a part of it.",
        )
      : refuseImport(
          "unreadable",
          "This gzip file is damaged or cut short. Pack it again, or send it unpacked.",
        );
  try {
    return await scan(unpacked.value);
  } finally {
    await unpacked.value.close();
  }
}

async function scanUnpackedPair(
  source: ByteSource,
  features: ImageFeatures,
  layout: IdxLayout | undefined,
  openRows: OpenRowSink,
  onProgress: OnProgress,
): Promise<Scanned> {
  const split = await idxByteCount(source);
  const rest = split === null ? null : await idxByteCount(sliceOf(source, split, source.byteCount));
  if (split === null || rest === null || split + rest !== source.byteCount)
    return refuseImport(
      "unreadable",
      "An IDX pair is the file of pictures and the file of labels, one after the other, both packed with gzip or neither. This is something else, or one of them is cut short.",
    );
  const arrays: IdxFile[] = [];
  for (const file of [sliceOf(source, 0, split), sliceOf(source, split, source.byteCount)]) {
    const array = await openIdx(file);
    if (!array.ok) return idxFault("The file", array.error);
    arrays.push(array.value);
  }
  const [one, other] = arrays as [IdxFile, IdxFile];
  const [pictures, labels] = one.axes.length === 1 ? [other, one] : [one, other];
  return scanIdx(pictures, labels, features, openRows, {
    ...(layout !== undefined && { layout }),
    onProgress: async (done, total) => {
      onProgress({ rowsChecked: done, checkedShare: done / total });
      return true;
    },
  });
}

/** Bytes of the IDX file at the beginning, by its header; null if there is none, or not all of it. */
async function idxByteCount(source: ByteSource): Promise<number | null> {
  const bytes = await source.read(0, Math.min(IDX_HEADER_MAX, source.byteCount));
  const axisCount = bytes[3] ?? 0;
  const header = 4 + 4 * axisCount;
  if (bytes[0] !== 0 || bytes[1] !== 0 || axisCount < 1 || header > IDX_HEADER_MAX) return null;
  if (bytes.length < header) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, header);
  let length = 1;
  for (let axis = 0; axis < axisCount; axis++) length *= view.getUint32(4 + 4 * axis);
  return header + length <= source.byteCount ? header + length : null;
}
