import { Decoder, Encoder } from "@msgpack/msgpack";
import type { z } from "zod";
import type { Bytes } from "../kernel/bytes.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import { LIMITS } from "./limits.ts";

/*
 * One frame is one MessagePack map, alone, whole and without extensions.
 *
 * | limit  | value                       |
 * | ------ | --------------------------- |
 * | bytes  | LIMITS.frameByteCountMax    |
 * | depth  | LIMITS.nestingDepthMax      |
 * | shape  | a strict schema of messages/|
 */

/** @throws on a value that no message holds (a programmer's fault). */
export function encodeFrame(message: object): Bytes {
  return new Encoder({ maxDepth: LIMITS.nestingDepthMax, ignoreUndefined: true }).encode(message) as Bytes;
}

/**
 * @param bytes   Whatever a peer sent; any type.
 * @param schema  A union of strict message schemas.
 * @param byteCountMax  Of a control frame unless something else is read.
 * Errors: `bad-frame` where it is no frame, `too-large`, `bad-message` with the first thing that is wrong.
 */
export function decodeFrame<Schema extends z.ZodType>(
  bytes: unknown,
  schema: Schema,
  byteCountMax: number = LIMITS.frameByteCountMax,
): Result<z.output<Schema>, FrameError> {
  const view =
    bytes instanceof Uint8Array ? bytes : bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : undefined;
  if (view === undefined) return err({ type: "bad-frame" });
  if (view.length > byteCountMax) return err({ type: "too-large" });
  // The decoder allocates an array as long as its prefix claims; a nest of such claims would exhaust memory.
  if (claimsTooMuch(view)) return err({ type: "bad-frame" });
  let raw: unknown;
  try {
    raw = new Decoder({
      maxStrLength: view.length,
      maxBinLength: view.length,
      maxArrayLength: view.length,
      maxMapLength: view.length,
      maxExtLength: 0,
    }).decode(view);
  } catch {
    return err({ type: "bad-frame" });
  }
  const parsed = schema.safeParse(raw);
  if (parsed.success) return ok(parsed.data);
  const issue = parsed.error.issues[0];
  return err({ type: "bad-message", at: issue?.path.join(".") ?? "", problem: issue?.message ?? "" });
}
export type FrameError =
  | { readonly type: "bad-frame" }
  | { readonly type: "too-large" }
  | { readonly type: "bad-message"; readonly at: string; readonly problem: string };

/**
 * True where `bytes` nest deeper than the limit, claim more elements than bytes are left, or end early: a walk over the
 * MessagePack prefixes alone, without allocating what they claim.
 *
 * Source: the MessagePack specification, "Formats".
 */
function claimsTooMuch(bytes: Uint8Array): boolean {
  const open: number[] = [1];
  let offset = 0;
  const length = (byteCount: number) => {
    let value = 0;
    for (let index = 0; index < byteCount; index++) value = value * 256 + (bytes[offset + index] ?? 0);
    offset += byteCount;
    return value;
  };
  const skip = (byteCount: number) => {
    offset += byteCount;
  };
  while (open.length > 0) {
    const left = open[open.length - 1] as number;
    if (left === 0) {
      open.pop();
      continue;
    }
    open[open.length - 1] = left - 1;
    const prefix = bytes[offset++];
    if (prefix === undefined) return true;
    let children = 0;
    if (prefix >= 0x80 && prefix <= 0x8f) children = 2 * (prefix & 15);
    else if (prefix >= 0x90 && prefix <= 0x9f) children = prefix & 15;
    else if (prefix >= 0xa0 && prefix <= 0xbf) skip(prefix & 31);
    else if (prefix === 0xc4 || prefix === 0xd9) skip(length(1));
    else if (prefix === 0xc5 || prefix === 0xda) skip(length(2));
    else if (prefix === 0xc6 || prefix === 0xdb) skip(length(4));
    else if (prefix >= 0xca && prefix <= 0xd3) skip([4, 8, 1, 2, 4, 8, 1, 2, 4, 8][prefix - 0xca] as number);
    else if (prefix === 0xdc) children = length(2);
    else if (prefix === 0xdd) children = length(4);
    else if (prefix === 0xde) children = 2 * length(2);
    else if (prefix === 0xdf) children = 2 * length(4);
    else if (
      prefix === 0xc1 ||
      prefix === 0xc7 ||
      prefix === 0xc8 ||
      prefix === 0xc9 ||
      (prefix >= 0xd4 && prefix <= 0xd8)
    ) {
      return true; // never used, or an extension
    }
    if (offset > bytes.length || children > bytes.length - offset) return true;
    if (children > 0) open.push(children);
    if (open.length > LIMITS.nestingDepthMax) return true;
  }
  return offset !== bytes.length;
}
