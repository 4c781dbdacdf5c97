import type { Mapping } from "#shared/data/match/mapping.ts";

/** The file that an edge takes with `--mapping`. */
export function mappingBlob(mapping: Mapping): Blob {
  return new Blob([`${JSON.stringify(mapping, null, 2)}\n`], { type: "application/json" });
}
