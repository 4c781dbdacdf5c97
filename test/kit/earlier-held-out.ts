import { join } from "node:path";

/** Where rows lay before sets had names, without the ending ".csv". A coordinator makes them its task's set. */
export function heldOutPath(dataDir: string, slug: string, version: number): string {
  return join(dataDir, "heldout", `${slug}-v${version}`);
}
