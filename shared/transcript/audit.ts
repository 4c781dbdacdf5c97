import type { Bytes } from "../kernel/bytes.ts";
import type { Primitives, RandomBytes } from "../kernel/ports.ts";
import type { Pins } from "./check-task.ts";
import type { AuditSource, RoundClaims } from "./claims.ts";
import type { Digest } from "./published-sums.ts";

export interface AuditOptions {
  /** How many chunks to draw from the whole round; "all" recomputes every one. */
  readonly chunks: number | "all";
  readonly pins: Pins;
  /** The auditor's X25519 secret. */
  readonly auditorKey: Bytes;
  readonly random: RandomBytes;
  readonly digest: () => Digest;
  /** Receives each line for people as soon as it is known. */
  readonly report: (line: string) => void;
}

/** An audit of one round: the claims of its record, the source of its parts, and the options. */
export interface Audit extends AuditOptions {
  readonly primitives: Primitives;
  readonly claims: RoundClaims;
  readonly source: AuditSource;
}
