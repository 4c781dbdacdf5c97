import { z } from "zod";
import { roleSchema } from "../access/roles.ts";
import { aliasSchema, modelNumberSchema } from "../protocol/aliases.ts";
import {
  hashHexSchema,
  roundIdSchema,
  runIdSchema,
  sessionIdSchema,
  taskSlugSchema,
} from "../protocol/ids.ts";

/*
 * What leaves say, by kind, beside `version`, `kind` and `at`. A leaf is public for ever. It never has a name, an address, a
 * label, free text, a device's lasting id, a figure of one device, or an unsalted hash of any of these.
 *
 * A new kind is a new row. A changed meaning is a new kind, because leaves stay as they were written.
 */

/** A salted mark of a person; null if nobody of the coordinator's people did it. */
const mark = hashHexSchema.nullable();
const count = z.int().min(0);
const projectId = z.string().max(64);
const slug = taskSlugSchema;
const taskVersion = z.int().min(1);
/** A code of `errors.ts`; leaves of earlier programs may have codes that are gone. */
const code = z.string().max(64);

const ofRun = z.strictObject({ runId: runIdSchema });
/** The facts of one sum. A round with several has a leaf for each. */
const ofSession = { roundId: roundIdSchema, sid: sessionIdSchema, shard: count.exactOptional() };
const moved = {
  slug,
  alias: aliasSchema,
  from: modelNumberSchema.nullable(),
  to: modelNumberSchema.nullable(),
};
const judged = z.strictObject({ ...moved, gatesHash: hashHexSchema });
const decided = z.strictObject({ by: mark });
const ofToken = z.strictObject({
  by: mark,
  of: z.enum(["api", "join"]),
  scopes: z.array(z.string().max(32)).exactOptional(),
  projectId: projectId.exactOptional(),
  task: slug.nullable().exactOptional(),
  uses: count.exactOptional(),
  endsAt: count.exactOptional(),
});
const ofRole = z.strictObject({
  by: mark,
  about: mark,
  role: roleSchema,
  projectId: projectId.exactOptional(),
});
const ofSignIn = z.strictObject({ by: mark, what: z.string().max(32) });
const ofSettings = z.strictObject({ slug, names: z.array(z.string().max(64)) });
const ofProposal = z.strictObject({ by: mark, act: z.string().max(64), alone: z.boolean().exactOptional() });

export const LEAF_KINDS = {
  // Rounds.
  "round.opened": z.strictObject({
    roundId: roundIdSchema,
    configHash: hashHexSchema,
    modelHash: hashHexSchema,
    codeVersion: z.string().max(200),
    /** What the coordinator ran and served; leaves of versions before this have none. See `ownCode`. */
    codeHash: hashHexSchema.exactOptional(),
    /** What the round spends of a privacy budget; null without one. */
    dp: z.null(),
  }),
  "cohort.sealed": z.strictObject({
    ...ofSession,
    n: count,
    threshold: count,
    /** Over the adverts. */
    merkleRoot: hashHexSchema,
  }),
  "inputs.sealed": z.strictObject({
    ...ofSession,
    survivors: count,
    /** Over the roots of the masked inputs. */
    merkleRoot: hashHexSchema,
  }),
  "survivors.signed": z.strictObject({
    ...ofSession,
    u2: hashHexSchema,
    u3: hashHexSchema,
    signatureRoot: hashHexSchema,
  }),
  "round.unmasked": z.strictObject({ ...ofSession, sumHash: hashHexSchema }),
  "round.aborted": z.strictObject({ roundId: roundIdSchema, code, opened: z.boolean() }),

  // Models.
  "model.published": z.strictObject({
    runId: runIdSchema,
    round: count,
    modelHash: hashHexSchema,
    parentHash: hashHexSchema,
  }),
  "model.void-stepped": z.strictObject({
    runId: runIdSchema,
    round: count,
    modelHash: hashHexSchema,
    parentHash: hashHexSchema,
  }),
  "model.aliasMoved": z.strictObject(moved),
  "model.promoted": judged,
  "model.notPromoted": judged,
  "model.promotedDespiteGates": judged,
  "model.rolledBack": z.strictObject(moved),
  /** Beside `model.promotedDespiteGates`. */
  "gate.overridden": z.strictObject({
    slug,
    /** The version that was put in use. */
    to: modelNumberSchema,
    gatesHash: hashHexSchema,
    /** Who proposed it, and who agreed. */
    by: z.tuple([mark, mark]),
    /** SHA-256(E("chorus/1/reason", salt, reason)); the salt is in the event of the registry. */
    reason: hashHexSchema,
  }),

  // Runs.
  "run.launched": z.strictObject({
    runId: runIdSchema,
    task: slug,
    taskVersion,
    configHash: hashHexSchema,
    beginsWith: z.strictObject({ version: modelNumberSchema, modelHash: hashHexSchema }).exactOptional(),
  }),
  "run.pauseAsked": ofRun,
  "run.resumeAsked": ofRun,
  "run.stopAsked": ofRun,
  "run.archiveAsked": ofRun,

  // Tasks.
  "task.published": z.strictObject({
    slug,
    taskVersion,
    taskHash: hashHexSchema,
    /** What devices agree to under it. Leaves from before the log was signed have none. */
    configHash: hashHexSchema.exactOptional(),
  }),
  "task.archived": z.strictObject({ slug, taskVersion }),
  /** Settings that devices do not derive from the version: by their names, never their values. */
  "config.changed": ofSettings,
  /** Of earlier programs. */
  "task.settings-changed": ofSettings,
  /** The mark is SHA-256(E("chorus/1/held-out", salt, SHA-256 of the rows)), and nobody's once the set is gone with its salt. */
  "task.heldOutSet": z.strictObject({ slug, mark: hashHexSchema, rowCount: count }),
  /** Without a mark if the set is of before there were marks. */
  "task.heldOutRemoved": z.strictObject({ slug, mark }),
  /** Of earlier programs, which wrote the rows' hash without a salt. */
  "task.held-out-set": z.strictObject({ slug, hash: hashHexSchema, rowCount: count }),
  "task.held-out-removed": z.strictObject({ slug, hash: hashHexSchema }),

  // Access.
  "role.given": ofRole,
  "role.taken": ofRole,
  "project.made": z.strictObject({ by: mark, projectId }),
  "invitation.made": z.strictObject({ by: mark, role: roleSchema }),
  "invitation.withdrawn": decided,
  "session.newPlace": decided,
  "session.changed": ofSignIn,
  "session.removed": ofSignIn,
  "token.made": ofToken,
  "token.revoked": ofToken,
  "devices.removed": ofToken,
  "site.named": z.strictObject({ by: mark, projectId }),
  "site.enrolled": decided,
  "site.revoked": decided,
  "proposal.made": ofProposal,
  "proposal.agreed": ofProposal,
  "proposal.refused": decided,
  "proposal.withdrawn": decided,
  "proposal.ranOut": decided,

  // The coordinator.
  /** The participant's page that is served from now on; SHA-256 of its list of files. */
  "shell.published": z.strictObject({ app: z.literal("participant"), hash: hashHexSchema }),
  "deletion.performed": z.strictObject({
    by: mark.exactOptional(),
    projectId: projectId.exactOptional(),
    tasks: count.exactOptional(),
    runs: count.exactOptional(),
    /** What was deleted, as a word of the program, and how many. */
    what: z.string().max(64).exactOptional(),
    count: count.exactOptional(),
    /** The task that it was of. */
    slug: slug.exactOptional(),
  }),
  "log.keyRotated": z.strictObject({
    origin: z.string().max(200),
    /** Ed25519 keys, 32 bytes. */
    from: hashHexSchema,
    to: hashHexSchema,
    /** By the key that is left, 64 bytes. */
    signature: z.string().regex(/^[0-9a-f]{128}$/, "128 lower-case hex digits"),
  }),
} as const satisfies Readonly<Record<string, z.ZodObject>>;

export type LeafKind = keyof typeof LEAF_KINDS;
/** What is written for a kind. */
export type LeafBody<Kind extends LeafKind> = z.input<(typeof LEAF_KINDS)[Kind]>;
/** What is read of it. */
export type LeafFacts<Kind extends LeafKind> = z.output<(typeof LEAF_KINDS)[Kind]>;
