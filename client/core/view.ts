import type { TableLook } from "#shared/data/read-csv.ts";
import type { ImportRefusal, ImportReport } from "#shared/data/report.ts";
import type { ConsentFacts } from "#shared/model/consent-words.ts";
import type { Receipt } from "#shared/protocol/api.ts";
import type { ErrorCode, WireError } from "#shared/protocol/errors.ts";
import type { ConsentEntry } from "#shared/task/consent-ledger.ts";
import type { BackendName } from "#shared/task/engine.ts";
import type { LocalMetrics } from "#shared/vector/segment.ts";
import type { Calibration, EngineLoss } from "./training-facts.ts";

/*
 * What a participant's page renders: one immutable value. Each change makes a new view; unchanged slices keep their
 * identity, so a page may memoise by slice. Nothing in it has left the device unless its name says so. Times are Unix
 * milliseconds, for people; durations end in their unit.
 */

export interface ParticipantView {
  /** One word for the status line; the slices have the details. */
  readonly stage: Stage;
  readonly connection: ConnectionView;
  readonly task: TaskSlice;
  readonly consent: ConsentView | null;
  /** Every agreement and withdrawal that this device keeps, oldest first. */
  readonly consents: readonly ConsentEntry[];
  readonly data: DataSlice;
  /** The files that are being read; null if there are none. */
  readonly reading: ReadingView | null;
  readonly engine: EngineView;
  /** The round that this device is in or was last in; null before the first. */
  readonly round: OwnRound | null;
  /** Newest first, without samples. `latest` has them, and `contribution` fetches them. */
  readonly contributions: readonly ContributionSummary[];
  /** The newest contribution from which something left, with its samples. */
  readonly latest: ContributionDetail | null;
  readonly budget: BudgetView;
  /** The last refusal, by the coordinator or by this device; null after the next success. */
  readonly refusal: Refusal | null;
  /** The file that shows what is wrong with the public log; while there is one, nothing is sent. Null otherwise. */
  readonly contradiction: string | null;
  /** The newest model that this device holds. */
  readonly model: ModelView | null;
}

/**
 * consent: nothing agreed to yet. data: agreed, no rows yet. ready: could start. locked: another tab takes part.
 * connecting, waiting (checked in, no round yet), in-round: taking part. mending: the engine stopped, and this device
 * is not ready until another one has trained a batch. paused, left: by the person.
 */
export type Stage =
  | "consent"
  | "data"
  | "ready"
  | "locked"
  | "connecting"
  | "waiting"
  | "in-round"
  | "mending"
  | "paused"
  | "left";

export interface ConnectionView {
  /** silent: open, but nothing has arrived for some seconds. cut: the browser says that it has no network. */
  readonly state: "offline" | "connecting" | "online" | "silent" | "cut";
  /** Time of the last change of `state`. */
  readonly since: number;
  /** Bytes on the wire since this page opened. */
  readonly upByteCount: number;
  readonly downByteCount: number;
}

export interface TaskSlice extends ConsentFacts {
  readonly taskHash: string;
  /** The heading for people. It may differ from the version's, which was agreed to. */
  readonly invitation: string;
  /** When it was taken off the list and closed to devices; null if it takes them. */
  readonly archivedAt: number | null;
  readonly parameterCount: number;
  /** Bits of the masked list per number of the model. */
  readonly bitsPerWeight: number;
  /** The segments of the list, in order. */
  readonly segments: readonly { readonly name: string; readonly length: number }[];
}

export interface ConsentView {
  readonly version: number;
  readonly taskHash: string;
  readonly agreedAt: number;
  /** False if the task, the coordinator's keys or its code have changed since: a new agreement is needed. */
  readonly current: boolean;
}

export interface DataSlice {
  readonly count: number;
  /** By class index. */
  /** By class, or for numbers by tenth of the label's range. */
  readonly countByGroup: readonly number[];
  /** Rows held back for this device's own evaluation; the others are trained on. */
  readonly localCount: number;
  /** Newest last, at most 200. Pictures have pixels in [0, 1]; for rows of a table they are null. */
  readonly examples: readonly ExampleView[];
  readonly lastImport: ImportView | null;
}
export interface ReadingView {
  /** Of the folder, the archive or the file. */
  readonly name: string;
  /** Of both counts; bytes are those of a table. */
  readonly unit: "pictures" | "bytes";
  readonly doneCount: number;
  readonly totalCount: number;
}
export interface ExampleView {
  readonly id: number;
  readonly label: number;
  /** [height * width], row by row. */
  readonly pixels: Float32Array | null;
}
/** A table that was read and is not added yet. */
export interface TableView {
  /** Null if the file is no table. */
  readonly look: TableLook | null;
  readonly report: ImportReport | null;
  /** Why nothing of it can be added. */
  readonly refusal: ImportRefusal | null;
  /** The first pictures of an image task, in the model's format. */
  readonly pictures: readonly { readonly pixels: Float32Array; readonly label: number }[];
}
export interface ImportView {
  readonly name: string;
  readonly at: number;
  readonly report: ImportReport | null;
  /** Set if the whole file was refused. */
  readonly refusal: ImportRefusal | null;
}

export interface EngineView {
  /** The engine in use; null if none is known to train this task. */
  readonly backend: BackendName | null;
  /** True while the engines are being timed. */
  readonly calibrating: boolean;
  readonly table: readonly Calibration[];
  /** Engines that stopped since this page or process began, newest last; used again only if a person chooses them. */
  readonly losses: readonly EngineLoss[];
}

/** The device's steps in a round, in order. */
export type RoundStep =
  | "downloading"
  | "training"
  /** Keys are announced; the roster is not fixed yet. */
  | "advertised"
  /** Key shares are out. */
  | "shared"
  | "masking"
  | "uploading"
  /** The masked list has arrived. */
  | "uploaded"
  | "confirmed"
  /** Shares that open the sum are sent. */
  | "opened"
  | "ended";
export type StepTimes = Readonly<Partial<Record<RoundStep, number>>>;

export interface OwnRound {
  readonly runId: string;
  readonly round: number;
  readonly attempt: number;
  readonly step: RoundStep;
  /** When each step began on this device: its own line in the score. */
  readonly stepsAt: StepTimes;
  /** When the coordinator stops waiting for the current step; null if nothing is awaited. */
  readonly deadlineAt: number | null;
  readonly training: TrainingView | null;
  /** `tries` above 1: the download was lost or stalled, and started again. */
  readonly download: {
    readonly doneByteCount: number;
    readonly byteCount: number;
    readonly tries: number;
  } | null;
  readonly upload: { readonly doneByteCount: number; readonly byteCount: number } | null;
  /** |U1|, |U2|, |U3| as this device was told and has checked; null until then. */
  readonly rosterSize: number | null;
  readonly sharedCount: number | null;
  readonly survivorCount: number | null;
  /** q and t of this roster. */
  readonly inputsNeeded: number | null;
  readonly threshold: number | null;
  readonly outcome: OutcomeView | null;
}
export interface TrainingView {
  /** Counts from 1. `step` counts over all epochs. */
  readonly epoch: number;
  readonly epochCount: number;
  readonly step: number;
  readonly stepCount: number;
  /** Mean loss of the finished epochs, in nats. */
  readonly epochLosses: readonly number[];
  readonly lossSoFar: number | null;
  readonly secondsLeft: number | null;
}

export type OutcomeView =
  | {
      readonly kind: "committed";
      readonly survivorCount: number;
      readonly modelHash: string;
      /** This device's list leads to the published root of the inputs; checked on the device. */
      readonly included: boolean;
      readonly proof: {
        readonly inputsRoot: string;
        readonly leafIndex: number;
        readonly path: readonly string[];
      };
      readonly at: number;
    }
  | {
      /** dropped: this device was gone or late. given-up: the attempt ended for all. voided: opened, sum discarded. */
      readonly kind: "dropped" | "given-up" | "voided" | "refused-by-device";
      readonly code: ErrorCode;
      readonly sentence: string;
      /** True if a masked list had already been sent in this round, in whatever attempt. */
      readonly sent: boolean;
      readonly at: number;
    };

/** Bytes that left this device in one round, as sent: frames, headers and body, without TLS and TCP. */
export interface ContributionParts {
  readonly maskedListByteCount: number;
  readonly keySharesByteCount: number;
  readonly keysAndSignaturesByteCount: number;
  readonly openingByteCount: number;
}

export interface ContributionSummary {
  /** Key for `contribution` and `downloadContribution`. */
  readonly id: string;
  readonly runId: string;
  readonly round: number;
  readonly attempt: number;
  readonly sid: string | null;
  readonly at: number;
  readonly stepsAt: StepTimes;
  readonly parts: ContributionParts;
  readonly numExamples: number;
  readonly epochLosses: readonly number[];
  /** On this device's held-back rows, with the round's model and after training. They left only inside the sum. */
  readonly before: LocalMetrics;
  readonly after: LocalMetrics;
  readonly rosterSize: number | null;
  readonly outcome: OutcomeView | null;
  /** The coordinator's receipt for the whole list. */
  readonly receipt: Receipt | null;
  /** SHA-256 of the masked list, and the root over its chunks that the sum's record contains. */
  readonly sha256: string | null;
  readonly root: string | null;
}

/**
 * The first numbers of the list from the update on, at most 2,048, three times: update + masks = left, modulo 2^32.
 * On the 16-bit ring they are halves of words. There the masks were added to whole words after the rotation, so the
 * sample does not add up.
 */
export interface ContributionDetail extends ContributionSummary {
  readonly sample: {
    /** Quantized; multiplied by `unit` it is the change of a weight. */
    readonly update: Int32Array;
    readonly masks: Uint32Array;
    readonly left: Uint32Array;
    /** Change of a weight per quantization step. */
    readonly unit: number;
  } | null;
  /** Over the whole list; `update` over its own segment. On the 16-bit ring, over the 16-bit numbers. */
  readonly histograms: {
    readonly update: Histogram;
    readonly masks: Histogram;
    readonly left: Histogram;
  } | null;
}
/** Equal bins over [from, to]. */
export interface Histogram {
  readonly from: number;
  readonly to: number;
  readonly counts: readonly number[];
}

export interface BudgetView {
  readonly used: number;
  readonly limit: number;
}

export interface Refusal {
  readonly code: ErrorCode;
  readonly sentence: string;
  readonly retry: WireError["retry"];
  readonly by: "coordinator" | "device";
  readonly at: number;
}

export interface ModelView {
  readonly modelHash: string;
  /** The run and round whose sum made it; null if it was only downloaded. */
  readonly runId: string | null;
  readonly round: number | null;
  readonly byteCount: number;
}
