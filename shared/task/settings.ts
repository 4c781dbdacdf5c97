import { z } from "zod";
import { heldOutSetSchema } from "./held-out.ts";
import { sentenceSchema } from "./sentence.ts";
import type { Task } from "./task.ts";

/*
 * Settings of a task, for all versions of a slug. Only the operator needs them. They are not part of taskHash or
 * configHash: devices do not agree to them and are not asked again when they change. Everything that the consent shows is
 * in the version.
 */

const joiningSchema = z.enum(["public", "invitation"]);

export const archivedSchema = z.strictObject({ at: z.iso.datetime(), by: z.string().max(80) });

export const taskSettingsSchema = z.strictObject({
  /** Heading for people who may take part; null for that of the version. */
  invitation: sentenceSchema.nullable().default(null),
  /** Whether anyone may take part, or only who holds a join token. */
  joining: joiningSchema.default("public"),
  /** Rows that judge models; null if only the rows that devices keep back do. */
  heldOut: heldOutSetSchema.nullable().default(null),
  /** Off the list and closed to devices; null if it is open. */
  archived: archivedSchema.nullable().default(null),
});
export type TaskSettings = z.output<typeof taskSettingsSchema>;

/** Settings that are set by naming their values. */
export const taskSettingChangesSchema = z
  .strictObject({
    invitation: sentenceSchema.nullable().exactOptional(),
    joining: joiningSchema.exactOptional(),
  })
  .refine((changes) => Object.keys(changes).length > 0, "at least one setting");
export type TaskSettingChanges = z.output<typeof taskSettingChangesSchema>;

/** All that an act may change. Held-out rows and the archive have acts of their own. */
export type StoredSettingChanges = Partial<TaskSettings>;

/** The settings in effect for a version: as set, or else from the version itself. */
export const effectiveSettingsSchema = z.object({ invitation: z.string(), joining: joiningSchema });
export type EffectiveSettings = z.output<typeof effectiveSettingsSchema>;

/** What a version says itself where no setting is set. Everything else of it is what devices agree to. */
export function textsOf(task: Task): Pick<EffectiveSettings, "invitation"> {
  return { invitation: task.invitation };
}

export function effectiveSettings(
  task: Task,
  { invitation, joining }: Pick<TaskSettings, "invitation" | "joining">,
): EffectiveSettings {
  return { invitation: invitation ?? task.invitation, joining };
}
