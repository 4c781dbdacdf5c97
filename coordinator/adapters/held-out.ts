import { existsSync } from "node:fs";
import { join } from "node:path";

/** Where the coordinator's own rows of a task version lie, by which every model of it is judged. */
export function heldOutFolder(dataDir: string): string {
  return join(dataDir, "heldout");
}

/**
 * A CSV file `<slug>-v<version>.csv`, or a folder `<slug>-v<version>` of IDX files; the folder's path where neither is
 * there yet.
 */
export function heldOutPath(dataDir: string, slug: string, version: number): string {
  const base = join(heldOutFolder(dataDir), `${slug}-v${version}`);
  const file = `${base}.csv`;
  return existsSync(file) ? file : base;
}
