import { z } from "zod";
import { hashHexSchema, roundIdSchema, runIdSchema, taskSlugSchema } from "./ids.ts";

/* What the public API says of the transparency log, beside its tiles and checkpoint under /log. */

const index = z.int().min(0);

/** Where a look at the log begins. Nothing of it is proved. */
export const logViewSchema = z.object({
  origin: z.string().max(200),
  /** Ed25519 key that signs now. */
  key: hashHexSchema,
  /** The same with its name, as `npm run log` takes it: NAME+KEYID+KEY. */
  verifierKey: z.string().max(400),
  /** Entries under the newest checkpoint. */
  size: index,
  /** Keys of its witnesses, each as NAME+KEYID+KEY. */
  witnesses: z.array(z.string().max(400)),
  /** How each of them stands, in the same order. The coordinator's word. */
  witnessStates: z
    .array(
      z.object({
        name: z.string().max(200),
        /** The newest checkpoint that it signed, and when by its own clock; null if none. */
        signed: z.object({ size: index, timeS: index }).nullable(),
        /** Null while it answers. */
        trouble: z.enum(["no-answer", "unknown-log", "other-history"]).nullable(),
      }),
    )
    .default([]),
  /** Indexes of all entries that hand over to another key, ascending. */
  rotations: z.array(index).max(1_000),
});
export type LogView = z.infer<typeof logViewSchema>;

/** How the log is doing, by the coordinator's word. */
export const logStateSchema = z.object({
  /** `none`: this coordinator keeps no log. `waiting` and `halted` come with a sentence. */
  state: z.enum(["none", "starting", "signing", "waiting", "halted"]),
  /** Entries under the newest signed checkpoint. */
  size: index,
  /** Milliseconds since it was published; null if that was before this start. It stays while there is nothing to sign. */
  checkpointAgeMs: z.number().min(0).nullable(),
  /** Why it does not sign and what to do. */
  sentence: z.string().max(400).nullable(),
});
export type LogStateView = z.infer<typeof logStateSchema>;

/** Where an entry stands, and what the coordinator adds to it that no entry holds. */
export const logEntrySchema = z.object({
  /** From 0. */
  index,
  kind: z.string().max(64),
  /** Unix milliseconds. */
  at: z.number().nullable(),
  /** Whose act it was, if this reader may know; no entry names anybody. */
  actor: z.string().max(80).nullable(),
  /** What it is about, if it is about a round or a run. */
  place: z
    .object({
      task: taskSlugSchema,
      runId: runIdSchema,
      runNumber: z.int().min(1),
      roundId: roundIdSchema.nullable(),
      round: z.int().min(0).nullable(),
    })
    .nullable(),
});
export type LogEntryView = z.infer<typeof logEntrySchema>;
