import { z } from "zod";

/*
 * Roles of people. An admin is one for the whole coordinator and may do what researchers of any project may. The other
 * roles hold for one project. What auditors alone may read, an admin reads only after becoming an auditor, and the log
 * keeps that.
 */

export const PROJECT_ROLES = ["researcher", "auditor"] as const;
export const projectRoleSchema = z.enum(PROJECT_ROLES);
export type ProjectRole = z.infer<typeof projectRoleSchema>;

/** Lower-case letters, digits and inner hyphens, at most 40. */
export const projectIdSchema = z
  .string()
  .regex(
    /^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/,
    "lower-case letters, digits and inner hyphens, at most 40",
  );

/** A role that someone is given: admin of the coordinator, or a role in one project. */
export const roleSchema = z.discriminatedUnion("role", [
  z.strictObject({ role: z.literal("admin") }),
  z.strictObject({ role: z.literal("researcher"), projectId: projectIdSchema }),
  z.strictObject({ role: z.literal("auditor"), projectId: projectIdSchema }),
]);
export type Role = z.infer<typeof roleSchema>;

/** True if both are the same role in the same project. */
export function isSameRole(one: Role, other: Role): boolean {
  if (one.role === "admin" || other.role === "admin") return one.role === other.role;
  return one.role === other.role && one.projectId === other.projectId;
}

/** Names that stand in the log for something other than a person. */
const RESERVED_NAMES = new Set(["anyone", "coordinator", "system", "unverified", "admin", "device"]);

/** The name of a person in the log. It is public and never changes. */
export const personNameSchema = z
  .string()
  .regex(
    /^[a-z0-9](?:[a-z0-9._-]{0,30}[a-z0-9])?$/,
    "lower-case letters, digits and inner dots, hyphens and underscores, at most 32",
  )
  .refine((name) => !RESERVED_NAMES.has(name), "this name stands for something else in the log");

/** A link is printed by the demo, for the admin that it makes. Everyone else has one of the others. */
export const signInWaySchema = z.enum(["password", "passkey", "openid", "link"]);
export type SignInWay = z.infer<typeof signInWaySchema>;

export const personIdSchema = z.string().regex(/^[0-9a-f]{32}$/, "32 lower-case hex digits");

/**
 * What an API token may be used for. A token may never do more than the person who made it may, and never acts on people, roles,
 * API tokens or proposals. `tasks` includes the join tokens and sites of a task.
 */
export const TOKEN_SCOPES = ["read", "runs", "tasks", "audit", "metrics"] as const;
export const tokenScopeSchema = z.enum(TOKEN_SCOPES);
export type TokenScope = z.infer<typeof tokenScopeSchema>;
