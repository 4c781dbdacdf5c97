import { z } from "zod";
import type { Brand } from "../kernel/brand.ts";
import type { Bytes } from "../kernel/bytes.ts";
import type { Position } from "../kernel/places.ts";
import { LIMITS } from "./limits.ts";

const hex = (byteCount: number) =>
  z.string().regex(new RegExp(`^[0-9a-f]{${2 * byteCount}}$`), `${2 * byteCount} lower-case hex digits`);

/** A UUIDv7 as 32 hex digits. It is also the MLflow `run_id`. */
export type RunId = Brand<string, "RunId">;
export const runIdSchema = hex(16).transform((text) => text as RunId);

/** The first 16 bytes of SHA-256(E("chorus/1/round-id", runId, round)), in hex. */
export type RoundId = Brand<string, "RoundId">;
export const roundIdSchema = hex(16).transform((text) => text as RoundId);

/** SHA-256 of what it names, 64 hex digits. */
export type HashHex = Brand<string, "HashHex">;
export const hashHexSchema = hex(32).transform((text) => text as HashHex);

/** SHA-256(E("chorus/1/sid", H, A_1, ..., A_n)) as 64 hex digits. Names one attempt of a round with one roster. */
export type SessionId = Brand<string, "SessionId">;
export const sessionIdSchema = hex(32).transform((text) => text as SessionId);

export const positionSchema = z
  .int()
  .min(1)
  .max(LIMITS.rosterSizeMax)
  .transform((value) => value as Position);

export type TaskSlug = Brand<string, "TaskSlug">;
export const taskSlugSchema = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/, "lower-case letters, digits and inner hyphens, at most 64")
  .transform((text) => text as TaskSlug);

export const taskVersionSchema = z.int().min(1).max(1_000_000);

/** Name of a public log, as its checkpoints begin with it: printable ASCII without blanks and "+" (C2SP signed-note). */
export const logOriginSchema = z
  .string()
  .regex(/^[!-*,-~]{1,128}$/, "at most 128 printable characters, without blanks and +");

/** Number of entries of a public log. Signed as a u32. */
export const logSizeSchema = z
  .int()
  .min(0)
  .max(2 ** 32 - 1);

/** A state of a public log. */
export const logHeadSchema = z.strictObject({ size: logSizeSchema, root: hashHexSchema });
export type LogHead = z.infer<typeof logHeadSchema>;

/** An integer in an address or a query: "7", but not "07", "7.0", "0x7" or "7e0", which parsers read differently. */
export const decimalSchema = z
  .string()
  .regex(/^(?:0|[1-9]\d{0,14})$/, "decimal digits")
  .transform(Number);

/** Exactly `byteCount` bytes, copied from the frame. */
export const bytesSchema = (byteCount: number) =>
  z
    .instanceof(Uint8Array)
    .refine((bytes) => bytes.length === byteCount, `${byteCount} bytes`)
    .transform((bytes): Bytes => new Uint8Array(bytes));

/** At most `byteCountMax` bytes, copied from the frame. */
export const bytesUpToSchema = (byteCountMax: number) =>
  z
    .instanceof(Uint8Array)
    .refine((bytes) => bytes.length <= byteCountMax, `at most ${byteCountMax} bytes`)
    .transform((bytes): Bytes => new Uint8Array(bytes));
