import { z } from "zod";
import { type WireError, wireError } from "./errors.ts";

/*
 * Device and coordinator speak to each other only if both have the same version of the wire. A device names its own in
 * its hello, and the coordinator compares before it looks at anything else of the message, whose other fields may have
 * changed.
 *
 * | version | what changed                                                                          |
 * | ------- | ------------------------------------------------------------------------------------- |
 * | 1       | Named no version: its hello has no `wire`, and its coordinator refuses a hello that has |
 * | 2       | The hello names the version                                                           |
 *
 * Raise it with every change of a message that the other side would misread or refuse.
 */

export const WIRE_VERSION = 2;

const UNNAMED_VERSION = 1;

/** Of any version's hello, what says which version it is. */
export const helloOfAnyVersionSchema = z.looseObject({
  type: z.literal("hello"),
  wire: z.int().min(UNNAMED_VERSION).default(UNNAMED_VERSION),
});

/**
 * What the coordinator answers to a device of another version; null if it is the same one.
 *
 * A device of version 1 does not know the code WIRE_VERSION and would not read the sentence either. It is told the same
 * under BAD_MESSAGE, which ends its session just as well.
 */
export function versionRefusal(device: number): WireError | null {
  if (device === WIRE_VERSION) return null;
  const code = device === UNNAMED_VERSION ? "BAD_MESSAGE" : "WIRE_VERSION";
  return wireError(code, versionSentence({ device, coordinator: WIRE_VERSION }));
}

/**
 * What a refusal of this device's hello means. A coordinator of version 1 refuses the field `wire` as BAD_MESSAGE; a
 * later one never answers that to a hello of its own version, and says of others which side is older.
 */
export function readHelloRefusal(error: WireError): WireError {
  if (error.code !== "BAD_MESSAGE") return error;
  return wireError("WIRE_VERSION", versionSentence({ device: WIRE_VERSION, coordinator: UNNAMED_VERSION }));
}

function versionSentence({ device, coordinator }: { readonly device: number; readonly coordinator: number }) {
  return device < coordinator
    ? `This device is older than its coordinator: it speaks version ${device} of the wire, the coordinator version ${coordinator}. Reload the page; if this is an edge, update its program.`
    : `The coordinator is older than this device: it speaks version ${coordinator} of the wire, the device version ${device}. The coordinator must be updated by whoever runs it.`;
}
