import { byShard } from "#shared/round/shards.ts";
import { isLive, type RoundState, wasOpened } from "#shared/round/state.ts";

/** A rule and how it is broken. */
export type Breach = readonly [rule: string, what: string];

/** What every step of a round keeps, whatever happened; empty where it does. */
export function breachesOf(before: RoundState, after: RoundState): Breach[] {
  const breaches: Breach[] = [];
  if (!isLive(before)) breaches.push(["R1", `a round that has ${before.phase} goes on`]);
  if (wasOpened(before) && !wasOpened(after)) breaches.push(["R10", `an opened round is ${after.phase}`]);
  if (!wasOpened(before) && after.phase === "voided")
    breaches.push(["R5", "an opening is asked for that those who are left cannot give"]);
  if (after.attempt < before.attempt || after.attempt > 3) breaches.push(["R8", `attempt ${after.attempt}`]);
  if (after.attempt !== before.attempt && wasOpened(before))
    breaches.push(["R10", "an opened attempt is repeated"]);
  return [...breaches, ...rosterBreaches(after), ...setBreaches(before, after)];
}

function rosterBreaches(after: RoundState): Breach[] {
  if (!("roster" in after)) return [];
  const breaches: Breach[] = [];
  const identities = after.roster.map((seat) => seat.identity);
  const seats = identities.map((_, index) => index + 1);
  for (const { seats: own } of byShard(after, seats)) {
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

function setBreaches(before: RoundState, after: RoundState): Breach[] {
  if (!("u3" in after)) return [];
  const breaches: Breach[] = [];
  const { u2, u3, inputs } = after;
  // b is asked for U3 and z for U2 without U3: whoever is of U3 alone could be asked for both.
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
  if (after.attempt !== before.attempt || !("u3" in before)) return breaches;
  // Shards may be left out; that of another never changes.
  const kept = [...byShard(after, u3)].map(({ shard }) => shard.shard);
  const sealed = [...byShard(before, before.u3)].flatMap(({ shard, seats }) =>
    kept.includes(shard.shard) ? seats : [],
  );
  if (sealed.join() !== u3.join()) breaches.push(["R7", "U3 has changed"]);
  return breaches;
}
