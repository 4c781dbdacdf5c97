import { z } from "zod";
import { proposedActSchema } from "#shared/access/log.ts";
import {
  personIdSchema,
  personNameSchema,
  projectIdSchema,
  projectRoleSchema,
  roleSchema,
  signInWaySchema,
  tokenScopeSchema,
} from "#shared/access/roles.ts";
import { hashHexSchema, taskSlugSchema } from "#shared/protocol/ids.ts";
import type { AccessRowKind } from "../ports/access-store.ts";

/*
 * What access decides with. There are thousands of these rows at most, so all are read at the start and kept in memory; a
 * change is written with its event before it counts. Enrolled devices may be many and have a table of their own.
 *
 * Times are Unix milliseconds.
 */

const id = z.string().regex(/^[0-9a-f]{32}$/);
const at = z.int().min(0);

export const projectRowSchema = z.object({ projectId: projectIdSchema, madeAt: at, madeBy: z.string() });
export type ProjectRow = z.infer<typeof projectRowSchema>;

export const personRowSchema = z.object({
  personId: personIdSchema,
  name: personNameSchema,
  isAdmin: z.boolean(),
  roles: z.array(z.object({ projectId: projectIdSchema, role: projectRoleSchema })),
  madeAt: at,
  /**
   * 32 random bytes, hex: the salt of this person's marks in the audit log. Without it nobody can tell whose they are. Null
   * once the person was erased (A80).
   */
  salt: hashHexSchema.nullable(),
  signsInWith: z.array(signInWaySchema),
  /** Who took the last role, and when; shown at the next sign-in. */
  rolesTaken: z.object({ at, by: z.string() }).nullable(),
  /** SHA-256 of the secret cookie of each browser that this person has signed in from, the newest 20. */
  places: z.array(hashHexSchema),
  /** From then on the row keeps nothing but the name, so that nobody else gets it. */
  erasedAt: at.nullable().default(null),
});
export type PersonRow = z.infer<typeof personRowSchema>;

export const invitationRowSchema = z.object({
  invitationId: id,
  tokenHash: hashHexSchema,
  role: roleSchema,
  /** For admins; never in the log. */
  note: z.string().max(120),
  madeAt: at,
  madeBy: z.string(),
  endsAt: at,
  usedBy: z.string().nullable(),
  withdrawnAt: at.nullable(),
});
export type InvitationRow = z.infer<typeof invitationRowSchema>;

export const apiTokenRowSchema = z.object({
  tokenId: id,
  tokenHash: hashHexSchema,
  shown: z.string(),
  /** What it is for, in its maker's words. */
  label: z.string().max(80),
  personId: personIdSchema,
  scopes: z.array(tokenScopeSchema),
  madeAt: at,
  endsAt: at,
  revokedAt: at.nullable(),
});
export type ApiTokenRow = z.infer<typeof apiTokenRowSchema>;

/** How often it was used is in the table of enrolments. */
export const joinTokenRowSchema = z.object({
  tokenId: id,
  tokenHash: hashHexSchema,
  shown: z.string(),
  projectId: projectIdSchema,
  /** Null if it is good for every task of the project. */
  task: taskSlugSchema.nullable(),
  /** Set if it enrols a named site. */
  siteId: id.nullable(),
  uses: z.int().min(1),
  madeAt: at,
  madeBy: z.string(),
  endsAt: at,
  revokedAt: at.nullable(),
  /** From when on the devices that it enrolled are in nothing by it. */
  devicesRemovedAt: at.nullable().default(null),
});
export type JoinTokenRow = z.infer<typeof joinTokenRowSchema>;

export const siteRowSchema = z.object({
  siteId: id,
  name: z.string().min(1).max(60),
  projectId: projectIdSchema,
  /** 64 hex digits; null until it has enrolled. */
  identity: z.string().nullable(),
  madeAt: at,
  madeBy: z.string(),
  revokedAt: at.nullable(),
  /** Written at most every few minutes. */
  lastSeenAt: at.nullable(),
  version: z.string().max(32).nullable(),
  /** From then on the row keeps nothing but the key, so that it stays refused. */
  erasedAt: at.nullable().default(null),
});
export type SiteRow = z.infer<typeof siteRowSchema>;

export const proposalRowSchema = z.object({
  proposalId: id,
  act: proposedActSchema,
  reason: z.string().min(1).max(400),
  madeAt: at,
  madeBy: z.string(),
  endsAt: at,
  end: z
    .object({ how: z.enum(["agreed", "refused", "withdrawn", "ran-out"]), at, by: z.string() })
    .nullable(),
  /** From the agreement to a deletion until the log says that it is done: what is to be deleted. */
  owed: z
    .object({ taskCount: z.int().min(0), runCount: z.int().min(0) })
    .nullable()
    .default(null),
});
export type ProposalRow = z.infer<typeof proposalRowSchema>;

/** The rows by kind. */
export const ACCESS_ROW_SCHEMAS = {
  project: projectRowSchema,
  person: personRowSchema,
  invitation: invitationRowSchema,
  "api-token": apiTokenRowSchema,
  "join-token": joinTokenRowSchema,
  site: siteRowSchema,
  proposal: proposalRowSchema,
} as const satisfies Readonly<Record<AccessRowKind, z.ZodType>>;
export type { AccessRowKind };
export type AccessRows = { readonly [Kind in AccessRowKind]: z.infer<(typeof ACCESS_ROW_SCHEMAS)[Kind]> };
