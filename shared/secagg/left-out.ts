import type { Position } from "../kernel/places.ts";
import type { Primitives } from "../kernel/ports.ts";
import type { CoordinatorMessageOf } from "../protocol/messages/coordinator.ts";
import { checkConfirmations } from "./client-open.ts";
import type { SessionSets } from "./position-sets.ts";
import type { Roster } from "./roster.ts";

/**
 * True if it is proved that a session's sum does not include this device: t of the devices in U3 signed a U3 without it.
 * They sign once per session, so no other U3 can be opened. Only then the participation is given back. A coordinator's mere
 * word that an input came late or was lost may be untrue. PROTOCOL.md section 6.
 */
export async function provesLeftOut(
  primitives: Primitives,
  roster: Roster,
  sets: SessionSets,
  position: Position,
  confirmations: CoordinatorMessageOf<"open">["confirmations"],
): Promise<boolean> {
  if (sets.u3.positions.includes(position)) return false;
  const checked = await checkConfirmations(primitives, { roster, position, sets }, confirmations);
  return checked.ok;
}
