import type { Position } from "../kernel/places.ts";
import type { LogHead } from "../protocol/ids.ts";
import type { CheckedSession } from "./check-session.ts";

/** What one device signed that it saw of the public log. Rule A42. */
export interface StatedHead {
  readonly shard: number;
  readonly position: Position;
  readonly log: LogHead;
}

/** What the survivors of a session signed; empty if its config names no log. */
export function headsOf({
  shard,
  logHeads,
}: Pick<CheckedSession, "shard" | "logHeads">): readonly StatedHead[] {
  return [...logHeads].map(([position, log]) => ({ shard, position, log }));
}
