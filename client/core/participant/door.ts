import type { Mapping } from "#shared/data/match/mapping.ts";
import type { ImportRefusal, ImportReport } from "#shared/data/report.ts";
import type { Result } from "#shared/kernel/result.ts";
import type { BackendName } from "#shared/task/engine.ts";
import type { OwnReceipt } from "../round/own-receipt.ts";
import type { ContributionDetail, ParticipantView, Refusal, TableView } from "../view.ts";
import type { NamedText } from "./ports.ts";

/* What a page sees of its participant. The page's half implements it over the worker (adapters/participant-proxy.ts). */

export interface ParticipantOptions {
  /** Origin of the coordinator, e.g. location.origin. */
  readonly coordinatorUrl: string;
  /** Slug of the task. */
  readonly task: string;
  /** This device's own limit on rounds in this task; default 100. */
  readonly roundsMax?: number;
  /** From the page's link. Kept for this task once the person has agreed, so that later visits need none. */
  readonly joinToken?: string;
  /** Used instead of the fastest engine, software adapters included; for tests. */
  readonly backend?: BackendName;
}

export interface Participant {
  /**
   * Returns the same object until something changes: fits `useSyncExternalStore(participant.subscribe,
   * participant.view)`.
   */
  readonly view: () => ParticipantView;
  /** @returns a function that ends the subscription. */
  readonly subscribe: (listener: () => void) => () => void;

  /**
   * Stores the consent to this version on the device; sends nothing. Errors: TASK_VERSION.
   *
   * @param words  What the person was shown, as text. The device's consent ledger keeps it.
   */
  agree(version: number, words: string): Promise<Result<void, Refusal>>;
  /** Leaves and ends the consent; the ledger keeps both. Data and receipts stay until `deleteMyData`. */
  withdraw(): Promise<void>;

  /**
   * Reads a table from end to end and keeps its rows until `addTable`, or until another is read. Neither the table nor what
   * is said about it leaves this device.
   *
   * @param file     A table, one that is compressed with gzip, or a zip archive with one.
   * @param mapping  What the person said about it; null to find out, or to use what is remembered for its header.
   * @param set      Which table of an archive, as the refusal `several-sets` names them.
   * Rejects if the file was changed or moved after it was chosen.
   */
  readTable(file: File, mapping: Mapping | null, set?: string): Promise<TableView>;
  /** Adds the rows of the table that was read. @param remember  Kept for the task, for tables with the same header. */
  addTable(remember: Mapping | null): Promise<Result<ImportReport, ImportRefusal>>;
  /** Ends `readTable`, and drops its rows. */
  dropTable(): Promise<void>;
  /** The rows of the table that were left out, as a CSV with the reasons. Null if none was read. */
  leftOutRows(): Promise<Blob | null>;
  /** `pixels` [height * width] in [0, 1]. */
  addDrawing(pixels: Float32Array, label: number): Promise<Result<ImportReport, ImportRefusal>>;
  /**
   * PNG, JPEG or WebP files of any size and colour, all of one class; read as in shared/pictures/read-picture.ts.
   */
  addImages(files: readonly File[], label: number): Promise<Result<ImportReport, ImportRefusal>>;
  /**
   * A folder, a zip archive, or the files of a set: pictures in a folder for each class, a pair of IDX files, or a table;
   * read as in shared/data/read-set.ts. The view's `reading` tells how far it is.
   *
   * @param set  Which of several sets, as the refusal `several-sets` names them.
   */
  addSet(files: readonly File[], set?: string): Promise<Result<ImportReport, ImportRefusal>>;
  /** Ends the reading of pictures that goes on, with the refusal `stopped`; none of them is added. */
  stopReading(): Promise<void>;
  /** One picture as `addImages` would read it, for `predict` and `addDrawing`; nothing is stored. */
  readPicture(file: File): Promise<Result<Float32Array, ImportRefusal>>;
  removeExample(id: number): Promise<void>;

  /** Takes part from now on: connects, checks in, and checks in again after each round. */
  start(): Promise<Result<void, Refusal>>;
  /** The current round continues without this device; nothing more is sent until `resume`. */
  pause(): Promise<void>;
  resume(): Promise<Result<void, Refusal>>;
  leave(): Promise<void>;
  /** The person has looked at what contradicts the public log, and goes on: it counts as it is shown next. */
  trustLogAnew(): Promise<void>;
  /** Leaves, then removes examples, keys, consents, receipts and what is remembered of rounds. */
  deleteMyData(): Promise<void>;

  /** Uses this engine, or the fastest if null. Times the engines again. */
  setBackend(backend: BackendName | null): Promise<void>;
  /**
   * Takes one row in the model's format (pixels in [0, 1]); returns one probability per class, or null if there is no
   * model yet.
   */
  predict(input: Float32Array): Promise<Float32Array | null>;
  /** Buffers of numbers that the engine keeps in its worker between jobs, for the leak check. */
  heldBufferCount(): Promise<number>;

  /**
   * The token with which this device reads its task over HTTP, for a page that reads more about the same task; null if
   * it needs none.
   */
  bearer(): Promise<string | null>;

  contribution(id: string): Promise<ContributionDetail | null>;
  /**
   * The receipt that this device's own list is under an entry of the coordinator's public log, checked on the device. Errors:
   * NOT_LOGGED, LOG_CONTRADICTED, STATE, and those of the coordinator, each with a sentence.
   */
  receipt(id: string): Promise<Result<OwnReceipt, Refusal>>;
  /**
   * A tar of exactly the bytes that left in that round, with what was signed. The shares that open a sum are included
   * only until this page closes, because they are never stored.
   */
  downloadContribution(id: string): Promise<Blob | null>;
  /**
   * A tar of every contribution, receipt and consent, and of `texts`. Its index.json lists the files with their SHA-256.
   */
  downloadContributions(texts: readonly NamedText[]): Promise<Blob>;
  /**
   * Calls `listener` once if this participant cannot go on; immediately if it has ended already; never after `close`.
   * What is stored stays, and it can be opened again.
   *
   * @returns a function that ends the subscription.
   */
  readonly onEnd: (listener: (end: ParticipantEnd) => void) => () => void;
  /** Ends the worker; what is stored stays. */
  close(): Promise<void>;
}

/**
 * Why a participant cannot go on. ended: its worker is gone, for example because the browser needed the memory. silent:
 * the worker does not answer. fault: this program failed. storage: a newer page took over the storage. cleared: the browser
 * closed the storage, most likely because its data were deleted.
 */
export interface ParticipantEnd {
  readonly type: "ended" | "silent" | "fault" | "storage" | "cleared";
  readonly sentence: string;
}

/** Why the participant could not be opened, with a sentence for the page. */
export type OpenError =
  | { readonly type: "insecure-context"; readonly sentence: string }
  | { readonly type: "unsupported"; readonly sentence: string }
  /** Device and coordinator speak different versions of the wire. */
  | { readonly type: "other-version"; readonly sentence: string }
  /** `coordinatorUrl` is not the address of a site: it has a path, for example. */
  | { readonly type: "bad-address"; readonly sentence: string }
  | { readonly type: "no-such-task"; readonly sentence: string }
  /** It takes a join token that is in force, and this page was given none. */
  | { readonly type: "by-invitation"; readonly sentence: string }
  | { readonly type: "offline"; readonly sentence: string }
  /** Another tab holds the storage, or the worker does not answer. */
  | { readonly type: "busy"; readonly sentence: string };
