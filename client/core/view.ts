import type { Receipt } from "#shared/protocol/api.ts";
import type { ErrorCode, WireError } from "#shared/protocol/errors.ts";
import type { ImportRefusal, ImportReport } from "#shared/task/dataset.ts";
import type { BackendName } from "#shared/task/engine.ts";
import type { Task } from "#shared/task/task.ts";
import type { Calibration, EngineLoss, LocalMetrics } from "./ports.ts";

/*
 * What a participant's page renders: one immutable value. Each change makes a new view in which the slices that did not
 * change keep their identity, so a page may memoise by slice. Nothing in here has left the device unless its name says so.
 * Times are Unix milliseconds, for people; durations end in their unit.
 */

export interface ParticipantView {
  /** The one word for the state line; the slices say more. */
  readonly stage: Stage;
  readonly connection: ConnectionView;
  readonly task: TaskSlice;
  readonly consent: ConsentView | null;
  readonly data: DataSlice;
  readonly engine: EngineView;
  /** The round that this device is in, or was in last; null before the first. */
  readonly round: RoundView | null;
  /** Newest first; without samples (those are in `latest`, or asked for with `contribution`). */
  readonly contributions: readonly ContributionSummary[];
  /** The newest contribution of which something left, with its samples. */
  readonly latest: ContributionDetail | null;
  readonly budget: BudgetView;
  /** The last thing that was refused, by the coordinator or by this device; null after the next success. */
  readonly refusal: Refusal | null;
  /** The newest model that this device holds. */
  readonly model: ModelView | null;
}

/**
 * consent: nothing agreed to yet. data: agreed, too few rows. ready: could start. locked: another tab takes part.
 * connecting, waiting (checked in, no round yet), in-round: taking part. mending: the engine stopped, so this device is
 * not ready until another has trained a batch. paused, left: by the person.
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
  readonly state: "offline" | "connecting" | "online";
  /** Since when it is so. */
  readonly since: number;
  /** Bytes on the wire since this page opened. */
  readonly upByteCount: number;
  readonly downByteCount: number;
}

export interface TaskSlice {
  /** The newest version that the coordinator serves. */
  readonly task: Task;
  readonly taskHash: string;
  /** Fewest others in a sum: cohortSizeMin - 1. */
  readonly othersMin: number;
  readonly parameterCount: number;
  /** Numbers in the masked list: update, weight, metrics and check numbers. */
  readonly vectorLength: number;
  readonly maskedByteCount: number;
  /** Of the masked list, for each number of the model. */
  readonly bitsPerWeight: number;
  /** Keys, shares and signatures of a round with `goal` devices, about; measured sizes are in the contributions. */
  readonly keysByteCountAbout: number;
  /** Where the rest of the list comes from. */
  readonly segments: readonly { readonly name: string; readonly length: number }[];
}

export interface ConsentView {
  readonly version: number;
  readonly taskHash: string;
  readonly agreedAt: number;
  /** False where the task has a newer version, which has to be agreed to again. */
  readonly current: boolean;
}

export interface DataSlice {
  readonly count: number;
  /** By class index. */
  readonly countByClass: readonly number[];
  /** Kept back for this device's own evaluation; the rest is trained on. */
  readonly localCount: number;
  /** Newest last, at most 200; pictures have their pixels in [0, 1], rows of a table null. */
  readonly examples: readonly ExampleView[];
  readonly lastImport: ImportView | null;
}
export interface ExampleView {
  readonly id: number;
  readonly label: number;
  /** [height * width], row by row. */
  readonly pixels: Float32Array | null;
}
export interface ImportView {
  readonly name: string;
  readonly at: number;
  readonly report: ImportReport | null;
  /** Where the whole file was refused. */
  readonly refusal: ImportRefusal | null;
}

export interface EngineView {
  /** The one in use; null where none is known to train this task. */
  readonly backend: BackendName | null;
  /** True while the engines are being timed. */
  readonly calibrating: boolean;
  readonly table: readonly Calibration[];
  /** Engines that stopped since this page or process began, newest last; they are taken again only if chosen. */
  readonly losses: readonly EngineLoss[];
}

/** What the device does in its round, in order. */
export type RoundStep =
  | "downloading"
  | "training"
  /** Keys are announced; the list of devices is not fixed yet. */
  | "advertised"
  /** Key shares are out. */
  | "shared"
  | "masking"
  | "uploading"
  /** The masked list is in. */
  | "uploaded"
  | "confirmed"
  /** Shares that open the sum are given. */
  | "opened"
  | "ended";
export type StepTimes = Readonly<Partial<Record<RoundStep, number>>>;

export interface RoundView {
  readonly runId: string;
  readonly round: number;
  readonly attempt: number;
  readonly step: RoundStep;
  /** When each step began on this device: its own line in the score. */
  readonly stepsAt: StepTimes;
  /** When the coordinator stops waiting for the current step; null where nothing is awaited. */
  readonly deadlineAt: number | null;
  readonly training: TrainingView | null;
  /** `tries` above 1: it was lost or stood still on the way, and was begun again. */
  readonly download: {
    readonly doneByteCount: number;
    readonly byteCount: number;
    readonly tries: number;
  } | null;
  readonly upload: { readonly doneByteCount: number; readonly byteCount: number } | null;
  /** |U1|, |U2|, |U3| as this device was told and checked; null before. */
  readonly rosterSize: number | null;
  readonly sharedCount: number | null;
  readonly survivorCount: number | null;
  /** q and t of this roster. */
  readonly inputsNeeded: number | null;
  readonly threshold: number | null;
  readonly outcome: OutcomeView | null;
}
export interface TrainingView {
  /** 1-based; step counts over all epochs. */
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
      /** This device's list leads to the published root of the inputs; checked here. */
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
      /** Whether the masked list had already been sent. */
      readonly sent: boolean;
      readonly at: number;
    };

/** Bytes that left this device in one round, as sent (frames, headers and body; without TLS and TCP). */
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
  /** On this device's kept-back rows, with the round's model and after training; they left only inside the sum. */
  readonly before: LocalMetrics;
  readonly after: LocalMetrics;
  readonly rosterSize: number | null;
  readonly outcome: OutcomeView | null;
  /** That the coordinator stored the whole list. */
  readonly receipt: Receipt | null;
  /** SHA-256 of the masked list, and the root over its chunks that stands in the sum's record. */
  readonly sha256: string | null;
  readonly root: string | null;
}

/**
 * The first numbers of the list three times, at most 2,048: update + masks = left, modulo 2^32. On the 16-bit ring these
 * are halves of words; the masks were put on whole words after the update was rotated, so there the sum cannot be seen.
 */
export interface ContributionDetail extends ContributionSummary {
  readonly sample: {
    /** Quantized; times `unit` it is the change of a weight. */
    readonly update: Int32Array;
    readonly masks: Uint32Array;
    readonly left: Uint32Array;
    /** Change of a weight for one quantization step. */
    readonly unit: number;
  } | null;
  /** Over the whole list (the update's over its own segment); on the 16-bit ring over the numbers of 16 bits. */
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
  /** Of the run and round whose sum it came from; null where it was only downloaded. */
  readonly runId: string | null;
  readonly round: number | null;
  readonly byteCount: number;
}
