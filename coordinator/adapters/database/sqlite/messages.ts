import type { Store } from "#coordinator/core/ports/store.ts";
import type { Pragmas } from "./connection.ts";

/*
 * What the coordinator's thread asks of a store's thread (shared/kernel/calls.ts).
 *
 * | request | answer                                        |
 * | ------- | --------------------------------------------- |
 * | open    | Opened                                        |
 * | call    | what the store's method resolves to           |
 * | mark    | nothing; the database now has the instance id |
 * | close   | nothing                                       |
 */

/** Store methods that run in a thread, one message each. */
export type Method = Exclude<keyof Store, "kind" | "ping" | "close">;

export type Request =
  | {
      readonly type: "open";
      readonly path: string;
      readonly access: "write" | "read";
      readonly projectId: string;
      /** Where a writing connection records the log's position. */
      readonly markPath: string;
    }
  | { readonly type: "call"; readonly method: Method | "ping"; readonly parameters: readonly unknown[] }
  | { readonly type: "mark"; readonly instanceId: string }
  | { readonly type: "close" };

export interface Opened {
  readonly pragmas: Pragmas;
  /** The instance that the database belongs to. Always null for a reading connection. */
  readonly instanceId: string | null;
  /** Of the newest event. */
  readonly position: number;
}
