import { canonicalJson } from "#shared/codec/canonical-json.ts";
import { DOMAINS } from "#shared/crypto/domains.ts";
import { E } from "#shared/crypto/encode.ts";
import { present } from "#shared/kernel/assert.ts";
import { bytesToHex, hexToBytes, utf8 } from "#shared/kernel/bytes.ts";
import type { Alias } from "#shared/protocol/aliases.ts";
import type { RegistryEvent } from "#shared/registry/log.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
import type { StoreRecord } from "../ports/store.ts";

/**
 * What is written beside an event of a task's registry.
 *
 * @param marks  Of an override: who proposed it, and who agreed.
 */
export async function registryRecords(
  primitives: Pick<CoordinatorPorts["primitives"], "sha256">,
  event: RegistryEvent,
  at: number,
  marks: readonly [string | null, string | null] = [null, null],
): Promise<readonly StoreRecord[]> {
  const { slug, actor } = event;
  const rows = namesAfter(event).map(([alias, number]): StoreRecord => {
    const row = number === null ? null : { number, movedAt: at, movedBy: actor };
    return { type: "model-alias", task: slug, alias, row };
  });
  const leaf = await leafOf(primitives, event);
  if (event.type !== "promoted-despite-gates") return [...rows, leaf];
  return [...rows, leaf, await overrideLeaf(primitives, event, marks)];
}

/** Which aliases an event moves, and to what. After going back there is nothing to go back to. */
function namesAfter(event: RegistryEvent): readonly (readonly [Alias, number | null])[] {
  switch (event.type) {
    case "alias-moved":
      return [[event.alias, event.to]];
    case "promoted":
    case "promoted-despite-gates":
      return [
        ["champion", event.to],
        ["previous", event.from],
      ];
    case "not-promoted":
      return [];
    case "rolled-back":
      return [
        ["champion", event.to],
        ["previous", null],
      ];
  }
}

const LEAF_KINDS = {
  "alias-moved": "model.aliasMoved",
  promoted: "model.promoted",
  "not-promoted": "model.notPromoted",
  "promoted-despite-gates": "model.promotedDespiteGates",
  "rolled-back": "model.rolledBack",
} as const satisfies Readonly<Record<RegistryEvent["type"], string>>;

/** Leaves hold no free text and name no people. What the gates said is in the log, and here by its hash. */
async function leafOf(
  { sha256 }: Pick<CoordinatorPorts["primitives"], "sha256">,
  event: RegistryEvent,
): Promise<StoreRecord> {
  const { slug, from, to } = event;
  const alias = event.type === "alias-moved" ? event.alias : "champion";
  const moved = { version: 1, slug, alias, from, to };
  const body = "gates" in event ? { ...moved, gatesHash: await gatesHashOf({ sha256 }, event) } : moved;
  return { type: "audit-leaf", kind: LEAF_KINDS[event.type], body, actor: event.actor };
}

/** That gates were passed: by whom, as marks, and why, as a salted hash. */
async function overrideLeaf(
  primitives: Pick<CoordinatorPorts["primitives"], "sha256">,
  event: Extract<RegistryEvent, { type: "promoted-despite-gates" }>,
  by: readonly [string | null, string | null],
): Promise<StoreRecord> {
  const { slug, to, reason, reasonSalt } = event;
  const salt = hexToBytes(present(reasonSalt, "a reason is marked with a salt"));
  const body = {
    version: 1,
    slug,
    to,
    gatesHash: await gatesHashOf(primitives, event),
    by,
    reason: bytesToHex(await primitives.sha256(E(DOMAINS.reason, salt, reason))),
  };
  return { type: "audit-leaf", kind: "gate.overridden", body, actor: event.actor };
}

async function gatesHashOf(
  { sha256 }: Pick<CoordinatorPorts["primitives"], "sha256">,
  { gates }: Pick<Extract<RegistryEvent, { gates: unknown }>, "gates">,
): Promise<string> {
  return bytesToHex(await sha256(utf8(canonicalJson(gates))));
}
