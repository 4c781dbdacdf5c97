import { ok, type Result } from "../kernel/result.ts";
import type { LogRow } from "../log/row.ts";
import type { Advert, RoundEvent, RoundOpened } from "../round/event.ts";
import { type LogError, logged, roundFactOf } from "../round/log.ts";

/*
 * A round's own log without what names devices, so that whoever may read the round can replay it. Each identity becomes its
 * rank among those of this round, in hex: the machine sorts by identity, so seats stay as they are. Keys become marks of
 * their device. Signatures and digests of messages are left out: a signature would show whose it is to anyone with the
 * device's key. Roots of masked inputs stay, because the log's entry commits to them.
 *
 * Does not hide when each place of the roster acted, and in which order. A place means nothing outside its round.
 */

/** The same events for a reader. Rows of earlier versions come out in the current one. Errors: as of `roundFactOf`. */
export function namelessLog(rows: readonly LogRow[]): Result<readonly NamelessRow[], LogError> {
  const facts: (RoundOpened | RoundEvent)[] = [];
  for (const row of rows) {
    const fact = roundFactOf(row);
    if (!fact.ok) return fact;
    facts.push(fact.value);
  }
  const ranks = ranksOf(facts.flatMap(identitiesIn));
  return ok(facts.map((fact, index) => ({ sequence: index + 1, event: logged(withoutNames(fact, ranks)) })));
}

/** False if the machine draws groups or neighbours from the devices' keys: then only an auditor can replay the round. */
export function replaysWithoutNames([first]: readonly NamelessRow[]): boolean {
  const fact = first?.event.fact;
  return fact?.type === "opened" && fact.rules.graph === "complete";
}

export interface NamelessRow extends LogRow {
  readonly event: ReturnType<typeof logged<RoundOpened | RoundEvent>>;
}

type Ranks = (identity: string) => string;

function ranksOf(identities: readonly string[]): Ranks {
  const sorted = [...new Set(identities)].sort();
  // Of equal length, so that they sort like the identities.
  const ranks = new Map(sorted.map((identity, index) => [identity, index.toString(16).padStart(8, "0")]));
  return (identity) => ranks.get(identity) ?? identity;
}

function identitiesIn(fact: RoundOpened | RoundEvent): readonly string[] {
  switch (fact.type) {
    case "opened":
      return [...fact.forbiddenPairs.flat(), ...fact.removed];
    case "checked-in":
      return fact.devices.map(({ identity }) => identity);
    case "connected":
    case "disconnected":
    case "left":
    case "advertised":
      return [fact.identity];
    case "combined":
      return fact.result.kind === "voided"
        ? fact.result.dealers
        : (fact.result.leftOut ?? []).flatMap(({ dealers }) => dealers);
    default:
      return [];
  }
}

function withoutNames<Fact extends RoundOpened | RoundEvent>(fact: Fact, rank: Ranks): Fact;
function withoutNames(fact: RoundOpened | RoundEvent, rank: Ranks): RoundOpened | RoundEvent {
  switch (fact.type) {
    case "opened": {
      const forbiddenPairs = fact.forbiddenPairs.map(([one, other]) => [rank(one), rank(other)] as const);
      return { ...fact, forbiddenPairs, removed: fact.removed.map(rank) };
    }
    case "checked-in":
      return {
        ...fact,
        devices: fact.devices.map((device) => ({ ...device, identity: rank(device.identity) })),
      };
    case "connected":
    case "disconnected":
    case "left":
      return { ...fact, identity: rank(fact.identity) };
    case "advertised":
      return { ...fact, identity: rank(fact.identity), advert: advertOf(rank(fact.identity)) };
    case "shared":
    case "unmask-received":
      return { ...fact, digest: "" };
    case "input-received":
      return { ...fact, sha256: "" };
    case "confirmed":
      return { ...fact, signature: "" };
    case "combined":
      return { ...fact, result: resultOf(fact.result, rank) };
    default:
      return fact;
  }
}

/** Keys of a round differ from one another and from every identity. */
function advertOf(rank: string): Advert {
  return { c: `0c${rank}`, s: `05${rank}`, bCommit: `0b${rank}`, signature: `0e${rank}` };
}

type CombineResult = Extract<RoundEvent, { type: "combined" }>["result"];

function resultOf(result: CombineResult, rank: Ranks): CombineResult {
  if (result.kind === "voided") return { ...result, dealers: result.dealers.map(rank) };
  const { leftOut, ...published } = result;
  if (leftOut === undefined) return published;
  return {
    ...published,
    leftOut: leftOut.map((left) => ({ ...left, dealers: left.dealers.map(rank) })),
  };
}
