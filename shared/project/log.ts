import { z } from "zod";
import type { Result } from "../kernel/result.ts";
import { type FactError, factOf, type LogRow, type Upcaster } from "../log/row.ts";
import { hashHexSchema, taskSlugSchema, taskVersionSchema } from "../protocol/ids.ts";
import { taskSettingChangesSchema } from "../task/settings.ts";

/*
 * The log of a project: what people decided about its tasks. Each event is written with the rows that record it and with
 * its leaf of the audit log. Nothing is replayed from it.
 *
 * | version | since     |
 * | ------- | --------- |
 * | 1       | the first |
 */

export const projectEventSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("task-created"),
    slug: taskSlugSchema,
    version: taskVersionSchema,
    taskHash: hashHexSchema,
    /** A name that nobody has verified, until there are accounts. */
    actor: z.string(),
  }),
  z.object({
    type: z.literal("task-settings-changed"),
    slug: taskSlugSchema,
    /** Null: back to what the version says. */
    changes: taskSettingChangesSchema,
    actor: z.string(),
  }),
]);
export type ProjectEvent = z.infer<typeof projectEventSchema>;

const UPCASTERS: readonly Upcaster[] = [];

/** The fact as a row's event holds it. */
export function loggedInProject(fact: ProjectEvent): {
  readonly version: number;
  readonly fact: ProjectEvent;
} {
  return { version: UPCASTERS.length + 1, fact };
}

/** The fact of one row, in today's shape. */
export function projectFactOf(row: LogRow): Result<ProjectEvent, FactError> {
  return factOf(row, UPCASTERS, projectEventSchema);
}
