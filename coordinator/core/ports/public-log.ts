import type { Bytes } from "#shared/kernel/bytes.ts";
import type { Result } from "#shared/kernel/result.ts";
import type { LogFile } from "#shared/tlog/grow.ts";
import type { LogProof } from "#shared/tlog/log-proof.ts";
import type { TileError } from "#shared/tlog/tiled-tree.ts";
import type { TreeHead } from "#shared/tlog/tree.ts";
import type { WitnessState } from "./witnesses.ts";

/** The public log, for whoever must show that something is in it. */
export interface PublicLog {
  readonly key: LogKey;
  /** Whose signatures are asked for, and how each stands. */
  witnesses(): readonly WitnessState[];
  /** The newest tree that is signed and published; null before the first. */
  head(): TreeHead | null;
  /** The newest checkpoint, with the cosignatures that have come; null before the first. */
  checkpoint(): string | null;
  /** A tile or a bundle by its path; null if the newest tree that is signed and published has none. */
  file(path: string): Promise<Bytes | null>;
  /** Indexes of the leaves by which the log's key has changed, ascending. */
  rotations(): readonly number[];
  state(): LogState;
  /** The index of the newest leaf of this kind about this thing (`leafSubject`), signed or not yet; null if there is none. */
  find(kind: string, subject: string): Promise<number | null>;
  /**
   * Resolves once a published checkpoint has leaf `index` and the signatures that are demanded, at once if one has; false if the
   * log signs no more, or the signal says that nobody waits any more.
   */
  covers(
    index: number,
    options?: { readonly signal?: AbortSignal; readonly demand?: WitnessDemand | null },
  ): Promise<boolean>;
  /** Proves leaves that are covered, under the newest checkpoint that has the signatures that are demanded. */
  proof(of: {
    /** Number of leaves that the reader has seen; null for none. A number that the log has not reached is proved by nothing. */
    readonly from: number | null;
    readonly leaves: readonly number[];
    readonly demand?: WitnessDemand | null;
  }): Promise<Result<LogProof, LogTrouble>>;
  /** True if this was once the whole log. */
  isHead(head: TreeHead): Promise<boolean>;
}

/** Which witnesses must have signed a checkpoint, as a task asks for it (A44). */
export interface WitnessDemand {
  /** NAME+KEYID+KEY of each. */
  readonly keys: readonly string[];
  readonly needed: number;
}

/** What devices agree to, for the log's whole life: later keys follow from the first by leaves that they sign. */
export interface LogKey {
  readonly origin: string;
  /** The first key, 32 bytes. */
  readonly publicKey: Bytes;
}

export type LogState =
  | { readonly type: "starting" }
  /** @param publishedAtMs  By the monotonic clock; null before the first checkpoint of this start. */
  | { readonly type: "signing"; readonly size: number; readonly publishedAtMs: number | null }
  /** Of a disk or a database, which it waits for. */
  | { readonly type: "waiting"; readonly sentence: string }
  /** It signs no more. The sentence says what to do. */
  | { readonly type: "halted"; readonly sentence: string };

export type LogTrouble =
  /** No checkpoint has the leaf yet, or there is none at all. */
  | { readonly type: "not-covered" }
  /** A file of the log is damaged or gone. */
  | { readonly type: "damaged"; readonly path: string };

/** Reads a whole log without keeping anyone waiting, see `checkLog`. */
export interface LogCheck {
  /**
   * @returns The first file that is damaged or gone; null if all are whole.
   * @throws if they cannot be read, or if the check is closed meanwhile.
   */
  run(head: TreeHead): Promise<TileError | null>;
  close(): Promise<void>;
}

/** Where a log is kept. */
export interface LogFiles {
  /** Null if there is no such file. */
  read(path: string): Promise<Bytes | null>;
  /** Resolves once all of them are durable. Each is whole or as it was before, whatever happens. */
  write(files: readonly LogFile[]): Promise<void>;
  /** The published checkpoint, a signed note; null before the first. */
  checkpoint(): Promise<string | null>;
  /** Replaces the checkpoint, durably. */
  publish(note: string): Promise<void>;
  /** Why this copy of the log may not be the newest, in a sentence that says what to do; null if it is. */
  doubt(): Promise<string | null>;
}
