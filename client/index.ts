import { err, type Result } from "#shared/kernel/result.ts";
import type { ImportRefusal, ImportReport } from "#shared/task/dataset.ts";
import type { BackendName } from "#shared/task/engine.ts";
import { openOverWorker } from "./adapters/participant-proxy.ts";
import type { ContributionDetail, ParticipantView, Refusal } from "./core/view.ts";

export type { ImportRefusal, ImportReport } from "#shared/task/dataset.ts";
export type { BackendName } from "#shared/task/engine.ts";
export { LOSS_WORDS } from "./core/engine/loss-words.ts";
export type { Calibration, EngineLoss, LocalMetrics } from "./core/ports.ts";
export type * from "./core/view.ts";

/*
 * The browser's door. Everything but this proxy runs in one worker: socket, training, masking, hashing, the database.
 */

export interface ParticipantOptions {
  /** Origin of the coordinator, e.g. location.origin. */
  readonly coordinatorUrl: string;
  /** Slug of the task. */
  readonly task: string;
  /** This device's own limit of rounds in this task; default 100. */
  readonly roundsMax?: number;
  readonly joinToken?: string;
  /** Not the fastest engine but this one, software adapters included; for tests. */
  readonly backend?: BackendName;
}

export interface Participant {
  /** The same object until something changes: fits `useSyncExternalStore(participant.subscribe, participant.view)`. */
  readonly view: () => ParticipantView;
  /** @returns what ends the subscription. */
  readonly subscribe: (listener: () => void) => () => void;

  /** Stores the consent to this version on the device; nothing is sent. Errors: TASK_VERSION. */
  agree(version: number): Promise<Result<void, Refusal>>;
  /** Leaves and deletes the consent. Data and receipts stay until `deleteMyData`. */
  withdraw(): Promise<void>;

  addCsv(file: File): Promise<Result<ImportReport, ImportRefusal>>;
  /** `pixels` [height * width] in [0, 1]. */
  addDrawing(pixels: Float32Array, label: number): Promise<Result<ImportReport, ImportRefusal>>;
  /** Pictures of any size and colour, all of one class; made grey and read by `pictureToPixels` (shared/task/picture.ts). */
  addImages(files: readonly File[], label: number): Promise<Result<ImportReport, ImportRefusal>>;
  /** One picture as `addImages` would read it, for `predict` and `addDrawing`; nothing is stored. */
  readPicture(file: File): Promise<Result<Float32Array, ImportRefusal>>;
  removeExample(id: number): Promise<void>;

  /** Takes part from now on: connects, checks in, and after each round again. */
  start(): Promise<Result<void, Refusal>>;
  /** The current round goes on without this device; nothing more is sent until `resume`. */
  pause(): Promise<void>;
  resume(): Promise<Result<void, Refusal>>;
  leave(): Promise<void>;
  /** Leaves, then removes examples, keys, consent, receipts and what is remembered of rounds. */
  deleteMyData(): Promise<void>;

  /** Null: the fastest. Times the engines again. */
  setBackend(backend: BackendName | null): Promise<void>;
  /** One row as the model takes it (pixels in [0, 1]); a probability a class. Null where there is no model yet. */
  predict(input: Float32Array): Promise<Float32Array | null>;
  /** Tensors that the engine keeps in its worker, for the leak check. */
  liveTensorCount(): Promise<number>;

  contribution(id: string): Promise<ContributionDetail | null>;
  /** A tar of exactly the bytes that left in that round, with what was signed; the shares that open a sum are in it only
   * until this page closes, since they are not kept. */
  downloadContribution(id: string): Promise<Blob | null>;
  /** A tar of every contribution, receipt and consent. */
  downloadContributions(): Promise<Blob>;
  /**
   * Calls `listener` once if this participant cannot go on, at once if that has happened; not after `close`. What is
   * stored stays: it can be opened again.
   *
   * @returns what ends the subscription.
   */
  readonly onEnd: (listener: (end: ParticipantEnd) => void) => () => void;
  /** Ends the worker; what is stored stays. */
  close(): Promise<void>;
}

/**
 * Why a participant cannot go on. ended: its worker is gone, as when the browser needs the memory. silent: the worker
 * does not answer. fault: this program failed. storage: the browser's storage was closed.
 */
export interface ParticipantEnd {
  readonly type: "ended" | "silent" | "fault" | "storage";
  readonly sentence: string;
}

/** Why no participant could be opened, as a sentence for the page. */
export type OpenError =
  | { readonly type: "insecure-context"; readonly sentence: string }
  | { readonly type: "unsupported"; readonly sentence: string }
  | { readonly type: "no-such-task"; readonly sentence: string }
  | { readonly type: "offline"; readonly sentence: string }
  /** Another tab holds the storage, or the worker does not answer. */
  | { readonly type: "busy"; readonly sentence: string };

/**
 * Opens this browser's part in a task. It reads what is stored on the device, fetches the task and times the engines;
 * it sends nothing of the person's and does not connect until `start`.
 */
export async function openParticipant(options: ParticipantOptions): Promise<Result<Participant, OpenError>> {
  if (!globalThis.isSecureContext) {
    return err({
      type: "insecure-context",
      sentence:
        "This page came over plain HTTP from another machine, and browsers keep their cryptography from such pages. Open it over https, or on the machine that the coordinator runs on.",
    });
  }
  if (typeof Worker === "undefined" || globalThis.indexedDB === undefined || navigator.locks === undefined) {
    return err({
      type: "unsupported",
      sentence:
        "This browser lacks workers, storage or locks, which taking part needs. Use a current Firefox, Chrome, Edge or Safari.",
    });
  }
  const worker = new Worker(new URL("./adapters/participant.worker.ts", import.meta.url), { type: "module" });
  return openOverWorker(worker, options);
}
