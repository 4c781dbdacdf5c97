import { type Bytes, bytesToHex } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import { ok } from "../kernel/result.ts";
import type { TiledTree, TileReader } from "../tlog/tiled-tree.ts";
import { type Checked, fault } from "../transcript/fault.ts";
import type { StatedHead } from "../transcript/stated-head.ts";
import { isHandedOver, lookAtLog, type ShownLog, tileFault } from "./look.ts";
import { counted, grouped } from "./words.ts";

/*
 * Devices sign the state of the log that they saw into every input (A42). Each of these states must be one that the served
 * log once had: the same root over its first entries. One that is not is evidence that two logs were shown.
 *
 * Does not find a split between devices and an auditor if no device of the round was shown the other log.
 */

/** The log that devices agreed to in the round's config. */
export interface AgreedLogKey {
  readonly origin: string;
  /** The first Ed25519 key; later ones follow from it. */
  readonly key: Bytes;
}

/**
 * Opens the log that a coordinator serves, and holds the stated heads against it. Rule A110.
 *
 * Errors: `LOG` if what is served is not the agreed log, whole and signed; `SPLIT_VIEW` for the first head that it denies.
 *
 * @returns A line that says what was checked.
 */
export async function checkServedHeads(
  primitives: Primitives,
  agreed: AgreedLogKey,
  served: { readonly shown: ShownLog; readonly read: TileReader },
  heads: readonly StatedHead[],
): Promise<Checked<string>> {
  const { shown, read } = served;
  if (shown.origin !== agreed.origin)
    return fault("LOG", `Devices agreed to the log ${agreed.origin}; the coordinator shows ${shown.origin}.`);
  const { log, sight } = await lookAtLog(primitives, shown, read, null);
  if (log === null) return fault("LOG", sight.contradiction ?? "The log cannot be read.");
  if (!(await isHandedOver(primitives, shown, log.tree, agreed.key)))
    return fault(
      "LOG",
      "The log is signed by a key that does not follow from the one that devices agreed to.",
    );
  const denied = await deniedHead(log.tree, heads);
  if (!denied.ok) return denied;
  const { size } = log.tree.head;
  return ok(
    `${counted(heads.length, "input states", "inputs state")} what the device saw of the log; the log of ${counted(size, "entry", "entries")} goes on from each.`,
  );
}

/** Checks stated heads against a log whose root is signed. Errors: as of `checkServedHeads`. */
export async function deniedHead(tree: TiledTree, heads: readonly StatedHead[]): Promise<Checked<void>> {
  const rootsBySize = new Map<number, string>();
  for (const head of heads) {
    const { size, root } = head.log;
    if (size > tree.head.size)
      return fault(
        "SPLIT_VIEW",
        `${deviceOf(head, heads)} signed that it saw ${grouped(size)} entries of the log; the one that is served has ${grouped(tree.head.size)}. It was rolled back, or that device was shown another log. ${KEEP}`,
      );
    let own = rootsBySize.get(size);
    if (own === undefined) {
      const made = await tree.rootAt(size);
      if (!made.ok) return fault("LOG", tileFault(made.error));
      own = bytesToHex(made.value);
      rootsBySize.set(size, own);
    }
    if (own !== root)
      return fault(
        "SPLIT_VIEW",
        `${deviceOf(head, heads)} signed that it saw the log of ${counted(size, "entry", "entries")} with the root ${root}; the same entries of the served log have the root ${own}. Two logs were shown. ${KEEP}`,
      );
  }
  return ok(undefined);
}

const KEEP =
  "The device's signature and the log's checkpoint are evidence: keep the transcript and the checkpoint.";

function deviceOf({ shard, position }: StatedHead, heads: readonly StatedHead[]): string {
  const group = heads.some((other) => other.shard !== shard) ? ` of group ${shard}` : "";
  return `The device at position ${position}${group}`;
}
