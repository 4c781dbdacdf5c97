import { z } from "zod";
import { LIMITS } from "../../protocol/limits.ts";
import { ENCODINGS } from "../table/encoding.ts";

/* What a person, or the owner of an edge, said about a file: which of its columns and words are the task's. */

const text = z.string().max(1_000);

const columnMappingSchema = z.strictObject({
  /** The task's name of the column. */
  column: text,
  /** The file's name of it; null if the file does not have it. */
  from: text.nullable(),
  /** The place of the column in the file, from 1; needed only if several columns are called `from`. */
  place: z.int().min(1).exactOptional(),
  /** How decimals are marked. */
  decimal: z.enum(["point", "comma"]).exactOptional(),
  /** Words in the column and the category that each means; null if it means that there is no value. */
  words: z
    .array(z.strictObject({ word: text, means: text.nullable() }))
    .max(10_000)
    .exactOptional(),
});
export type ColumnMapping = z.output<typeof columnMappingSchema>;

/** Columns that are not listed are found by their names. */
export const mappingSchema = z.strictObject({
  /** The task's slug. */
  task: text.exactOptional(),
  encoding: z.enum(ENCODINGS).exactOptional(),
  delimiter: z.string().length(1).exactOptional(),
  columns: z.array(columnMappingSchema).max(LIMITS.columnsMax + 1),
});
export type Mapping = z.output<typeof mappingSchema>;
