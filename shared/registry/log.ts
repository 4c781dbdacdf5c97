import { z } from "zod";
import type { Result } from "../kernel/result.ts";
import { type FactError, factOf, type LogRow, type Upcaster } from "../log/row.ts";
import { freeAliasSchema, modelNumberSchema } from "../protocol/aliases.ts";
import { taskSlugSchema } from "../protocol/ids.ts";
import { gateResultSchema } from "../task/gates/index.ts";

/*
 * The log of a task's registry: which of its models have a name, and who decided it. Each event is written together with its
 * rows and its leaf of the audit log. Nothing is replayed from it.
 *
 * | version | since     |
 * | ------- | --------- |
 * | 1       | the first |
 */

const slug = taskSlugSchema;
/** The name of whoever acted. */
const actor = z.string();
/** What the alias named before and names now; null: none. */
const move = { from: modelNumberSchema.nullable(), to: modelNumberSchema.nullable() };

const judged = {
  /** The champion until now. Once another is promoted it is `previous`. */
  from: modelNumberSchema.nullable(),
  to: modelNumberSchema,
  /** What each gate of the task said. */
  gates: z.array(gateResultSchema),
};

export const registryEventSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("alias-moved"), slug, alias: freeAliasSchema, ...move, actor }),
  z.object({ type: z.literal("promoted"), slug, ...judged, actor }),
  /** A candidate that would have been promoted by itself. */
  z.object({
    type: z.literal("not-promoted"),
    slug,
    ...judged,
    /** Someone moved the champion while the gates were asked, so they compared with an earlier one. */
    overtaken: z.literal(true).optional(),
    actor,
  }),
  /** Two admins decided it, whatever the gates said. */
  z.object({
    type: z.literal("promoted-despite-gates"),
    slug,
    ...judged,
    proposalId: z.string(),
    reason: z.string(),
    /** 32 random bytes, hex, with which the reason is marked in the public log; absent in events from before it was. */
    reasonSalt: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .optional(),
    proposedBy: z.string(),
    /** The only admin decided it alone. False since that takes two. */
    alone: z.boolean(),
    actor,
  }),
  z.object({ type: z.literal("rolled-back"), slug, from: modelNumberSchema, to: modelNumberSchema, actor }),
]);
export type RegistryEvent = z.infer<typeof registryEventSchema>;

const UPCASTERS: readonly Upcaster[] = [];

/** A row's event for this fact. */
export function loggedInRegistry(fact: RegistryEvent): {
  readonly version: number;
  readonly fact: RegistryEvent;
} {
  return { version: UPCASTERS.length + 1, fact };
}

/** The fact of one row, in the current shape. */
export function registryFactOf(row: LogRow): Result<RegistryEvent, FactError> {
  return factOf(row, UPCASTERS, registryEventSchema);
}
