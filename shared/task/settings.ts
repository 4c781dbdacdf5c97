import { z } from "zod";
import { archivedSchema, joiningSchema } from "./effective-settings.ts";
import { promotionRulesSchema } from "./gates/index.ts";
import { storedHeldOutSchema } from "./held-out.ts";
import { operatingPointSchema, pointKey } from "./operating-point.ts";
import { sentenceSchema } from "./sentence.ts";

/*
 * Settings of a task, for all versions of a slug. Only the operator needs them. They are not part of taskHash or
 * configHash: devices do not agree to them and are not asked again when they change. Everything that the consent shows is
 * in the version.
 */

export const taskSettingsSchema = z.strictObject({
  /** Heading for people who may take part; null for that of the version. */
  invitation: sentenceSchema.nullable().default(null),
  /** Whether anyone may take part, or only who holds a join token. */
  joining: joiningSchema.default("public"),
  /** Rows that judge models; null if only the rows that devices keep back do. */
  heldOut: storedHeldOutSchema.nullable().default(null),
  /** What a version has to meet to be put in use; null if whoever promotes it decides. */
  promotion: promotionRulesSchema.nullable().default(null),
  /** What errors of two classes cost; absent for the usual one. */
  operatingPoint: operatingPointSchema.exactOptional(),
  /** Off the list and closed to devices; null if it is open. */
  archived: archivedSchema.nullable().default(null),
});
export type TaskSettings = z.output<typeof taskSettingsSchema>;

/** Settings that are set by naming their values. */
export const taskSettingChangesSchema = z
  .strictObject({
    invitation: sentenceSchema.nullable().exactOptional(),
    joining: joiningSchema.exactOptional(),
    promotion: promotionRulesSchema.nullable().exactOptional(),
    operatingPoint: operatingPointSchema.exactOptional(),
  })
  .refine((changes) => Object.keys(changes).length > 0, "at least one setting");
export type TaskSettingChanges = z.output<typeof taskSettingChangesSchema>;

/** All that an act may change. Held-out rows and the archive have acts of their own. */
export type StoredSettingChanges = Partial<TaskSettings>;

/** What judges a task's versions, as a text: figures of two versions are of the same rows and costs if it is the same. */
export function judgingKey({
  heldOut,
  operatingPoint,
}: Pick<TaskSettings, "heldOut" | "operatingPoint">): string {
  return `${heldOut?.hash ?? "devices"} ${pointKey(operatingPoint)}`;
}
