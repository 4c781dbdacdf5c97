import type { Bytes } from "#shared/kernel/bytes.ts";
import type { Signer } from "#shared/kernel/ports.ts";
import type { Authority } from "#shared/task/agreed-config.ts";
import type { Dataset } from "#shared/task/dataset.ts";
import type { BackendName } from "#shared/task/engine.ts";
import type { Task } from "#shared/task/task.ts";
import type { Cells } from "../memory.ts";
import type { Archive, ClientPorts } from "../ports.ts";
import type { ContributionDetail, ExampleView } from "../view.ts";

/*
 * What a participant needs beyond a session's ports: a place for consents, data, contributions and models, a key, and a
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
  /** Null until the round that it came from is over. */
  readonly runId: string | null;
  readonly round: number | null;
  readonly bytes: Bytes;
}

export interface ModelStore {
  newest(slug: string): Promise<StoredModel | null>;
  /** In place of the one before. */
  put(model: StoredModel): Promise<unknown>;
  /** Says of the newest model where it came from; changes nothing if it is another one by now. */
  setOrigin(origin: Omit<StoredModel, "bytes">): Promise<unknown>;
}

/** A person's rows, in memory while the participant lives. */
export interface ExampleStore {
  add(rows: Dataset): Promise<void>;
  remove(exampleId: number): Promise<void>;
  rows(): Dataset;
  countByClass(classCount: number): number[];
  /** The newest ones. */
  examples(withPixels: boolean): ExampleView[];
}

/** What left this device, for its owner to look at. */
export interface ContributionStore extends Archive {
  /** Newest first. */
  details(): Promise<ContributionDetail[]>;
  find(id: string): Promise<ContributionDetail | null>;
  /** Null if there is no such contribution. @param now  Unix milliseconds, of the tar. */
  tarOne(id: string, now: number): Promise<Bytes | null>;
  tarAll(consent: StoredConsent | null, now: number): Promise<Bytes>;
}

/** What a device holds of a task. */
export interface Belongings {
  readonly examples: ExampleStore;
  readonly archive: ContributionStore;
}

export interface ParticipantPorts
  extends Pick<ClientPorts, "link" | "trainer" | "primitives" | "random" | "clock" | "wall" | "after"> {
  readonly cells: Cells;
  readonly models: ModelStore;
  readonly consents: {
    /** In place of the one before. */
    put(consent: StoredConsent): Promise<unknown>;
    delete(slug: string): Promise<unknown>;
  };
  /** This device's identity, made at the first call. */
  signer(): Promise<Signer>;
  /** @returns What releases the lock; null if another tab or process of this device takes part. */
  lock(): Promise<(() => void) | null>;
  /**
   * Removes what belongs to the task; with the last task also the identity and what was remembered under it.
   *
   * @returns What is there then: nothing.
   */
  forget(): Promise<Belongings>;
}

/** What a participant is asked to take part in, and how. */
export interface ParticipantTerms {
  /** As it is served, or as it was agreed to if the coordinator cannot be reached. */
  readonly task: Task;
  /** Computed here. */
  readonly taskHash: string;
  readonly authority: Authority;
  /** This device's own limit of rounds in this task. */
  readonly roundsMax?: number | undefined;
  readonly joinToken?: string | undefined;
  /** Not the fastest engine but this one. */
  readonly backend?: BackendName | undefined;
}
