import { z } from "zod";
import { sentenceSchema, type Task } from "./task.ts";

/*
 * Settings of a task: what only the house needs, for all versions of a slug. A device neither agrees to them nor is asked
 * again when they change: they are no part of taskHash or configHash. Whatever the consent shows is in the version.
 */

export const taskSettingsSchema = z.strictObject({
  /** Heading for people who may take part; null: that of the version. */
  invitation: sentenceSchema.nullable().default(null),
});
export type TaskSettings = z.output<typeof taskSettingsSchema>;

export const taskSettingChangesSchema = z
  .strictObject({ invitation: sentenceSchema.nullable().exactOptional() })
  .refine((changes) => Object.keys(changes).length > 0, "at least one setting");
export type TaskSettingChanges = z.output<typeof taskSettingChangesSchema>;

/** What holds for a version: each setting, or what the version itself says. */
export const effectiveSettingsSchema = z.object({ invitation: z.string() });
export type EffectiveSettings = z.output<typeof effectiveSettingsSchema>;

export function effectiveSettings(task: Task, { invitation }: TaskSettings): EffectiveSettings {
  return { invitation: invitation ?? task.invitation };
}
