import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import type { ByteSource } from "#shared/archive/byte-source.ts";
import { type IdxArray, idxFault, parseIdx, readIdx } from "#shared/data/idx.ts";
import { readTable } from "#shared/data/read-csv.ts";
import { readArchive } from "#shared/data/read-set.ts";
import { type Imported, type ImportRefusal, refuseImport, rowsMaxOf } from "#shared/data/report.ts";
import type { OpenDecoder } from "#shared/data/table/encoding.ts";
import { ok, type Result } from "#shared/kernel/result.ts";
import { openByteSource } from "#shared/node/folder-files.ts";
import { nodePictureCodecs } from "#shared/node/picture-wasm.ts";
import { type ImageFeatures, inputSize } from "#shared/task/features.ts";
import type { HeldOutFormat } from "#shared/task/held-out.ts";
import type { Task } from "#shared/task/task.ts";
import { isErrorCode } from "../system-errors.ts";

/** Longest header of an IDX file of pictures or labels. */
const IDX_HEADER_MAX = 20;

/**
 * Reads held-out rows as a device reads its own.
 *
 * @param onProgress  Called now and then with the share of the file that was read.
 * Errors: those of the readers. @throws if the file cannot be read.
 */
export async function readHeldOutRows(
  path: string,
  format: HeldOutFormat,
  { features }: Task,
  onProgress: (share: number) => void = () => {},
): Promise<Result<Imported, ImportRefusal>> {
  switch (format) {
    case "csv":
      return fromSource(path, async (source) => {
        const report = (byteCount: number) => onProgress(byteCount / source.byteCount);
        const { outcome } = await readTable(source, openDecoder, features, { onProgress: report });
        return outcome;
      });
    case "idx":
      if (features.kind !== "image")
        return refuseImport(
          "bad-shape",
          "An IDX pair holds pictures, but this task takes numbers. Give a CSV file.",
        );
      return readPair(path, features);
    case "zip":
      return fromSource(path, (source) =>
        readArchive("The file", source, features, {
          codecs: nodePictureCodecs(),
          part: "test",
          onProgress: async (done, total) => {
            onProgress(total === 0 ? 1 : done / total);
            return true;
          },
        }),
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

/** Both files of a pair, one after the other. */
async function readPair(path: string, features: ImageFeatures): Promise<Result<Imported, ImportRefusal>> {
  const bytes = await unpacked(path, rowsMaxOf(features) * (1 + inputSize(features)) + 2 * IDX_HEADER_MAX);
  if (!bytes.ok) return bytes;
  const first = idxLength(bytes.value);
  const second = first === null ? null : idxLength(bytes.value.subarray(first));
  if (first === null || second === null || first + second !== bytes.value.length)
    return refuseImport(
      "unreadable",
      "An IDX pair is the file of pictures and the file of labels, one after the other, both packed with gzip or neither. This is something else, or one of them is cut short.",
    );
  const arrays: IdxArray[] = [];
  for (const file of [bytes.value.subarray(0, first), bytes.value.subarray(first)]) {
    const array = parseIdx(file);
    if (!array.ok) return idxFault("The file", array.error);
    arrays.push(array.value);
  }
  const [one, other] = arrays as [IdxArray, IdxArray];
  return one.axes.length === 1 ? readIdx(other, one, features) : readIdx(one, other, features);
}

/** @param byteCountMax  Nothing larger is unpacked. */
async function unpacked(path: string, byteCountMax: number): Promise<Result<Uint8Array, ImportRefusal>> {
  const packed = await readFile(path);
  // RFC 1952: a gzip file starts with these two bytes.
  if (packed[0] !== 0x1f || packed[1] !== 0x8b) return ok(packed);
  try {
    // One after the other, two gzip files are one gzip file of both contents (RFC 1952, section 2.2).
    return ok(await promisify(gunzip)(packed, { maxOutputLength: byteCountMax }));
  } catch (error) {
    return isErrorCode(error, "ERR_BUFFER_TOO_LARGE")
      ? refuseImport(
          "too-many-rows",
          "Unpacked, this is larger than all rows that a task may have. Use a part of it.",
        )
      : refuseImport(
          "unreadable",
          "This gzip file is damaged or cut short. Pack it again, or send it unpacked.",
        );
  }
}

/** Bytes of the IDX file at the beginning, by its header; null if there is none, or not all of it. */
function idxLength(bytes: Uint8Array): number | null {
  const axisCount = bytes[3] ?? 0;
  const header = 4 + 4 * axisCount;
  if (bytes[0] !== 0 || bytes[1] !== 0 || axisCount < 1 || header > IDX_HEADER_MAX) return null;
  if (bytes.length < header) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, header);
  let length = 1;
  for (let axis = 0; axis < axisCount; axis++) length *= view.getUint32(4 + 4 * axis);
  return header + length <= bytes.length ? header + length : null;
}
