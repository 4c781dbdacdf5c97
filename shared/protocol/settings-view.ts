import { z } from "zod";
import { taskSettingChangesSchema, taskSettingsSchema } from "../task/settings.ts";
import { taskSlugSchema } from "./ids.ts";

/** Settings of a task as set. A setting is null if the version decides. */
export const settingsViewSchema = z.object({ slug: taskSlugSchema, settings: taskSettingsSchema });
export type SettingsView = z.infer<typeof settingsViewSchema>;

export const settingsChangeSchema = z.strictObject({ changes: taskSettingChangesSchema });
