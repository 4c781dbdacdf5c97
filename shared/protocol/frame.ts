import { Decoder, Encoder } from "@msgpack/msgpack";
import type { z } from "zod";
import type { Bytes } from "../kernel/bytes.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import { LIMITS } from "./limits.ts";
import { entryCountOf, scanMessagePack } from "./message-pack.ts";

/*
 * A frame is exactly one complete MessagePack map without extensions.
 *
 * | limit   | value                                                    |
 * | ------- | -------------------------------------------------------- |
 * | bytes   | by the bounds; default LIMITS.frameByteCountMax          |
 * | entries | by the bounds; counted before anything is decoded        |
 * | depth   | LIMITS.nestingDepthMax                                   |
 * | shape   | a strict schema of messages/                             |
 */

export interface FrameBounds {
  readonly byteCountMax: number;
  /** Values of any kind, including keys. */
  readonly entryCountMax: number;
}

/** Bounds of any frame between a device and its coordinator. */
export const FRAME_BOUNDS: FrameBounds = {
  byteCountMax: LIMITS.frameByteCountMax,
  entryCountMax: LIMITS.frameEntryCountMax,
};

/** @throws on a value that no message contains, which is our own fault. */
export function encodeFrame(message: object): Bytes {
  return new Encoder({ maxDepth: LIMITS.nestingDepthMax, ignoreUndefined: true }).encode(message) as Bytes;
}

/**
 * @param bytes     Whatever a peer sent, of any type.
 * @param schema    A union of strict message schemas.
 * @param bounds    Bounds of all frames that may arrive.
 * @param boundsOf  Tighter bounds by the text under "type", null if a frame has none.
 * Errors: `bad-frame` if it is not a frame; `too-large`; `bad-message` with the first fault.
 */
export function decodeFrame<Schema extends z.ZodType>(
  bytes: unknown,
  schema: Schema,
  bounds: FrameBounds = FRAME_BOUNDS,
  boundsOf: (type: string | null) => FrameBounds = () => bounds,
): Result<z.output<Schema>, FrameError> {
  const view =
    bytes instanceof Uint8Array ? bytes : bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : undefined;
  if (view === undefined) return err({ type: "bad-frame" });
  if (view.length > bounds.byteCountMax) return err({ type: "too-large" });
  const scan = scanMessagePack(view, {
    entryCountMax: bounds.entryCountMax,
    nestingDepthMax: LIMITS.nestingDepthMax,
  });
  if (!scan.ok) return err({ type: scan.error.type === "too-many" ? "too-large" : "bad-frame" });
  const { byteCountMax, entryCountMax } = boundsOf(scan.value.type);
  if (view.length > byteCountMax || scan.value.entryCount > entryCountMax) return err({ type: "too-large" });
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
  // A key that came twice, of which another reader might keep the first (W4).
  if (entryCountOf(raw) !== scan.value.entryCount) return err({ type: "bad-frame" });
  const parsed = schema.safeParse(raw);
  if (parsed.success) return ok(parsed.data);
  const issue = parsed.error.issues[0];
  return err({ type: "bad-message", at: issue?.path.join(".") ?? "", problem: issue?.message ?? "" });
}
export type FrameError =
  | { readonly type: "bad-frame" }
  | { readonly type: "too-large" }
  | { readonly type: "bad-message"; readonly at: string; readonly problem: string };
