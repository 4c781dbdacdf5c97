import { z } from "zod";
import type { Result } from "../kernel/result.ts";
import { type FactError, factOf, type LogRow, type Upcaster } from "../log/row.ts";
import { modelNumberSchema } from "../protocol/aliases.ts";
import { hashHexSchema, taskSlugSchema } from "../protocol/ids.ts";
import {
  personIdSchema,
  personNameSchema,
  projectIdSchema,
  roleSchema,
  signInWaySchema,
  tokenScopeSchema,
} from "./roles.ts";

/*
 * The log of access: who may do what, and who decided it. One stream for the coordinator. Each event is written together
 * with the rows it changes and its leaf of the audit log. Nothing is replayed from it.
 *
 * | version | since     |
 * | ------- | --------- |
 * | 1       | the first |
 */

/** What it takes two people to do. */
export const proposedActSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("delete-project-data"), projectId: projectIdSchema }),
  z.strictObject({ type: z.literal("give-admin-role"), personId: personIdSchema }),
  z.strictObject({ type: z.literal("take-admin-role"), personId: personIdSchema }),
  /** Puts a version in use whatever its gates say. */
  z.strictObject({
    type: z.literal("promote-despite-gates"),
    task: taskSlugSchema,
    version: modelNumberSchema,
    /** The champion that it takes the place of; null: none. */
    expected: modelNumberSchema.nullable(),
  }),
]);
export type ProposedAct = z.infer<typeof proposedActSchema>;

const id = z.string().regex(/^[0-9a-f]{32}$/);
/** The name of whoever acted. */
const actor = z.string().max(80);
const at = z.int().min(0);

export const accessEventSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("set-up"), personId: personIdSchema, actor, projectId: projectIdSchema }),
  z.object({ type: z.literal("project-made"), projectId: projectIdSchema, actor }),
  z.object({ type: z.literal("invited"), invitationId: id, role: roleSchema, actor }),
  z.object({ type: z.literal("invitation-withdrawn"), invitationId: id, actor }),
  z.object({
    type: z.literal("joined"),
    invitationId: id,
    personId: personIdSchema,
    name: personNameSchema,
    role: roleSchema,
    actor,
  }),
  z.object({
    type: z.literal("role-given"),
    personId: personIdSchema,
    name: personNameSchema,
    role: roleSchema,
    actor,
  }),
  z.object({
    type: z.literal("role-taken"),
    personId: personIdSchema,
    name: personNameSchema,
    role: roleSchema,
    actor,
  }),
  z.object({ type: z.literal("signed-in-from-new-place"), personId: personIdSchema, actor }),
  z.object({
    type: z.literal("sign-in-changed"),
    personId: personIdSchema,
    what: signInWaySchema.exclude(["link"]),
    actor,
  }),
  z.object({
    type: z.literal("sign-in-removed"),
    personId: personIdSchema,
    what: signInWaySchema.exclude(["link"]),
    actor,
  }),
  z.object({
    type: z.literal("api-token-made"),
    tokenId: id,
    scopes: z.array(tokenScopeSchema),
    endsAt: at,
    actor,
  }),
  z.object({ type: z.literal("api-token-revoked"), tokenId: id, actor }),
  z.object({
    type: z.literal("join-token-made"),
    tokenId: id,
    projectId: projectIdSchema,
    task: taskSlugSchema.nullable(),
    uses: z.int().min(1),
    endsAt: at,
    actor,
  }),
  z.object({ type: z.literal("join-token-revoked"), tokenId: id, actor }),
  z.object({ type: z.literal("joined-devices-removed"), tokenId: id, actor }),
  z.object({ type: z.literal("site-named"), siteId: id, projectId: projectIdSchema, actor }),
  /** `key` is SHA-256 of the site's identity: a site is named on purpose, but its identity stays off the log. */
  z.object({ type: z.literal("site-enrolled"), siteId: id, key: hashHexSchema, actor }),
  z.object({ type: z.literal("site-revoked"), siteId: id, actor }),
  z.object({
    type: z.literal("proposed"),
    proposalId: id,
    act: proposedActSchema,
    reason: z.string().max(400),
    actor,
  }),
  z.object({
    type: z.literal("proposal-agreed"),
    proposalId: id,
    act: proposedActSchema,
    alone: z.boolean(),
    actor,
  }),
  z.object({ type: z.literal("proposal-refused"), proposalId: id, actor }),
  z.object({ type: z.literal("proposal-withdrawn"), proposalId: id, actor }),
  z.object({ type: z.literal("proposal-ran-out"), proposalId: id, actor }),
  z.object({
    type: z.literal("project-data-deleted"),
    projectId: projectIdSchema,
    taskCount: at,
    runCount: at,
    actor,
  }),
  z.object({ type: z.literal("person-erased"), personId: personIdSchema, actor }),
  z.object({ type: z.literal("site-erased"), siteId: id, projectId: projectIdSchema, actor }),
  /** Rows of what was over for as long as such rows are kept. */
  z.object({
    type: z.literal("ended-rows-deleted"),
    of: z.enum(["invitation", "api-token", "proposal"]),
    count: at,
    actor,
  }),
]);
export type AccessEvent = z.infer<typeof accessEventSchema>;

const UPCASTERS: readonly Upcaster[] = [];

/** A row's event for this fact. */
export function loggedInAccess(fact: AccessEvent): { readonly version: number; readonly fact: AccessEvent } {
  return { version: UPCASTERS.length + 1, fact };
}

/** The fact of one row, in the current shape. */
export function accessFactOf(row: LogRow): Result<AccessEvent, FactError> {
  return factOf(row, UPCASTERS, accessEventSchema);
}
