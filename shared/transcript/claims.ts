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
  /** Inputs in each of these sums and in all; null where that is not said. */
  readonly survivorCounts: readonly (number | null)[];
  readonly survivorCount: number | null;
  readonly weightSum: number | null;
  readonly task: Task;
  readonly before: RoundsBefore;
}

/** A round that left no model of its own. */
export interface RoundWithoutModel {
  readonly round: number;
  /** After a voided one the model takes a void step. */
  readonly phase: "voided" | "failed";
  readonly parentModelHash: string;
}

/** What the records of the run say of the rounds before; `since` ascending, those after the last committed one. */
export type RoundsBefore =
  | {
      readonly kind: "committed";
      readonly round: number;
      readonly modelHash: string;
      /** Null where the strategy keeps nothing, undefined where the record does not say. */
      readonly strategyStateHash: string | null | undefined;
      readonly since: readonly RoundWithoutModel[];
    }
  /** No round has committed: the run began with the model of its seed. */
  | { readonly kind: "beginning"; readonly seed: number; readonly since: readonly RoundWithoutModel[] }
  /** A record cannot be had; the sentence says which. */
  | { readonly kind: "unknown"; readonly why: string };

/** Where a round's parts come from; whatever it gives is checked. Null: there is no such thing any more. */
export interface AuditSource {
  transcript(shard: number): Promise<Bytes | null>;
  openings(shard: number): Promise<readonly SealedOpening[] | null>;
  /** What is not published of the session's sum, with its salt, sealed to the auditor. */
  evidence(shard: number): Promise<Bytes | null>;
  chunk(shard: number, position: number, index: number): Promise<InputChunk | null>;
  /** The published sum in pieces of any length. */
  sum(): AsyncIterable<Uint8Array>;
  /** A model or a strategy's state. */
  blob(hash: string): Promise<Bytes | null>;
}
