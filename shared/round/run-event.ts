import type { Launch } from "../protocol/api.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import type { StrategySpec } from "../strategy/index.ts";
import type { ForbiddenPair, MeasureFact } from "./event.ts";

/*
 * What happens to a run; its log. Logs of earlier versions lack the fields that may be absent, or have figures where
 * `evaluated` brings them now.
 *
 * | event          | means                                                        |
 * | -------------- | ------------------------------------------------------------ |
 * | launched       | somebody wants it; first in every log                        |
 * | started        | its turn has come; the initial model is in the blob store    |
 * | wait-began     | fewer devices than a round needs are ready                   |
 * | wait-expired   | the time until which the launch waits has come               |
 * | round-opened   | a round is to be opened, from this model                     |
 * | round-ended    | and how it ended                                             |
 * | evaluated      | the figures of a published model, or why there are none      |
 * | pause-asked    | no new round after the current one                           |
 * | resume-asked   | go on                                                        |
 * | stop-asked     | end; a round that was not opened yet is given up             |
 * | broken         | it cannot go on                                              |
 */
export type RunEvent =
  | RunStarted
  | { readonly type: "wait-began"; readonly atUnixMs: number; readonly ready: number }
  | { readonly type: "wait-expired"; readonly atUnixMs: number }
  | RoundToOpen
  | RoundEnded
  | Evaluated
  | { readonly type: "pause-asked" | "resume-asked" | "stop-asked"; readonly actor: string }
  | { readonly type: "broken"; readonly code: ErrorCode };

export type RunEventType = RunEvent["type"];

export interface RunLaunched {
  readonly type: "launched";
  readonly runId: string;
  readonly number: number;
  readonly task: string;
  readonly taskVersion: number;
  readonly rounds: number;
  readonly strategy: StrategySpec;
  readonly training: NonNullable<Launch["training"]>;
  readonly seed: number;
  readonly actor: string;
  readonly configHash: string;
  readonly roundHash: string;
  /** Devices that must be ready for a round to open; see `devicesNeeded`. Absent in older logs. */
  readonly devicesNeeded?: number;
  /** A run that waits for devices or for its turn ends then. Absent: it waits as long as it takes. */
  readonly waitUntilUnixMs?: number;
}

export interface RunStarted {
  readonly type: "started";
  readonly modelHash: string;
  /** In logs that are older than `evaluated`. */
  readonly accuracy?: MeasureFact | undefined;
  readonly loss?: MeasureFact | undefined;
}

export interface RoundToOpen {
  readonly type: "round-opened";
  readonly round: number;
  readonly modelHash: string;
  /** Devices that are ready. Absent in logs of before runs waited. */
  readonly ready?: number;
}

export interface RoundEnded {
  readonly type: "round-ended";
  readonly round: number;
  readonly outcome: "committed" | "voided" | "failed";
  readonly code: ErrorCode | null;
  /** With outcome failed: fewer devices than a round needs stood in its recruiting. Such a round counts for nothing. */
  readonly shortOfDevices?: boolean;
  /** The model that the next round starts from; the void step's after a voided one. */
  readonly modelHash: string;
  readonly strategyStateHash: string | null;
  /** With outcome committed, in logs that are older than `evaluated`. */
  readonly accuracy?: MeasureFact | null | undefined;
  readonly loss?: MeasureFact | null | undefined;
  readonly seconds: number;
  readonly forbiddenPairs: readonly ForbiddenPair[];
  readonly removed: readonly string[];
}

/** What central evaluation found, of the held-out rows. */
export interface Measures {
  readonly accuracy: MeasureFact;
  readonly loss: MeasureFact;
}

export interface Evaluated {
  readonly type: "evaluated";
  /** 0 is the initial model. */
  readonly round: number;
  readonly modelHash: string;
  readonly measures: Measures | null;
  /** With measures null. */
  readonly code: ErrorCode | null;
}
