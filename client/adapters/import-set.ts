import { isZip } from "#shared/archive/zip.ts";
import { readArchive, readSet, type SetReading } from "#shared/data/read-set.ts";
import { type Imported, type ImportRefusal, refuseImport } from "#shared/data/report.ts";
import { quoted } from "#shared/data/words.ts";
import type { Result } from "#shared/kernel/result.ts";
import type { Features } from "#shared/task/features.ts";
import { blobSource, namedFile } from "./blob-files.ts";

/** Reads a folder, a zip archive, or the files of a set that a person chose; stores nothing. */
export async function importSet(
  files: readonly File[],
  features: Features,
  reading: SetReading,
): Promise<Result<Imported, ImportRefusal>> {
  const [file] = files;
  if (file === undefined) return refuseImport("no-rows", "No file was chosen.");
  if (files.length > 1 || file.webkitRelativePath !== "")
    return readSet(nameOfSet(files), files.map(namedFile), features, reading);
  try {
    const start = new Uint8Array(await file.slice(0, 4).arrayBuffer());
    if (isZip(start)) return await readArchive(file.name, blobSource(file), features, reading);
  } catch {
    return refuseImport(
      "unreadable",
      `${quoted(file.name)} cannot be read. It was changed or moved after it was chosen, so choose it again.`,
    );
  }
  return readSet(file.name, [namedFile(file)], features, reading);
}

/** For people: the folder's name, the file's, or how many files there are. */
export function nameOfSet(files: readonly File[]): string {
  const [file] = files;
  const folder = file?.webkitRelativePath.split("/")[0];
  if (folder !== undefined && folder !== "") return folder;
  return files.length === 1 ? (file?.name ?? "") : `${files.length} files`;
}
