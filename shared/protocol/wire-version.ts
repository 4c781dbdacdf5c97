import { z } from "zod";
import { type WireError, wireError } from "./errors.ts";

/*
 * Device and coordinator talk only if both have the same version of the wire. A device names its version in the hello. The
 * coordinator compares it before it reads the other fields of the message, which may have changed. A coordinator states its
 * own in its status, and a device compares that before it connects.
 *
 * | version | what changed                                                                          |
 * | ------- | ------------------------------------------------------------------------------------- |
 * | 1       | No version: the hello has no `wire`, and a coordinator refuses a hello that has one   |
 * | 2       | The hello names the version                                                           |
 * | 3       | Codes REVOKED, BY_INVITATION and TOKEN_ENDED; a device may name its program's version |
 * | 4       | Proofs of the public log in `invite` and `open`; devices state what they saw of it    |
 *
 * Raise the version with every change to a message that the other side would misread or refuse.
 */

export const WIRE_VERSION = 4;

const UNNAMED_VERSION = 1;

/** The part of a hello that states the version, for hellos of any version. */
export const helloOfAnyVersionSchema = z.looseObject({
  type: z.literal("hello"),
  wire: z.int().min(UNNAMED_VERSION).default(UNNAMED_VERSION),
});

/**
 * The coordinator's answer to a device of another version; null if the versions are the same.
 *
 * A device of version 1 does not know the code WIRE_VERSION and would ignore the whole error. It gets the same sentence
 * under BAD_MESSAGE, which also ends its session.
 */
export function versionRefusal(device: number): WireError | null {
  if (device === WIRE_VERSION) return null;
  const code = device === UNNAMED_VERSION ? "BAD_MESSAGE" : "WIRE_VERSION";
  return wireError(code, versionSentence({ device, coordinator: WIRE_VERSION }));
}

/**
 * Interprets a refusal of this device's hello. A coordinator of version 1 refuses the field `wire` as BAD_MESSAGE. A later
 * one never does so to a hello of its own version, and tells others which side is older.
 */
export function readHelloRefusal(error: WireError): WireError {
  if (error.code !== "BAD_MESSAGE") return error;
  return wireError("WIRE_VERSION", versionSentence({ device: WIRE_VERSION, coordinator: UNNAMED_VERSION }));
}

/** The part of a status that states the coordinator's version. Absent: it does not state one before the hello. */
const statusOfAnyVersionSchema = z.looseObject({ wire: z.int().min(UNNAMED_VERSION).optional() });

/** What a device makes of a coordinator's status before it connects; null if nothing in it speaks against a hello. */
export function readStatusVersion(status: unknown): WireError | null {
  const read = statusOfAnyVersionSchema.safeParse(status);
  const coordinator = read.success ? read.data.wire : undefined;
  if (coordinator === undefined || coordinator === WIRE_VERSION) return null;
  return wireError("WIRE_VERSION", versionSentence({ device: WIRE_VERSION, coordinator }));
}

function versionSentence({ device, coordinator }: { readonly device: number; readonly coordinator: number }) {
  return device < coordinator
    ? `This device is older than its coordinator: it speaks version ${device} of the wire, the coordinator version ${coordinator}. Reload the page; if this is an edge, update its program.`
    : `The coordinator is older than this device: it speaks version ${coordinator} of the wire, the device version ${device}. Whoever runs the coordinator must update it.`;
}
