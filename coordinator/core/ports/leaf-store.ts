import type { Json } from "#shared/codec/canonical-json.ts";

/*
 * Leaves of the public log, as they are staged: in the transaction of the change that they tell of, before they are in any
 * checkpoint.
 */

export interface StagedLeaf {
  /** From 1 without gaps. Its index in the log is one less. */
  readonly sequence: number;
  readonly kind: string;
  /** Unix milliseconds; null in leaves of versions that kept none. */
  readonly at: number | null;
  readonly body: Readonly<Record<string, Json>>;
}

/** What the log has signed last. */
export interface LogHeadRow {
  readonly size: number;
  /** Hex. */
  readonly root: string;
  /** The signed checkpoint, without cosignatures. */
  readonly note: string;
}

/** A leaf and what is kept beside it, which is never in the log. */
export interface ActedLeaf extends StagedLeaf {
  readonly projectId: string;
  /** Who decided what it says; null if nobody did, if it is not known, or if that person was erased. */
  readonly actor: string | null;
}

/** Which leaves are looked for. All that is given must hold. */
export interface LeafQuery {
  /** Sequence of the oldest leaf that was looked at. */
  readonly before: number;
  readonly countMax: number;
  readonly kind?: string | undefined;
  /** Unix milliseconds, both ends included. Leaves without a time do not fit. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** Acts of this name in these projects, except of these kinds. */
  readonly by?:
    | {
        readonly actor: string;
        readonly projects: "all" | readonly string[];
        readonly besides: readonly string[];
      }
    | undefined;
}

export interface LeafStore {
  /** Stages leaves that come with no event. @returns The sequence of the last. */
  stageLeaves(leaves: readonly Pick<StagedLeaf, "kind" | "body">[], at: number): Promise<number>;
  /** Leaves of a kind about one thing (`leafSubject`), ascending. Leaves of versions without a time are not found. */
  findLeaves(kind: string, subject: string): Promise<readonly StagedLeaf[]>;
  /** The next leaves after the first `size`, ascending. */
  leavesAfter(size: number, countMax: number): Promise<readonly StagedLeaf[]>;
  /** Leaves of any age that fit, newest first, with what stands beside them. */
  leavesBefore(query: LeafQuery): Promise<readonly ActedLeaf[]>;
  /**
   * Puts back leaves that the database has lost, at their places: after all that it has, or before the last `displacedCount`
   * of them, which move behind. Rejects if a leaf would move that the head has.
   */
  importLeaves(leaves: readonly StagedLeaf[], displacedCount?: number): Promise<void>;
  logHead(): Promise<LogHeadRow | null>;
  /**
   * Moves the head, if it still has this size.
   *
   * @param from  Null before the first.
   * @returns False if another sequencer was first; nothing has changed then.
   */
  moveLogHead(from: number | null, to: LogHeadRow): Promise<boolean>;
}
