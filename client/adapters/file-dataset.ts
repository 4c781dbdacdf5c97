import { stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { NamedFile } from "#shared/archive/byte-source.ts";
import { isZip } from "#shared/archive/zip.ts";
import type { Mapping } from "#shared/data/match/mapping.ts";
import { openTable } from "#shared/data/open-table.ts";
import { readTable, type TableLook } from "#shared/data/read-csv.ts";
import { readArchive, readSet, type SetReading } from "#shared/data/read-set.ts";
import { type Imported, type ImportRefusal, refuseImport } from "#shared/data/report.ts";
import { isIdxName, withPartner } from "#shared/data/set-layout.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { listFolder, openByteSource } from "#shared/node/folder-files.ts";
import { nodePictureCodecs } from "#shared/node/picture-wasm.ts";
import type { Features } from "#shared/task/features.ts";
import { platformDecoder } from "./platform-ports.ts";

export interface WhatOwnerSaid {
  readonly mapping?: Mapping | null;
  /** Which of several sets, as the refusal `several-sets` names them. */
  readonly set?: string | undefined;
}

/**
 * Reads rows from a CSV file; from a folder or a zip archive with IDX files or with one folder of pictures for each class;
 * or from the IDX file with the pictures of a set, beside which that of its labels lies.
 *
 * Errors: those of ImportRefusal, as sentences for the person who started the edge.
 */
export async function readDataset(
  path: string,
  features: Features,
  said: WhatOwnerSaid = {},
): Promise<Result<Imported, ImportRefusal>> {
  try {
    return await readPath(path, features, said);
  } catch (fault) {
    // No permission, or a damaged disk: the system's own message says which.
    const reason = fault instanceof Error ? fault.message : String(fault);
    return refuseImport("unreadable", `${path} cannot be read: ${reason.slice(0, 200)}. Check the file.`);
  }
}

async function readPath(
  path: string,
  features: Features,
  { mapping = null, set }: WhatOwnerSaid,
): Promise<Result<Imported, ImportRefusal>> {
  const found = await stat(path).catch(() => null);
  if (found === null) return refuseImport("unreadable", `There is nothing at ${path}. Check the path.`);
  const reading: SetReading = { codecs: nodePictureCodecs(), openDecoder: platformDecoder, mapping, set };
  if (found.isDirectory()) return readSet(path, await listFolder(path), features, reading);
  if (features.kind === "image" && isIdxName(path)) {
    const beside: NamedFile[] = await listFolder(dirname(path));
    return readSet(path, withPartner(basename(path), beside), features, reading);
  }
  const source = await openByteSource(path);
  try {
    if (isZip(await source.read(0, Math.min(4, source.byteCount))))
      return await readArchive(path, source, features, reading);
    const table = await openTable(path, source, features);
    return table.ok ? (await readTable(table.value, platformDecoder, features, { mapping })).outcome : table;
  } finally {
    await source.close();
  }
}

/** How a CSV file is understood. Error: a sentence for the person who started the edge. */
export async function lookAtTable(
  path: string,
  features: Features,
  { mapping = null, set }: WhatOwnerSaid,
): Promise<Result<TableLook, string>> {
  try {
    const source = await openByteSource(path);
    try {
      const table = await openTable(path, source, features, set);
      if (!table.ok) return err(table.error.sentence);
      const { look, outcome } = await readTable(table.value, platformDecoder, features, {
        mapping,
        takesUnsure: true,
      });
      if (look !== null) return ok(look);
      return err(outcome.ok ? "" : outcome.error.sentence);
    } finally {
      await source.close();
    }
  } catch (fault) {
    const reason = fault instanceof Error ? fault.message : String(fault);
    return err(`${path} cannot be read: ${reason.slice(0, 200)}. Check the file.`);
  }
}
