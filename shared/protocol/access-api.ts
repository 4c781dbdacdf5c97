import { z } from "zod";
import { localPathSchema } from "../access/local-path.ts";
import { proposedActSchema } from "../access/log.ts";
import {
  personIdSchema,
  personNameSchema,
  projectIdSchema,
  projectRoleSchema,
  roleSchema,
  signInWaySchema,
  tokenScopeSchema,
} from "../access/roles.ts";
import { tokenPattern } from "../access/tokens.ts";
import { taskSlugSchema } from "./ids.ts";

/*
 * What the API under /api/v1 shows and takes about people, tokens and devices. Times are ISO 8601 in UTC. A secret is in
 * one answer only, the one that makes it; afterwards lists show its first letters. Lists are { items, next: null }: there
 * are few enough for one answer.
 * The routes and their permissions are in /api/v1/openapi.json, which is made from the endpoints.
 */

const instant = z.iso.datetime();
const count = z.int().min(0);
const id = z.string().regex(/^[0-9a-f]{32}$/, "32 lower-case hex digits");
const name = z.string().max(80);

/** Of a person or a site. */
export const erasedSchema = z.object({ erased: z.literal(true) });

/** Sign-in by password. It is a sentence rather than a word. */
export const passwordSchema = z.string().min(12).max(256);

/* Doors: what is asked before anyone has signed in. */

export const setupViewSchema = z.object({
  isClaimed: z.boolean(),
  endsAt: instant.nullable(),
  /** True if one may sign in with an account at an OpenID provider. */
  hasOpenId: z.boolean().default(false),
});
/** What a browser's passkey answered, as WebAuthn writes it in JSON. The adapter checks it. */
export const passkeyAnswerSchema = z.strictObject({
  /** Names the challenge that `passkeyOptionsSchema` carried. Works once, for five minutes. */
  challengeId: id,
  response: z.record(z.string().max(64), z.unknown()),
});
export const passkeyOptionsSchema = z.object({ challengeId: id, options: z.record(z.string(), z.unknown()) });
/** How a person signs in from now on. */
export const credentialSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("password"), password: passwordSchema }),
  z.strictObject({ type: z.literal("passkey"), answer: passkeyAnswerSchema }),
]);
export const setupClaimSchema = z.strictObject({
  token: z.string().regex(tokenPattern("setup")),
  name: personNameSchema,
  projectId: projectIdSchema,
  credential: credentialSchema,
});
export const invitationUseSchema = z.strictObject({
  token: z.string().regex(tokenPattern("invitation")),
  name: personNameSchema,
  credential: credentialSchema,
});
/** Asks for the options of a new passkey, before there is an account. */
export const newPasskeySchema = z.strictObject({ name: personNameSchema });
export const invitationLookSchema = z.strictObject({ token: z.string().regex(tokenPattern("invitation")) });
/** What an invitation is for, to whoever holds its link. */
export const invitationFaceSchema = z.object({ role: roleSchema, invitedBy: name, endsAt: instant });
export const signInSchema = z.strictObject({
  name: z.string().min(1).max(64),
  password: z.string().min(1).max(256),
});
/**
 * Begins a sign-in with an account at the OpenID provider, for an invitation if there is one. `purpose` "link" adds the
 * account to one's own, and "prove" proves again who one is; both need a session.
 */
export const openIdStartSchema = z.strictObject({
  to: localPathSchema,
  purpose: z.enum(["sign-in", "link", "prove"]).default("sign-in"),
  invitation: z
    .strictObject({ token: z.string().regex(tokenPattern("invitation")), name: personNameSchema })
    .optional(),
});
/** Where the browser goes now. */
export const openIdAddressSchema = z.object({ url: z.string() });
export const signInLinkSchema = z.strictObject({ token: z.string().regex(tokenPattern("signIn")) });

/* The session. */

/** A fresh proof of who one is, or another way to sign in. */
export const proofSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("password"), password: z.string().min(1).max(256) }),
  z.strictObject({ type: z.literal("passkey"), answer: passkeyAnswerSchema }),
]);
export const newPasswordSchema = z.strictObject({ password: passwordSchema });

export const ownSessionSchema = z.object({
  personId: personIdSchema,
  name: personNameSchema,
  isAdmin: z.boolean(),
  roles: z.array(z.object({ projectId: projectIdSchema, role: projectRoleSchema })),
  /** Names of permissions held in at least one project. A page without its permission is absent. */
  permissions: z.array(z.string()),
  /** Those held in every project, also in one that is not listed below: an admin has more than anyone. */
  inEveryProject: z.array(z.string()),
  /** Sorted by name, each with the permissions held in it. What one may not do in a task's project is absent there. */
  projects: z.array(z.object({ projectId: projectIdSchema, permissions: z.array(z.string()) })),
  signsInWith: z.array(signInWaySchema),
  /** True while acts that need a fresh proof are allowed. */
  isProved: z.boolean(),
  /** True if this browser had not been signed in from before. */
  isNewPlace: z.boolean(),
  /** When one last signed in elsewhere, from a browser that had not been used before; null if not within a week. */
  newPlaceElsewhereAt: instant.nullable(),
  /** The coordinator's time, so that a page can tell a wrong clock. */
  now: instant,
  by: z.enum(["session", "token"]),
});
export type OwnSession = z.infer<typeof ownSessionSchema>;

/** One way in which one signs in. */
export const ownWaySchema = z.object({
  wayId: id,
  way: signInWaySchema.exclude(["link"]),
  madeAt: instant,
});
export type OwnWay = z.infer<typeof ownWaySchema>;

/* People. */

export const personViewSchema = z.object({
  personId: personIdSchema,
  name: personNameSchema,
  isAdmin: z.boolean(),
  roles: z.array(z.object({ projectId: projectIdSchema, role: projectRoleSchema })),
  signsInWith: z.array(signInWaySchema),
  lastSeenAt: instant.nullable(),
  madeAt: instant,
});
export type PersonView = z.infer<typeof personViewSchema>;
/** The roles that this person has afterwards. The role of admin is given here, and taken by a proposal. */
export const rolesChangeSchema = z.strictObject({
  roles: z.array(z.strictObject({ projectId: projectIdSchema, role: projectRoleSchema })).max(200),
  isAdmin: z.literal(true).optional(),
});

export const projectViewSchema = z.object({
  projectId: projectIdSchema,
  madeAt: instant,
  madeBy: name,
  taskCount: count,
});
export const projectMakeSchema = z.strictObject({ projectId: projectIdSchema });

export const invitationViewSchema = z.object({
  invitationId: id,
  role: roleSchema,
  note: z.string(),
  state: z.enum(["open", "used", "ran-out", "withdrawn"]),
  usedBy: name.nullable(),
  madeBy: name,
  madeAt: instant,
  endsAt: instant,
});
export type InvitationView = z.infer<typeof invitationViewSchema>;
export const invitationMakeSchema = z.strictObject({
  role: roleSchema,
  note: z.string().max(120).default(""),
});
/** `url` opens the page that uses the invitation. It is shown once. */
export const invitationMadeSchema = z.object({ invitation: invitationViewSchema, url: z.string() });

export const apiTokenViewSchema = z.object({
  tokenId: id,
  shown: z.string(),
  label: z.string(),
  madeBy: name,
  scopes: z.array(tokenScopeSchema),
  madeAt: instant,
  endsAt: instant,
  lastUsedAt: instant.nullable(),
  isRevoked: z.boolean(),
});
export type ApiTokenView = z.infer<typeof apiTokenViewSchema>;
export const apiTokenMakeSchema = z.strictObject({
  label: z.string().min(1).max(80),
  scopes: z.array(tokenScopeSchema).min(1).max(5),
  days: z.int().min(1).max(90).default(30),
});
export const apiTokenMadeSchema = z.object({ apiToken: apiTokenViewSchema, token: z.string() });

export const joinTokenViewSchema = z.object({
  tokenId: id,
  shown: z.string(),
  projectId: projectIdSchema,
  task: taskSlugSchema.nullable(),
  siteId: id.nullable(),
  uses: count,
  used: count,
  madeBy: name,
  madeAt: instant,
  endsAt: instant,
  isRevoked: z.boolean(),
  /** The devices that it enrolled were removed. */
  devicesRemoved: z.boolean(),
});
export type JoinTokenView = z.infer<typeof joinTokenViewSchema>;
export const joinTokenMakeSchema = z.strictObject({
  projectId: projectIdSchema,
  task: taskSlugSchema.nullable().default(null),
  uses: z.int().min(1).max(100_000).default(1),
  days: z.int().min(1).max(90).default(30),
});
/** `url` is the join page with the token in its fragment, which no server sees; null if it is for no single task. */
export const joinTokenMadeSchema = z.object({
  joinToken: joinTokenViewSchema,
  token: z.string(),
  url: z.string().nullable(),
});

export const siteViewSchema = z.object({
  siteId: id,
  name: z.string(),
  projectId: projectIdSchema,
  state: z.enum(["not-enrolled", "takes-part", "away", "revoked"]),
  /** The task it is connected for now. */
  task: taskSlugSchema.nullable(),
  lastSeenAt: instant.nullable(),
  version: z.string().nullable(),
  /** First and last letters of SHA-256 of its key. */
  key: z.string().nullable(),
});
export type SiteView = z.infer<typeof siteViewSchema>;
export const siteMakeSchema = z.strictObject({
  name: z.string().trim().min(1).max(60),
  projectId: projectIdSchema,
  task: taskSlugSchema.nullable().default(null),
});
/** Another token for a site. Without `task`, it is for what the newest earlier one was for; null means every task. */
export const siteTokenMakeSchema = z.strictObject({ task: taskSlugSchema.nullable().optional() });
export const siteMadeSchema = z.object({ site: siteViewSchema, token: z.string() });

export const proposalViewSchema = z.object({
  proposalId: id,
  act: proposedActSchema,
  reason: z.string(),
  madeBy: name,
  madeAt: instant,
  endsAt: instant,
  end: z
    .object({ how: z.enum(["agreed", "refused", "withdrawn", "ran-out"]), at: instant, by: name })
    .nullable(),
  /** The sentence that the log will keep if the reader agrees. */
  sentence: z.string(),
  /** True if the only admin decides alone. */
  alone: z.boolean(),
  /** Names of those who may agree; empty once it has ended. */
  waitsFor: z.array(name),
});
export type ProposalView = z.infer<typeof proposalViewSchema>;
export const proposalMakeSchema = z.strictObject({
  act: proposedActSchema,
  reason: z.string().trim().min(1).max(400),
});

/** Sealed to the auditor's key: whoever opens it may read kept rounds until it ends. */
export const auditorPassSchema = z.object({ sealed: z.string().regex(/^([0-9a-f]{2})+$/), endsAt: instant });

/** How the coordinator's machine is. Sizes are in bytes. */
export const operationsSchema = z.object({
  database: z.enum(["embedded", "postgresql"]),
  disk: z.object({ freeByteCount: count.nullable(), floorByteCount: count }),
  /** Models, uploads and held-out rows. */
  files: z.object({ usedByteCount: count, quotaByteCount: count.nullable() }),
  memory: z.object({ residentByteCount: count }),
  /** Null if none was made by this version's command. */
  lastBackup: z.object({ at: instant, byteCount: count }).nullable(),
  address: z.object({ url: z.string(), isBehindProxy: z.boolean(), certificateEndsAt: instant.nullable() }),
  limits: z.object({
    devicesPerAddress: count,
    joinsPerMinutePerAddress: count,
    requestsPerSecondPerAddress: z.number(),
  }),
});
export type OperationsView = z.infer<typeof operationsSchema>;

/** 32 random bytes in hex. */
export const ticketPattern = /^[0-9a-f]{64}$/;
/** Opens the socket for live figures once, within seconds. */
export const ticketSchema = z.object({ ticket: z.string(), endsAt: instant });
