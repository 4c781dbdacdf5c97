import { isLive, type RoundState, wasOpened } from "#shared/round/state.ts";

/** A rule and how it is broken. */
export type Breach = readonly [rule: string, what: string];

/** What every step of a round keeps, whatever happened; empty where it does. */
export function breachesOf(before: RoundState, after: RoundState): Breach[] {
  const breaches: Breach[] = [];
  if (!isLive(before)) breaches.push(["R1", `a round that has ${before.phase} goes on`]);
  if (wasOpened(before) && !wasOpened(after)) breaches.push(["R10", `an opened round is ${after.phase}`]);
  if (after.attempt < before.attempt || after.attempt > 3) breaches.push(["R8", `attempt ${after.attempt}`]);
  if (after.attempt !== before.attempt && wasOpened(before))
    breaches.push(["R10", "an opened attempt is repeated"]);
  return [...breaches, ...rosterBreaches(after), ...setBreaches(before, after)];
}

function rosterBreaches(after: RoundState): Breach[] {
  if (!("roster" in after)) return [];
  const breaches: Breach[] = [];
  const identities = after.roster.map((seat) => seat.identity);
  const seated = new Set(identities);
  if (identities.length < after.facts.rules.cohortSizeMin)
    breaches.push(["S8", "a roster below the minimum"]);
  if (identities.some((identity, index) => index > 0 && identity <= (identities[index - 1] ?? "")))
    breaches.push(["S6", "a roster that is not strictly ascending"]);
  if (identities.some((identity) => !after.members.has(identity)))
    breaches.push(["S6", "a stranger sits in the roster"]);
  for (const [left, right] of after.facts.forbiddenPairs)
    if (seated.has(left) && seated.has(right)) breaches.push(["R11", "a forbidden pair sits in one roster"]);
  if (after.facts.removed.some((identity) => seated.has(identity)))
    breaches.push(["R11", "a removed device is seated"]);
  return breaches;
}

function setBreaches(before: RoundState, after: RoundState): Breach[] {
  if (!("u3" in after)) return [];
  const breaches: Breach[] = [];
  const { q, t } = after.thresholds;
  const { u2, u3, inputs } = after;
  if (u3.length < q) breaches.push(["R5", "survivors below q are sealed"]);
  // b is asked for U3 and z for U2 without U3: whoever is of U3 alone could be asked for both.
  if (!u3.every((position) => u2.includes(position))) breaches.push(["S1", "U3 is not within U2"]);
  const withInput = [...inputs.keys()].sort((left, right) => left - right);
  if (withInput.join() !== u3.join())
    breaches.push(["S2", `U3 is ${u3.join()}, inputs are of ${withInput.join()}`]);
  if (after.attempt === before.attempt && "u3" in before && before.u3.join() !== u3.join())
    breaches.push(["R7", "U3 has changed"]);
  const signed = "confirmations" in after ? after.confirmations.size : after.confirmedCount;
  if (wasOpened(after) && signed < t) breaches.push(["S6", "opened with fewer than t confirmations"]);
  return breaches;
}
