/*
 * What is known of a version and of the champion when gates are asked. Everything is a value: it was measured before.
 */

/** A figure with its 95 % interval, if it has one. */
export interface Figure {
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
  /** As measures name it: share, nats, none, or that of the label; or devices, bytes, ms. */
  readonly unit: string;
}

/** A figure of a model on held-out rows. */
export interface MeasuredFigure extends Figure {
  readonly name: string;
  /** For a title, and at the beginning of a sentence. */
  readonly label: string;
  readonly better: "higher" | "lower";
}

/** How the version's figures differ from the champion's, both asked of the same rows. */
export type Paired =
  | {
      readonly comparable: true;
      readonly measures: readonly {
        readonly name: string;
        /** The champion's figure and the version's. */
        readonly first: number;
        readonly second: number;
        /** Second less first, with its 95 % interval. */
        readonly difference: number;
        readonly low: number;
        readonly high: number;
      }[];
    }
  | {
      readonly comparable: false;
      /** A sentence. */
      readonly reason: string;
    };

/** Why something is not known, a sentence. */
export interface Unknown {
  readonly unknown: string;
}

/** The model as ONNX beside the engine, on the same rows. */
export interface Parity {
  /** Largest |a - b| / max(1, |a|) over all answers. */
  readonly difference: number;
  readonly rowCount: number;
}

/** Predictions of one row each. */
export interface Latency {
  readonly medianMs: number;
  /** By what and on what: "by onnxruntime, in a thread of the coordinator". */
  readonly where: string;
}

export interface GateEvidence {
  /** Of the version, on the present held-out rows; empty without any. */
  readonly measures: readonly MeasuredFigure[];
  /** Null if the task has no champion, or no gate compares. */
  readonly paired: Paired | null;
  /** Fewest devices in a committed round of its run, up to it. */
  readonly cohortSizeLeast: number | Unknown;
  /** Of its file of weights, which devices load. */
  readonly byteCount: number | Unknown;
  readonly parity: Parity | Unknown;
  readonly latency: Latency | Unknown;
}

/** Evidence that takes work, so that it is gathered only if a gate asks for it. */
export type Need = "figures" | "paired" | "cohort" | "size" | "parity" | "latency";

export function isUnknown<Known>(value: Known | Unknown): value is Unknown {
  return typeof value === "object" && value !== null && "unknown" in value;
}
