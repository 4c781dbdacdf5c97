import { z } from "zod";
import { hashHexSchema, taskVersionSchema } from "../protocol/ids.ts";
import { LIMITS } from "../protocol/limits.ts";
import { sentenceSchema } from "./sentence.ts";

/*
 * Held-out rows: data that judge a task's models and never train them. They are a setting of the slug, named by the SHA-256
 * of their bytes once every row has been checked. No device sees them or is asked again when they change.
 */

/**
 * How the bytes of a set are read.
 *
 * | format   | bytes                                                                                        |
 * | -------- | -------------------------------------------------------------------------------------------- |
 * | csv      | one CSV file, as a device reads it                                                           |
 * | idx      | both files of an IDX pair, one after the other in any order, each packed with gzip or not    |
 * | zip      | one zip file with a folder of pictures for each class, an IDX pair or a CSV file               |
 */
export const heldOutFormatSchema = z.enum(["csv", "idx", "zip"]);
export type HeldOutFormat = z.infer<typeof heldOutFormatSchema>;

/** How the pictures and labels of an IDX pair are stored. Only the names of its files tell, so that whoever sends them says so. */
export const heldOutLayoutSchema = z.strictObject({
  /** Pictures are stored column by column. */
  isTransposed: z.boolean(),
  /** Number of the first class. */
  firstLabel: z.literal([0, 1]),
});

/** What people say about a set. */
export const heldOutCardSchema = z.strictObject({
  /** Where the rows come from. */
  source: sentenceSchema,
  licence: sentenceSchema,
  /** On what ground they may be used, e.g. a consent or the decision of an ethics board. */
  ground: sentenceSchema,
  /** When they were collected, e.g. "January to December 2025". */
  collected: z.string().min(1).max(LIMITS.heldOutDateLengthMax),
});
export type HeldOutCard = z.infer<typeof heldOutCardSchema>;

const count = z.int().min(0);

/** What a set holds, by its labels: rows of each class, in the order of the task, or the spread of a number. */
export const heldOutBalanceSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("classes"),
    counts: z.array(z.strictObject({ name: z.string(), rows: count })),
  }),
  /** In the label's unit. */
  z.strictObject({ kind: z.literal("number"), least: z.number(), mean: z.number(), greatest: z.number() }),
]);
export type HeldOutBalance = z.infer<typeof heldOutBalanceSchema>;

/** A set that was checked and is in use. */
export const heldOutSetSchema = z.strictObject({
  /** SHA-256 of its bytes. */
  hash: hashHexSchema,
  format: heldOutFormatSchema,
  /** Of an IDX pair. Default: row by row, counted from 0. */
  layout: heldOutLayoutSchema.exactOptional(),
  byteCount: count,
  rowCount: z.int().min(1),
  balance: heldOutBalanceSchema,
  card: heldOutCardSchema,
  /** Versions of the task whose columns and labels every row fits. For others the set is not used. */
  versions: z.array(taskVersionSchema).min(1),
  setAt: z.iso.datetime(),
  setBy: z.string().max(80),
});
export type HeldOutSet = z.infer<typeof heldOutSetSchema>;

/** As the task's settings keep it. */
export const storedHeldOutSchema = heldOutSetSchema.extend({
  /**
   * 32 random bytes, hex: the salt of the set's mark in the public log. It goes with the set, and no one is shown it. Absent
   * from sets of earlier versions.
   */
  salt: hashHexSchema.exactOptional(),
});
export type StoredHeldOut = z.infer<typeof storedHeldOutSchema>;

/** What readers of the task are shown of a set. */
export function shownHeldOut({ salt: _salt, ...set }: StoredHeldOut): HeldOutSet {
  return set;
}

/** All that is needed to read a set's bytes. */
export type HeldOutReading = Pick<HeldOutSet, "format" | "layout">;

/** True if models of this version are judged on the set. */
export function judges(set: Pick<HeldOutSet, "versions">, version: number): boolean {
  return set.versions.includes(version);
}
