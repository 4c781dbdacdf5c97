import type { Migration } from "kysely/migration";
import { spine } from "./0001-spine.ts";
import { transcripts } from "./0002-transcripts.ts";

/** In the order of their names; only ever added to. */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  "0001-spine": spine,
  "0002-transcripts": transcripts,
};
