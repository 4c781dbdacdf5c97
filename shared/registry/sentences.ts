import type { GateResult } from "../task/gates/index.ts";
import type { RegistryEvent } from "./log.ts";

/** Who acts without a person. */
const MACHINE = "coordinator";

/** What the log says of an act. Pages show it before one acts, so it is made from the event that will be written. */
export function registrySentence(event: RegistryEvent): string {
  const { actor, slug } = event;
  switch (event.type) {
    case "alias-moved": {
      const { alias, from, to } = event;
      if (to === null) return `${actor} removed @${alias} from version ${from} of ${slug}.`;
      return from === null
        ? `${actor} made version ${to} of ${slug} @${alias}.`
        : `${actor} made version ${to} of ${slug} @${alias}, in place of version ${from}.`;
    }
    case "promoted":
      return actor === MACHINE
        ? `Version ${event.to} of ${slug} was promoted by itself, because ${gatesOpen(event.gates.length)}: it is in use${placeOf(event)}.`
        : `${actor} promoted version ${event.to} of ${slug}: it is in use${placeOf(event)}.`;
    case "not-promoted":
      return event.overtaken === true
        ? `Version ${event.to} of ${slug} was not promoted, because someone moved the champion while its gates were asked.`
        : `Version ${event.to} of ${slug} was not promoted. ${shutReasons(event.gates)}`;
    case "promoted-despite-gates": {
      const who = event.alone
        ? `${actor}, the only admin, decided alone to promote`
        : `${actor} agreed with ${event.proposedBy} to promote`;
      return `${who} version ${event.to} of ${slug} despite its gates: it is in use${placeOf(event)}. The reason: ${event.reason}`;
    }
    case "rolled-back":
      return `${actor} went back to version ${event.to} of ${slug}: it is in use, in place of version ${event.from}.`;
  }
}

function placeOf({ from }: { readonly from: number | null }): string {
  return from === null ? "" : `, in place of version ${from}`;
}

function gatesOpen(count: number): string {
  return count === 1 ? "its gate is open" : `its ${count} gates are open`;
}

/** Why a version is not put in use, a sentence for each gate. */
export function shutReasons(gates: readonly GateResult[]): string {
  return gates.flatMap(({ state, reason }) => (state === "open" ? [] : [reason])).join(" ");
}
