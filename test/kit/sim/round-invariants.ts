import { byShard, keptShards } from "#shared/round/shards.ts";
import { isLive, type RoundState, type Sealed, wasOpened } from "#shared/round/state.ts";
import { seatNo } from "../places.ts";

/** A rule, and how it was broken. */
export type Breach = readonly [rule: string, what: string];

/** Invariants of every step of a round; empty if they hold. */
export function breachesOf(before: RoundState, after: RoundState): Breach[] {
  const breaches: Breach[] = [];
  if (!isLive(before)) breaches.push(["R1", `a round that has ${before.phase} goes on`]);
  if (wasOpened(before) && !wasOpened(after)) breaches.push(["R10", `an opened round is ${after.phase}`]);
  if (!wasOpened(before) && after.phase === "voided")
    breaches.push(["R5", "an opening is asked for that those who are left cannot give"]);
  if (after.attempt < before.attempt || after.attempt > 3) breaches.push(["R8", `attempt ${after.attempt}`]);
  if (after.attempt !== before.attempt && wasOpened(before))
    breaches.push(["R10", "an opened attempt is repeated"]);
  return [
    ...breaches,
    ...invitationBreaches(before, after),
    ...rosterBreaches(after),
    ...shardBreaches(before, after),
    ...setBreaches(before, after),
  ];
}

/**
 * Among the devices that were ready, the lowest lots are invited; devices that are asked last are invited only if the
 * others leave places.
 */
function invitationBreaches(before: RoundState, after: RoundState): Breach[] {
  if (before.phase !== "recruiting" || after.phase !== "training") return [];
  const breaches: Breach[] = [];
  const ready = [...after.members.values()].filter(({ connected, out }) => connected && out !== "LEFT");
  const chosen = ready.filter(({ invited }) => invited);
  const passed = ready.filter(({ invited }) => !invited);
  const { goal, overSelection } = after.facts.rules;
  const last = chosen.filter(({ askedLast }) => askedLast).length;
  if (last > Math.max(0, Math.ceil(overSelection * goal) - (chosen.length - last)))
    breaches.push(["R30", "who is asked last has a place above those that the round wants"]);
  // A device that must not sit with another is skipped whatever its lot.
  if (after.forbiddenPairs.length > 0) return breaches;
  for (const askedLast of [false, true]) {
    const lots = (of: typeof ready) => of.filter((one) => one.askedLast === askedLast).map(({ lot }) => lot);
    if (Math.max(...lots(chosen)) > Math.min(...lots(passed)))
      breaches.push(["R3", "a higher lot is invited before a lower one"]);
  }
  if (last > 0 && passed.some(({ askedLast }) => !askedLast))
    breaches.push(["R30", "who is asked last is invited before others"]);
  return breaches;
}

function rosterBreaches(after: RoundState): Breach[] {
  if (!("roster" in after)) return [];
  const breaches: Breach[] = [];
  const identities = after.roster.map((seat) => seat.identity);
  const seats = identities.map((_, index) => index + 1);
  for (const { seats: own } of byShard(after, seats.map(seatNo))) {
    const seated = own.map((seat) => identities[seat - 1] ?? "");
    if (seated.length < after.facts.rules.cohortSizeMin) breaches.push(["S8", "a roster below the minimum"]);
    if (seated.some((identity, index) => index > 0 && identity <= (seated[index - 1] ?? "")))
      breaches.push(["S6", "a roster that is not strictly ascending"]);
    for (const [left, right] of after.facts.forbiddenPairs)
      if (seated.includes(left) && seated.includes(right))
        breaches.push(["R11", "a forbidden pair sits in one roster"]);
  }
  if (identities.some((identity) => !after.members.has(identity)))
    breaches.push(["S6", "a stranger sits in the roster"]);
  if (after.facts.removed.some((identity) => identities.includes(identity)))
    breaches.push(["R11", "a removed device is seated"]);
  return breaches;
}

/** A shard that is left out stays out, and the round goes on only if the others suffice. */
function shardBreaches(before: RoundState, after: RoundState): Breach[] {
  if (!("shards" in after)) return [];
  const breaches: Breach[] = [];
  const kept = keptShards(after).map(({ shard }) => shard);
  if (kept.length === 0) breaches.push(["R23", "a round goes on without any shard"]);
  if ("shards" in before && before.attempt === after.attempt) {
    const keptBefore = keptShards(before).map(({ shard }) => shard);
    if (!kept.every((shard) => keptBefore.includes(shard))) breaches.push(["R23", "a shard is back again"]);
    // Once its shares were asked for, a shard is out only if too few came, or with the publication of the others.
    for (const { leftOut, shard } of after.shards)
      if (keptBefore.includes(shard) && before.phase === "unmasking" && after.phase === "unmasking")
        if (leftOut !== null && leftOut !== "BELOW_T")
          breaches.push(["R23", `an opened shard is left out: ${leftOut}`]);
  }
  // A set that is not sealed yet may still become too small; then the attempt ends.
  if ("u3" in after && kept.length < after.shardCount && after.u3.length < after.facts.rules.goal)
    if (after.phase !== "voided") breaches.push(["R23", `${after.u3.length} inputs are below the goal`]);
  return breaches;
}

function setBreaches(before: RoundState, after: RoundState): Breach[] {
  if (!("u3" in after)) return [];
  const breaches: Breach[] = [];
  const { u2, u3, inputs } = after;
  // b is asked for U3, and z for U2 without U3: a device in U3 only could be asked for both.
  if (!u3.every((seat) => u2.includes(seat))) breaches.push(["S1", "U3 is not within U2"]);
  const withInput = [...inputs.keys()].sort((left, right) => left - right);
  if (withInput.join() !== u3.join())
    breaches.push(["S2", `U3 is ${u3.join()}, inputs are of ${withInput.join()}`]);
  for (const { shard, seats } of byShard(after, u3)) {
    const { q, t } = shard.thresholds;
    if (seats.length < q) breaches.push(["R5", "survivors below q are sealed"]);
    const signed =
      "confirmations" in after ? seats.filter((seat) => after.confirmations.has(seat)).length : t;
    if (wasOpened(after) && signed < t) breaches.push(["S6", "opened with fewer than t confirmations"]);
  }
  return [...breaches, ...changeBreaches(before, after)];
}

/** How a sealed set must not change. */
function changeBreaches(before: RoundState, after: Sealed & RoundState): Breach[] {
  if (after.attempt !== before.attempt || !("u3" in before)) return [];
  const breaches: Breach[] = [];
  // Shards may be left out; the sets of the others never change.
  const kept = keptShards(after).map(({ shard }) => shard);
  const sealed = [...byShard(before, before.u3)].flatMap(({ shard, seats }) =>
    kept.includes(shard.shard) ? seats : [],
  );
  if (sealed.join() !== after.u3.join()) breaches.push(["R7", "U3 has changed"]);
  return breaches;
}
