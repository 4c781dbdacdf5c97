import { err, ok, type Result } from "#shared/kernel/result.ts";
import type { Manifest } from "../backup/manifest.ts";

/** What is at the place to restore to. */
export type RestoreTarget =
  | { readonly kind: "free" }
  | {
      readonly kind: "used";
      /** The installation that it belongs to; null if it does not say. */
      readonly instance: string | null;
      /** Of its newest event; 0 if it has none, null if that cannot be found out. */
      readonly position: number | null;
    };

export interface RestoreFlags {
  /** Moves an existing folder aside. */
  readonly replace: boolean;
  /** Accepts that events are lost. */
  readonly older: boolean;
}

/**
 * - `in-use`: there is state, and `replace` was not given.
 * - `other-installation`: the state is of another coordinator.
 * - `newer`: it has `lost` events that the backup lacks, and `older` was not given.
 * - `unknown`: nobody knows whether it has any, and `older` was not given.
 */
export type RestoreRefusal =
  | { readonly type: "in-use" | "unknown" }
  | { readonly type: "other-installation"; readonly instance: string }
  | { readonly type: "newer"; readonly lost: number };

/**
 * Whether a backup may take the place of what is there. Compares positions in the log, never times: a clock may step
 * back.
 *
 * @returns Number of events that are lost; null if unknown.
 */
export function decideRestore(
  manifest: Pick<Manifest, "instance" | "position">,
  target: RestoreTarget,
  flags: RestoreFlags,
): Result<number | null, RestoreRefusal> {
  if (target.kind === "free") return ok(0);
  const { instance, position } = target;
  if (instance !== null && instance !== manifest.instance)
    return err({ type: "other-installation", instance });
  if (!flags.replace) return err({ type: "in-use" });
  if (position === null) return flags.older ? ok(null) : err({ type: "unknown" });
  const lost = Math.max(0, position - manifest.position);
  return lost === 0 || flags.older ? ok(lost) : err({ type: "newer", lost });
}

/** What follows if events are lost. */
const CONSEQUENCE =
  "The coordinator forgets their rounds and models, but devices remember them. A device refuses a model that it has opened before and a round that it has passed, so runs may make no progress until they have passed that point, or end. Their pages say why.";

/** The sentence that says what to do about a refusal. */
export function restoreRefusalSentence(refusal: RestoreRefusal, dataDir: string): string {
  switch (refusal.type) {
    case "in-use":
      return `There is already something in ${dataDir}. Restore into a folder that does not exist or is empty, or add --replace, which moves this one aside.`;
    case "other-installation":
      return `The data folder ${dataDir} belongs to another installation (${refusal.instance.slice(0, 8)}). Restore into another folder, or move this one away first.`;
    case "newer":
      return `The state in ${dataDir} is newer than the backup: ${refusal.lost} events would be lost. ${CONSEQUENCE} To restore nevertheless, add --replace --older.`;
    case "unknown":
      return `Nobody can tell from ${dataDir} whether its state is newer than the backup: its database is elsewhere, missing or damaged. If it is newer, events are lost. ${CONSEQUENCE} To restore nevertheless, add --replace --older.`;
  }
}

/** What was lost, after a restore. Null if nothing was. */
export function lossSentence(lost: number | null): string | null {
  if (lost === 0) return null;
  const what = lost === null ? "Events may be lost." : `${lost} events are lost.`;
  return `${what} ${CONSEQUENCE}`;
}
