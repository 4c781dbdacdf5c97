import type { Portability } from "#shared/export/portability.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import type { HashHex } from "#shared/protocol/ids.ts";
import type { Evaluation } from "#shared/task/evaluation.ts";
import type { HeldOutReading } from "#shared/task/held-out.ts";
import type { OperatingPoint } from "#shared/task/operating-point.ts";
import type { Comparison } from "#shared/task/report/comparison.ts";
import type { JudgedModel } from "../core/ports/ports.ts";

/** Held-out rows and how they are read. */
export interface RowsPlace {
  /** File of the held-out rows. Its name is the hash of its bytes. */
  readonly path: string;
  readonly reading: HeldOutReading;
  readonly heldOutHash: HashHex;
  readonly operatingPoint: OperatingPoint;
}

/** What a report says of this code. */
export interface ReportedCode {
  readonly version: string;
  readonly hash: HashHex;
}

export interface EvaluateJob extends RowsPlace, JudgedModel {
  readonly kind: "evaluate";
  readonly code: ReportedCode;
}

export interface CompareJob extends RowsPlace {
  readonly kind: "compare";
  readonly first: JudgedModel;
  readonly second: JudgedModel;
}

/** Tries a model in another runtime. Without rows on random data alone. */
export interface PortabilityJob extends JudgedModel {
  readonly kind: "portability";
  readonly place: RowsPlace | null;
}

export type EvaluatorJob = EvaluateJob | CompareJob | PortabilityJob;

export interface EvaluateAnswer {
  readonly kind: "evaluate";
  readonly sums: Evaluation;
  /** Canonical JSON of an `EvaluationReport`. */
  readonly report: Bytes;
}

export interface CompareAnswer {
  readonly kind: "compare";
  readonly comparison: Comparison;
}

export interface PortabilityAnswer {
  readonly kind: "portability";
  readonly portability: Portability;
}

export type EvaluatorAnswer = EvaluateAnswer | CompareAnswer | PortabilityAnswer;
