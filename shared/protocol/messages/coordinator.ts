import { z } from "zod";
import { agreedConfigSchema } from "../../task/config.ts";
import { roundParamsSchema } from "../../task/round-params.ts";
import { errorCodeSchema } from "../errors.ts";
import {
  bytesSchema,
  bytesUpToSchema,
  hashHexSchema,
  positionSchema,
  runIdSchema,
  sessionIdSchema,
} from "../ids.ts";
import { LIMITS } from "../limits.ts";
import { logProofSchema } from "./log-proof.ts";

/*
 * Coordinator to device, socket event "frame", without acknowledgement. After a device has reconnected and said hello, the
 * coordinator repeats what the device's current step needs, with the same bytes.
 *
 * | type      | says                                         | the device answers     |
 * | --------- | -------------------------------------------- | ---------------------- |
 * | invite    | a round, its rules, the model's hash         | trains, then advertise |
 * | roster    | U1                                           | share                  |
 * | collect   | U2, the shares sealed for this device, a slot| PUT of the input       |
 * | sets      | U2 and U3                                    | confirm                |
 * | open      | t or more signatures over the same two sets  | unmask                 |
 * | outcome   | committed or voided                          |                        |
 * | abandoned | this attempt ended before anything was asked | waits or advertises again |
 * | run-ended | no more rounds of this run                   | waits for the next run |
 */

const attemptFields = {
  runId: runIdSchema,
  round: z.int().min(1).max(LIMITS.roundsMax),
  attempt: z.int().min(1).max(LIMITS.attemptsMax),
};
/** Milliseconds that this device has for its answer, counted from when the message is sent. */
const deadlineInMs = z
  .int()
  .min(0)
  .max(7 * 24 * 3_600_000);
const bitmap = bytesUpToSchema(Math.ceil(LIMITS.rosterSizeMax / 8));
const signature = bytesSchema(64);

export const inviteSchema = z.strictObject({
  type: z.literal("invite"),
  ...attemptFields,
  config: agreedConfigSchema,
  roundParams: roundParamsSchema,
  /** SHA-256 of the model's bytes at /api/v1/models/{hash}. The device checks it. */
  modelHash: hashHexSchema,
  modelByteCount: z.int().min(1),
  /** With a public log: `task.published` of this version and `round.opened` of this round are in it. */
  log: logProofSchema.exactOptional(),
  deadlineInMs,
});

export const rosterSchema = z.strictObject({
  type: z.literal("roster"),
  ...attemptFields,
  /** Strictly ascending by identity; position = index + 1. */
  members: z
    .array(
      z.strictObject({
        identity: bytesSchema(32),
        c: bytesSchema(32),
        s: bytesSchema(32),
        bCommit: bytesSchema(32),
        /** The issuer's signature over E(certificate, projectId, identity). */
        certificate: signature,
        /** The member's signature over its advert. */
        signature,
      }),
    )
    .min(2)
    .max(LIMITS.rosterSizeMax),
  deadlineInMs,
});

export const collectSchema = z.strictObject({
  type: z.literal("collect"),
  sid: sessionIdSchema,
  u2: bitmap,
  /** One from each device of U2 except the receiver, ascending. */
  shares: z
    .array(
      z.strictObject({
        dealer: positionSchema,
        ciphertext: bytesUpToSchema(512),
        zShareCommit: bytesSchema(32),
        bShareCommit: bytesSchema(32),
        /** RFC 6962 path of this leaf in the dealer's bundle, and the dealer's signature over the root. */
        path: z.array(bytesSchema(32)).max(16),
        root: bytesSchema(32),
        signature,
      }),
    )
    .max(LIMITS.rosterSizeMax),
  /** Single use; the PUT goes to /api/v1/uploads/{sid}/{position}. */
  slot: z.string().max(64),
  deadlineInMs,
});

export const setsSchema = z.strictObject({
  type: z.literal("sets"),
  sid: sessionIdSchema,
  u2: bitmap,
  u3: bitmap,
  deadlineInMs,
});

export const openSchema = z.strictObject({
  type: z.literal("open"),
  sid: sessionIdSchema,
  u2: bitmap,
  u3: bitmap,
  /** Ascending by signer. All signers are in U3. */
  confirmations: z.array(z.strictObject({ signer: positionSchema, signature })).max(LIMITS.rosterSizeMax),
  /** With a public log: `survivors.signed` of these sets is in it. */
  log: logProofSchema.exactOptional(),
  deadlineInMs,
});

export const outcomeSchema = z.strictObject({
  type: z.literal("outcome"),
  sid: sessionIdSchema,
  result: z.discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("committed"),
      survivorCount: z.int().min(1),
      /** The next model. */
      modelHash: hashHexSchema,
      /** Root over the survivors' input roots in order of position, and this device's path in it. */
      inputsRoot: bytesSchema(32),
      path: z.array(bytesSchema(32)).max(16),
      leafIndex: z.int().min(0),
    }),
    z.strictObject({ kind: z.literal("voided"), code: errorCodeSchema }),
  ]),
});

export const abandonedSchema = z.strictObject({
  type: z.literal("abandoned"),
  ...attemptFields,
  code: errorCodeSchema,
  /** True if the same round continues with attempt + 1 and the update may be used again. */
  retry: z.boolean(),
});

export const runEndedSchema = z.strictObject({
  type: z.literal("run-ended"),
  runId: runIdSchema,
  state: z.enum(["completed", "failed", "stopped"]),
});

export const coordinatorMessageSchema = z.discriminatedUnion("type", [
  inviteSchema,
  rosterSchema,
  collectSchema,
  setsSchema,
  openSchema,
  outcomeSchema,
  abandonedSchema,
  runEndedSchema,
]);
export type CoordinatorMessage = z.infer<typeof coordinatorMessageSchema>;
export type CoordinatorMessageOf<Type extends CoordinatorMessage["type"]> = Extract<
  CoordinatorMessage,
  { type: Type }
>;
