import { z } from "zod";
import type { Result } from "../kernel/result.ts";
import { type FactError, factOf, type LogRow, type Upcaster } from "../log/row.ts";
import { hashHexSchema, taskSlugSchema, taskVersionSchema } from "../protocol/ids.ts";
import { heldOutSetSchema } from "../task/held-out.ts";
import { taskSettingChangesSchema } from "../task/settings.ts";

/*
 * The log of a project: what people decided about its tasks. Each event is written together with its rows and its leaf of
 * the audit log. Nothing is replayed from it.
 *
 * | version | since     |
 * | ------- | --------- |
 * | 1       | the first |
 */

const slug = taskSlugSchema;
/** The name of whoever acted. */
const actor = z.string();
const count = z.int().min(0);

export const projectEventSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("task-created"),
    slug,
    version: taskVersionSchema,
    taskHash: hashHexSchema,
    /** The task had been archived and is open again. */
    takesUp: z.literal(true).exactOptional(),
    actor,
  }),
  z.object({
    type: z.literal("task-settings-changed"),
    slug,
    /** Null resets a setting to what the version says. */
    changes: taskSettingChangesSchema,
    actor,
  }),
  z.object({
    type: z.literal("held-out-set"),
    slug,
    set: heldOutSetSchema,
    /** Hash of the set that was in use. */
    replaces: hashHexSchema.nullable(),
    actor,
  }),
  z.object({ type: z.literal("held-out-removed"), slug, hash: hashHexSchema, actor }),
  z.object({
    type: z.literal("task-archived"),
    slug,
    /** The newest version. */
    version: taskVersionSchema,
    /** The run whose turn it was, and the round after which it ends; null if it ends at once. */
    activeRun: z.object({ number: z.int().min(1), round: z.int().min(1).nullable() }).nullable(),
    queuedRuns: count,
    actor,
  }),
  /** Kept transcripts, with their inputs and shares, whose time was over. */
  z.object({ type: z.literal("transcripts-deleted"), slug, count, actor }),
]);
export type ProjectEvent = z.infer<typeof projectEventSchema>;

const UPCASTERS: readonly Upcaster[] = [];

/** A row's event for this fact. */
export function loggedInProject(fact: ProjectEvent): {
  readonly version: number;
  readonly fact: ProjectEvent;
} {
  return { version: UPCASTERS.length + 1, fact };
}

/** The fact of one row, in the current shape. */
export function projectFactOf(row: LogRow): Result<ProjectEvent, FactError> {
  return factOf(row, UPCASTERS, projectEventSchema);
}
