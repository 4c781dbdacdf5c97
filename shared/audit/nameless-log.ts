import { isSparse } from "../cohort/graph-plan.ts";
import { bytesToHex, hexToBytes } from "../kernel/bytes.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import type { LogRow } from "../log/row.ts";
import type { Advert, RoundEvent, RoundOpened } from "../round/event.ts";
import { sessionIdOf } from "../round/holders.ts";
import { type LogError, logged, replayRound, roundFactOf } from "../round/log.ts";
import { shardsOfRound } from "../round/shards.ts";
import { type ShardPlan, shardOf } from "../secagg/shard-plan.ts";

/*
 * A round's own log without what names devices, so that whoever may read the round can replay it. Each identity becomes its
 * rank among those of this round, in hex: the machine sorts by identity, so seats stay as they are. Keys become marks of
 * their device. Signatures and digests of messages are left out: a signature would show whose it is to anyone with the
 * device's key. Roots of masked inputs stay, because the log's entry commits to them.
 *
 * What the machine draws from keys is given instead: the shard of each device that checks in, and the session id of each
 * attempt over a sparse graph, which fixes who holds whose shares. Session ids stand in the public log. That shards follow
 * from the devices' keys, only those who know the keys can check.
 *
 * Does not hide when each place of the roster acted, and in which order. A place means nothing outside its round.
 */

/** The same events for a reader. Rows of earlier versions come out in the current one. Errors: as of `replayRound`. */
export function namelessLog(rows: readonly LogRow[]): Result<readonly NamelessRow[], LogError> {
  const facts: (RoundOpened | RoundEvent)[] = [];
  for (const row of rows) {
    const fact = roundFactOf(row);
    if (!fact.ok) return fact;
    facts.push(fact.value);
  }
  const [opened] = facts;
  if (opened?.type !== "opened") return err({ type: "empty" });
  const sids = sparseSids(opened, rows);
  if (!sids.ok) return sids;
  const naming = {
    rank: ranksOf(facts.flatMap(identitiesIn)),
    plan: shardsOfRound(opened),
    sids: sids.value,
  };
  return ok(facts.map((fact, index) => ({ sequence: index + 1, event: logged(withoutNames(fact, naming)) })));
}

/** The session id of each attempt that fixed a roster; none unless the graph is sparse. */
function sparseSids(
  opened: RoundOpened,
  rows: readonly LogRow[],
): Result<NonNullable<RoundOpened["sids"]>, LogError> {
  const sids: { readonly attempt: number; readonly sid: string }[] = [];
  if (!isSparse(opened.rules.graph)) return ok(sids);
  const replayed = replayRound(rows, (after, _row, before) => {
    if (after.phase !== "sharing" || before.phase === "sharing") return;
    const { attempt, roster } = after;
    sids.push({ attempt, sid: bytesToHex(sessionIdOf(opened, attempt, roster)) });
  });
  return replayed.ok ? ok(sids) : replayed;
}

export interface NamelessRow extends LogRow {
  readonly event: ReturnType<typeof logged<RoundOpened | RoundEvent>>;
}

type Ranks = (identity: string) => string;

/** What stands in place of names. */
interface Naming {
  readonly rank: Ranks;
  readonly plan: ShardPlan | null;
  readonly sids: NonNullable<RoundOpened["sids"]>;
}

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

function withoutNames<Fact extends RoundOpened | RoundEvent>(fact: Fact, naming: Naming): Fact;
function withoutNames(
  fact: RoundOpened | RoundEvent,
  { rank, plan, sids }: Naming,
): RoundOpened | RoundEvent {
  switch (fact.type) {
    case "opened": {
      const forbiddenPairs = fact.forbiddenPairs.map(([one, other]) => [rank(one), rank(other)] as const);
      const given = sids.length === 0 ? {} : { sids };
      return { ...fact, forbiddenPairs, removed: fact.removed.map(rank), ...given };
    }
    case "checked-in":
      return {
        ...fact,
        devices: fact.devices.map((device) => ({
          ...device,
          identity: rank(device.identity),
          ...(plan === null ? {} : { shard: shardOf(plan, hexToBytes(device.identity)) }),
        })),
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
