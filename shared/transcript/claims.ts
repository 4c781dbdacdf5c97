import type { Bytes } from "../kernel/bytes.ts";
import type { Position } from "../kernel/places.ts";
import type { Task } from "../task/task.ts";
import type { SealedOpening } from "./open-session.ts";
import type { RoundFacts } from "./round-transcript.ts";
import type { InputChunk } from "./spot-check.ts";

/** What the coordinator claims about a committed round. */
export interface RoundClaims extends RoundFacts {
  readonly configHash: string;
  readonly roundHash: string;
  readonly inputsRoot: string;
  readonly transcriptHash: string;
  /** In the order of `sessionHashes`. */
  readonly shards: readonly number[];
  /** Number of inputs in each of these sums, and below in all of them; null if the record does not say. */
  readonly survivorCounts: readonly (number | null)[];
  readonly survivorCount: number | null;
  readonly weightSum: number | null;
  readonly task: Task;
  readonly before: RoundsBefore;
}

/** A round that did not make a model. */
export interface RoundWithoutModel {
  readonly round: number;
  /** After a voided round the model takes a void step. */
  readonly phase: "voided" | "failed";
  readonly parentModelHash: string;
}

/** The run's records of the rounds before. `since` has the rounds after the last committed one, ascending. */
export type RoundsBefore =
  | {
      readonly kind: "committed";
      readonly round: number;
      readonly modelHash: string;
      /** Null if the strategy has no state, undefined if the record does not say. */
      readonly strategyStateHash: string | null | undefined;
      readonly since: readonly RoundWithoutModel[];
    }
  /** No round has committed yet, so the run is still at the version of the task's models that it began with. */
  | {
      readonly kind: "version";
      readonly version: number;
      readonly modelHash: string;
      readonly since: readonly RoundWithoutModel[];
    }
  /** The same for a run that began with an initial model from its seed. */
  | { readonly kind: "beginning"; readonly seed: number; readonly since: readonly RoundWithoutModel[] }
  /** A record is not available. The sentence says which. */
  | { readonly kind: "unknown"; readonly why: string };

/** Where a round's parts come from. It is not trusted: everything is checked. Null means that the part no longer exists. */
export interface AuditSource {
  transcript(shard: number): Promise<Bytes | null>;
  openings(shard: number): Promise<readonly SealedOpening[] | null>;
  /** The session's evidence with its salt, sealed to the auditor. */
  evidence(shard: number): Promise<Bytes | null>;
  chunk(shard: number, position: Position, index: number): Promise<InputChunk | null>;
  /** The published sum in pieces of any length. */
  sum(): AsyncIterable<Uint8Array>;
  /** A model or a strategy's state. */
  blob(hash: string): Promise<Bytes | null>;
}
