import { z } from "zod";
import { assert } from "../../kernel/assert.ts";
import { errorCodeSchema } from "../errors.ts";
import { FRAME_BOUNDS, type FrameBounds } from "../frame.ts";
import {
  bytesSchema,
  bytesUpToSchema,
  hashHexSchema,
  logHeadSchema,
  logSizeSchema,
  positionSchema,
  runIdSchema,
  sessionIdSchema,
  taskSlugSchema,
  taskVersionSchema,
} from "../ids.ts";
import { LIMITS } from "../limits.ts";
import { WIRE_VERSION } from "../wire-version.ts";

/*
 * Device to coordinator. Each message is a socket event "frame", answered by an acknowledgement frame (`reply.ts`).
 *
 * | type         | step | when                                   | signed item                                            |
 * | ------------ | ---- | -------------------------------------- | ------------------------------------------------------ |
 * | hello        |      | first on a connection                  |                                                        |
 * | authenticate |      | after the challenge                    | E(login, challenge, projectId, taskSlug, P)            |
 * | check-in     |      | the device is ready for a round        |                                                        |
 * | advertise    | R0   | its update is ready                    | A = E(advert, H, P, C, S, bCommit)                     |
 * | share        | R1   | after the roster                       | E(bundle, sid, u, root)                                |
 * |              | R2   | the masked input goes by HTTP PUT      | E(input, sid, u, setHash(U2), byteLength, root, size, root of the log) |
 * | confirm      | R3   | after U2 and U3                        | E(sets, sid, setHash(U2), setHash(U3))                 |
 * | unmask       | R4   | after t confirmations                  | E(unmask, sid, u, setHash(U2), setHash(U3), shares)    |
 * | complaint    |      | a share did not open or match          | E(complaint, sid, u, v)                                |
 * | leave        |      | any time                               |                                                        |
 */

const identity = bytesSchema(32);
const signature = bytesSchema(64);
const attemptFields = {
  runId: runIdSchema,
  round: z.int().min(1).max(LIMITS.roundsMax),
  attempt: z.int().min(1).max(LIMITS.attemptsMax),
};

/** Size of the last checkpoint of the public log that this device accepted: the next proof begins there. Rule A40. */
const logSize = logSizeSchema.optional();

export const helloSchema = z.strictObject({
  type: z.literal("hello"),
  protocol: z.literal("chorus/1"),
  wire: z.literal(WIRE_VERSION),
  task: taskSlugSchema,
  identity,
});

export const authenticateSchema = z.strictObject({
  type: z.literal("authenticate"),
  signature,
  /** From the link of a task by invitation, or from an operator. Enrols the device once. */
  joinToken: z.string().max(128).optional(),
  /** Version of the device's program. Shown for named sites only. */
  version: z
    .string()
    .regex(/^[\x21-\x7e]{1,32}$/)
    .optional(),
  logSize,
});

export const checkInSchema = z.strictObject({
  type: z.literal("check-in"),
  /** The version that the person consented to, or that the edge was started with. */
  taskVersion: taskVersionSchema,
  logSize,
});

export const advertiseSchema = z.strictObject({
  type: z.literal("advertise"),
  ...attemptFields,
  /** Fresh X25519 key for sealing shares. */
  c: bytesSchema(32),
  /** X25519 key of the pair masks. */
  s: bytesSchema(32),
  bCommit: bytesSchema(32),
  signature,
});

/** Nonce (24) and secretbox (16 + content). Empty if the holder is the dealer itself. */
const sealedShare = bytesUpToSchema(512);

export const shareSchema = z.strictObject({
  type: z.literal("share"),
  sid: sessionIdSchema,
  /** One for each holder in order of position, including the dealer itself (with an empty ciphertext). */
  leaves: z
    .array(
      z.strictObject({
        ciphertext: sealedShare,
        zShareCommit: bytesSchema(32),
        bShareCommit: bytesSchema(32),
      }),
    )
    .min(2)
    .max(LIMITS.rosterSizeMax),
  signature,
});

export const confirmSchema = z.strictObject({
  type: z.literal("confirm"),
  sid: sessionIdSchema,
  signature,
});

const ownedShare = z.strictObject({ owner: positionSchema, share: bytesUpToSchema(64) });

export const unmaskSchema = z.strictObject({
  type: z.literal("unmask"),
  sid: sessionIdSchema,
  /** This device's share of the self-mask seed b of each survivor, including itself. Ascending by owner. */
  bShares: z.array(ownedShare).max(LIMITS.rosterSizeMax),
  /** This device's share of the key seed z of each device of U2 that is not in U3. Ascending by owner. */
  zShares: z.array(ownedShare).max(LIMITS.rosterSizeMax),
  signature,
});

export const complaintSchema = z.strictObject({
  type: z.literal("complaint"),
  sid: sessionIdSchema,
  against: positionSchema,
  signature,
});

export const leaveSchema = z.strictObject({
  type: z.literal("leave"),
  /** Why this device refused the round. Counted and shown to the operator. */
  code: errorCodeSchema.optional(),
});

/** By type. */
export const deviceMessageSchemas = {
  hello: helloSchema,
  authenticate: authenticateSchema,
  "check-in": checkInSchema,
  advertise: advertiseSchema,
  share: shareSchema,
  confirm: confirmSchema,
  unmask: unmaskSchema,
  complaint: complaintSchema,
  leave: leaveSchema,
} as const;

export const deviceMessageSchema = z.discriminatedUnion("type", [
  deviceMessageSchemas.hello,
  deviceMessageSchemas.authenticate,
  deviceMessageSchemas["check-in"],
  deviceMessageSchemas.advertise,
  deviceMessageSchemas.share,
  deviceMessageSchemas.confirm,
  deviceMessageSchemas.unmask,
  deviceMessageSchemas.complaint,
  deviceMessageSchemas.leave,
]);
export type DeviceMessage = z.infer<typeof deviceMessageSchema>;
export type DeviceMessageOf<Type extends DeviceMessage["type"]> = Extract<DeviceMessage, { type: Type }>;

const SMALL: FrameBounds = {
  byteCountMax: LIMITS.smallFrameByteCountMax,
  entryCountMax: LIMITS.smallFrameEntryCountMax,
};

/** A small message plus a list of `itemCountMax` items. An item of `fieldCount` fields is 1 + 2 x fieldCount values. */
function listBounds(itemCountMax: number, fieldCount: number, itemByteCountMax: number): FrameBounds {
  return {
    byteCountMax: SMALL.byteCountMax + itemCountMax * itemByteCountMax,
    entryCountMax: SMALL.entryCountMax + itemCountMax * (1 + 2 * fieldCount),
  };
}

/** Bytes of an item: its keys, prefixes of up to 3 bytes, and the longest values that the schemas allow. */
const LEAF_BYTE_COUNT_MAX = 640;
const OWNED_SHARE_BYTE_COUNT_MAX = 90;

/** Bounds by type. Most messages have no list and are refused above a thousandth of the largest frame (W3). */
const BOUNDS_BY_TYPE: ReadonlyMap<string | null, FrameBounds> = new Map<DeviceMessage["type"], FrameBounds>([
  ["share", listBounds(LIMITS.rosterSizeMax, 3, LEAF_BYTE_COUNT_MAX)],
  ["unmask", listBounds(2 * LIMITS.rosterSizeMax, 2, OWNED_SHARE_BYTE_COUNT_MAX)],
]);

for (const { byteCountMax, entryCountMax } of BOUNDS_BY_TYPE.values()) {
  assert(byteCountMax <= FRAME_BOUNDS.byteCountMax, "a device's message fits a frame");
  assert(entryCountMax <= FRAME_BOUNDS.entryCountMax, "a device's message has no more entries than a frame");
}

/** Bounds of a frame of this type from a device that has logged in, for `decodeFrame`. */
export function deviceFrameBounds(type: string | null): FrameBounds {
  return BOUNDS_BY_TYPE.get(type) ?? SMALL;
}

/** Bounds before the login, when no message has a list. */
export const LOGIN_FRAME_BOUNDS = SMALL;

/** Headers of the PUT that carries R2. The body is the masked vector, u32 little-endian. */
export const inputHeadersSchema = z.strictObject({
  slot: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  sha256: hashHexSchema,
  /** Merkle root over the 64-KiB chunks of the body. */
  root: hashHexSchema,
  /** Signature over E(input, ...); 128 hex digits. */
  signature: z.string().regex(/^[0-9a-f]{128}$/),
  /** The log as the device saw it; absent if its config names none. */
  log: logHeadSchema.exactOptional(),
});
export type InputHeaders = z.infer<typeof inputHeadersSchema>;
