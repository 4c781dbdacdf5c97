import { z } from "zod";

/*
 * Names of a task's models. What is in use is `champion`; it moves by promotion and by going back alone, which set
 * `previous`. People move the other two as they like.
 */

export const ALIASES = ["champion", "challenger", "shadow", "previous"] as const;
export const aliasSchema = z.enum(ALIASES);
export type Alias = z.infer<typeof aliasSchema>;

export const FREE_ALIASES = ["challenger", "shadow"] as const;
export const freeAliasSchema = z.enum(FREE_ALIASES);
export type FreeAlias = z.infer<typeof freeAliasSchema>;

/** Counts the models that a task's rounds have made, from 1, over all its runs. */
export const modelNumberSchema = z
  .int()
  .min(1)
  .max(2 ** 31 - 1);
