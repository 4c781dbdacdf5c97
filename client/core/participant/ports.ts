import type { RememberedMapping } from "#shared/data/read-csv.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import type { Signer } from "#shared/kernel/ports.ts";
import type { Authority } from "#shared/task/agreed-config.ts";
import type { ConsentEntry } from "#shared/task/consent-ledger.ts";
import type { Dataset } from "#shared/task/dataset.ts";
import type { BackendName } from "#shared/task/engine.ts";
import type { Task } from "#shared/task/task.ts";
import type { Cells } from "../memory.ts";
import type { Archive, ClientPorts } from "../ports.ts";
import type { ContributionDetail, ExampleView } from "../view.ts";

/*
 * What a participant needs beyond a enrolment's ports: storage for consents, data, contributions and models, a key, and a
 * lock. A browser keeps all of it in IndexedDB (adapters/browser-store.ts).
 */

export interface StoredConsent {
  readonly slug: string;
  readonly version: number;
  readonly taskHash: string;
  /** Unix milliseconds. */
  readonly agreedAt: number;
  readonly task: Task;
  readonly authority: Authority;
}

export interface StoredModel {
  readonly slug: string;
  readonly modelHash: string;
  /** Null until the round that made the model is over. */
  readonly runId: string | null;
  readonly round: number | null;
  readonly bytes: Bytes;
}

export interface ModelStore {
  newest(slug: string): Promise<StoredModel | null>;
  /** Replaces the previous one. */
  put(model: StoredModel): Promise<unknown>;
  /** Records where the newest model came from; does nothing if a newer one is stored by now. */
  setOrigin(origin: Omit<StoredModel, "bytes">): Promise<unknown>;
}

/** What a person said about tables of a task. */
export interface MappingStore {
  get(): Promise<RememberedMapping | null>;
  put(mapping: RememberedMapping): Promise<unknown>;
}

/** A person's rows, in memory as long as the participant lives. */
export interface ExampleStore {
  add(rows: Dataset): Promise<void>;
  remove(exampleId: number): Promise<void>;
  rows(): Dataset;
  /** One for each row; see `Dataset`. */
  labels(): Float32Array;
  /** The newest rows. */
  examples(withPixels: boolean): ExampleView[];
}

/** A text file. */
export interface NamedText {
  readonly name: string;
  readonly text: string;
}

/** What left this device, for its owner to look at. */
export interface ContributionStore extends Archive {
  /** Newest first. */
  details(): Promise<ContributionDetail[]>;
  find(id: string): Promise<ContributionDetail | null>;
  /** Null if there is no such contribution. @param now  Unix milliseconds, written into the tar. */
  tarOne(id: string, now: number): Promise<Bytes | null>;
  /**
   * Every contribution, the consent in force and `texts`, with a list of the files and their SHA-256.
   *
   * @param texts  Files that the page has written about them.
   */
  tarAll(consent: StoredConsent | null, texts: readonly NamedText[], now: number): Promise<Bytes>;
}

/** What a device holds for a task. */
export interface Belongings {
  readonly examples: ExampleStore;
  readonly archive: ContributionStore;
}

export interface ParticipantPorts
  extends Pick<ClientPorts, "link" | "trainer" | "primitives" | "random" | "clock" | "wall" | "after"> {
  readonly cells: Cells;
  readonly models: ModelStore;
  readonly consents: {
    /** Replaces the previous one, and adds the entry to the ledger: both or neither. */
    put(consent: StoredConsent, entry: ConsentEntry): Promise<unknown>;
    delete(slug: string, entry: ConsentEntry): Promise<unknown>;
    /** Oldest first. */
    ledger(slug: string): Promise<readonly ConsentEntry[]>;
  };
  /** This device's identity, made at the first call. */
  signer(): Promise<Signer>;
  /** @returns a function that releases the lock; null if another tab or process of this device takes part. */
  lock(): Promise<(() => void) | null>;
  /**
   * Removes everything that belongs to the task. If it was the last task, also removes the identity and what was
   * remembered under it.
   *
   * @returns The empty belongings.
   */
  forget(): Promise<Belongings>;
}

/** What a participant takes part in, and how. */
export interface ParticipantTerms {
  /** As served, or as agreed to if the coordinator cannot be reached. */
  readonly task: Task;
  /** Computed on this device. */
  readonly taskHash: string;
  /** The heading for people: the task's setting, or what the version says. */
  readonly invitation: string;
  /** Unix milliseconds; null if the task takes devices. */
  readonly archivedAt?: number | null;
  readonly authority: Authority;
  /** This device's own limit on rounds in this task. */
  readonly roundsMax?: number | undefined;
  readonly joinToken?: string | undefined;
  /** Origin of the coordinator. */
  readonly coordinator: string;
  /** Used instead of the fastest engine. */
  readonly backend?: BackendName | undefined;
}
