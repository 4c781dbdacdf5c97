import { present } from "#shared/kernel/assert.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import type { Position } from "#shared/kernel/places.ts";
import type { Primitives, Signer } from "#shared/kernel/ports.ts";
import type { Result } from "#shared/kernel/result.ts";
import { decodeFrame, encodeFrame, type FrameError } from "#shared/protocol/frame.ts";
import { type DeviceMessage, deviceMessageSchema } from "#shared/protocol/messages/device.ts";
import type { AttemptTerms } from "#shared/secagg/attempt.ts";
import type { ClientState, ClientTools, Remembrance } from "#shared/secagg/client-state.ts";
import type { AgreedConfig } from "#shared/task/config.ts";
import type { Engine } from "../secagg-engine.ts";

/* One device of a cohort in memory, and what a cohort is made of. */

/** The last step that a device takes part in; devices without one stay to the end. */
export type LastStep = "advertise" | "share" | "input" | "confirm";
export const STEP_ORDER = ["advertise", "share", "input", "confirm"] as const;

export interface CohortOptions {
  readonly count: number;
  readonly seed?: string;
  /** Default: 64. */
  readonly vectorLength?: number;
  readonly config?: Partial<AgreedConfig>;
  readonly terms?: Partial<Pick<AttemptTerms, "runId" | "round" | "attempt" | "shard" | "modelHash" | "log">>;
  readonly roundParams?: Partial<AttemptTerms["roundParams"]>;
  /** Plain input of a position, `vectorLength` words; by default seeded random words. */
  readonly input?: (position: number) => Uint32Array<ArrayBuffer>;
  /** By position. */
  readonly lastSteps?: ReadonlyMap<number, LastStep>;
  /** Seed of the identities, to take part with the same identities as another cohort. */
  readonly identitySeed?: string;
  /** Existing identities, `count` of them. */
  readonly signers?: readonly Signer[];
  /** Fake cryptography, for tests of who says what to whom. */
  readonly fake?: boolean;
  /** Default: the product's. */
  readonly engine?: Engine;
  /** Default: the platform's best. */
  readonly primitives?: Primitives;
}

export interface CohortDevice {
  readonly position: Position;
  readonly signer: Signer;
  readonly certificate: Bytes;
  tools: ClientTools;
  /** The plain input, for the oracle. */
  input: Uint32Array<ArrayBuffer>;
  state: ClientState;
  readonly remembered: Remembrance[];
  readonly sent: DeviceMessage[];
  /** The body of R2; null before. */
  body: Bytes | null;
}

export type Unmask = Extract<DeviceMessage, { type: "unmask" }>;

/** The newest message of a type that a device sent. */
export function lastSent<Type extends DeviceMessage["type"]>(
  device: CohortDevice,
  type: Type,
): Extract<DeviceMessage, { type: Type }> {
  const message = device.sent.findLast((sent) => sent.type === type);
  return present(message, `a ${type} message`) as Extract<DeviceMessage, { type: Type }>;
}

/** A message as it arrives: encoded, decoded and checked. */
export function overTheWire(message: DeviceMessage): DeviceMessage {
  return wellFormed(decodeFrame(encodeFrame(message), deviceMessageSchema));
}

/** The error text is built only on failure, because there are a hundred thousand messages. */
export function wellFormed<Message>(decoded: Result<Message, FrameError>): Message {
  if (!decoded.ok) throw new Error(`not a well-formed message: ${JSON.stringify(decoded.error)}`);
  return decoded.value;
}
