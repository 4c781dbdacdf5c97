import type { Bytes } from "../kernel/bytes.ts";
import type { Task } from "../task/task.ts";
import type { SealedOpening } from "./open-session.ts";
import type { RoundFacts } from "./round-transcript.ts";
import type { InputChunk } from "./spot-check.ts";

/** What the coordinator says of a committed round. */
export interface RoundClaims extends RoundFacts {
  readonly configHash: string;
  readonly roundHash: string;
  readonly inputsRoot: string;
  readonly transcriptHash: string;
  /** In the order of `sessionHashes`. */
  readonly shards: readonly number[];
  readonly task: Task;
  /** The strategy's state after the round before: null for none, undefined where it is not known. */
  readonly previousStateHash: string | null | undefined;
}

/** Where a round's parts come from; whatever it gives is checked. Null: there is no such thing any more. */
export interface AuditSource {
  transcript(shard: number): Promise<Bytes | null>;
  openings(shard: number): Promise<readonly SealedOpening[] | null>;
  chunk(shard: number, position: number, index: number): Promise<InputChunk | null>;
  /** The published sum in pieces of any length. */
  sum(): AsyncIterable<Uint8Array>;
  /** A model or a strategy's state. */
  blob(hash: string): Promise<Bytes | null>;
}
