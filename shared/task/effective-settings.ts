import { z } from "zod";
import type { Task } from "./task.ts";

/* What participants see of a task's settings. A file of its own, because devices need no more of them. */

export const joiningSchema = z.enum(["public", "invitation"]);

export const archivedSchema = z.strictObject({ at: z.iso.datetime(), by: z.string().max(80) });

/** The settings in effect for a version: as set, or else from the version itself. */
export const effectiveSettingsSchema = z.object({ invitation: z.string(), joining: joiningSchema });
export type EffectiveSettings = z.output<typeof effectiveSettingsSchema>;

/** What a version says itself where no setting is set. Everything else of it is what devices agree to. */
export function textsOf(task: Task): Pick<EffectiveSettings, "invitation"> {
  return { invitation: task.invitation };
}

export function effectiveSettings(
  task: Task,
  { invitation, joining }: Pick<EffectiveSettings, "joining"> & { readonly invitation: string | null },
): EffectiveSettings {
  return { invitation: invitation ?? task.invitation, joining };
}
