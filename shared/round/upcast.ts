import { agreedGraphOf } from "../cohort/graph-plan.ts";
import { isObject, type StoredFact, type Upcaster } from "../log/row.ts";

/*
 * Upcasts facts of earlier log versions. The n-th function here turns a fact of version n into one of version n + 1. The
 * schemas in event.ts and run-event.ts then validate the result, so a stored fact is never trusted.
 *
 * | version | since                                                                                   |
 * | ------- | --------------------------------------------------------------------------------------- |
 * | 1       | the first; rows have no version, and fields were added one by one                       |
 * | 2       | rows have a version, and fields that were optional in version 1 are always written      |
 * | 3       | figures are measures by name, no longer fields named accuracy and loss                  |
 * | 4       | events of a round call seats by that name, no longer positions                          |
 * | 5       | what devices measure is by name too, no longer fields named for their accuracy          |
 */

export const ROUND_UPCASTERS: readonly Upcaster[] = [roundFrom1, roundFrom2, roundFrom3, roundFrom4];
export const RUN_UPCASTERS: readonly Upcaster[] = [runFrom1, runFrom2, unchanged, unchanged];

/** Recruiting in version 1 stayed open for this long before tasks could choose. */
const RECRUITING_MIN_MS_BEFORE_CHOICE = 2_000;

function roundFrom1(fact: StoredFact): StoredFact {
  switch (fact["type"]) {
    case "opened":
      return { ...fact, rules: rulesFrom1(fact["rules"]) };
    case "checked-in": {
      if ("devices" in fact) return fact;
      // There was one device per event, and lots were not kept.
      const { identity, lot, ...rest } = fact;
      return { ...rest, devices: [{ identity, lot }], drawsAnew: true };
    }
    case "unmask-received":
      return { offCommitment: [], ...fact };
    case "combined": {
      const { result } = fact;
      return isObject(result) && result["kind"] === "committed"
        ? { ...fact, result: { transcript: null, ...result } }
        : fact;
    }
    default:
      return fact;
  }
}

function rulesFrom1(rules: unknown): unknown {
  if (!isObject(rules)) return rules;
  // Lots decide within a shard since the minimum time of recruiting is one of the rules.
  const arrival = "recruitingMinMs" in rules ? {} : { seatsByArrival: true };
  const whole = {
    recruitingMinMs: RECRUITING_MIN_MS_BEFORE_CHOICE,
    graph: "complete",
    ...arrival,
    ...rules,
  };
  return isPlan(whole) ? { ...whole, graph: agreedGraphOf(whole) } : whole;
}

type Plan = Parameters<typeof agreedGraphOf>[0];

/** True if the number of shards can be computed. The schema validates everything else. */
function isPlan(rules: StoredFact): rules is StoredFact & Plan {
  const { goal, overSelection, graph } = rules;
  return typeof goal === "number" && typeof overSelection === "number" && isObject(graph) && "size" in graph;
}

function runFrom1(fact: StoredFact): StoredFact {
  switch (fact["type"]) {
    // At first, runs did not wait for devices.
    case "launched":
      return { devicesNeeded: 0, ...fact };
    case "round-opened":
      return { ready: 0, ...fact };
    default:
      return fact;
  }
}

function roundFrom2(fact: StoredFact): StoredFact {
  const { result } = fact;
  if (!isObject(result) || !isObject(result["metrics"])) return fact;
  return { ...fact, result: { ...result, metrics: withMeasures(result["metrics"]) } };
}

function roundFrom3({ position, positions, ...fact }: StoredFact): StoredFact {
  return {
    ...fact,
    ...(position === undefined ? {} : { seat: position }),
    ...(positions === undefined ? {} : { seats: positions }),
  };
}

function roundFrom4(fact: StoredFact): StoredFact {
  const { result } = fact;
  if (!isObject(result) || !isObject(result["metrics"])) return fact;
  const { deviceAccuracyBefore, deviceAccuracyAfter, ...rest } = result["metrics"];
  const deviceMeasures = {
    before: accuracyOnly(deviceAccuracyBefore),
    after: accuracyOnly(deviceAccuracyAfter),
  };
  return { ...fact, result: { ...result, metrics: { ...rest, deviceMeasures } } };
}

/** @param accuracy  Null without rows. */
function accuracyOnly(accuracy: unknown): StoredFact {
  return accuracy === null ? {} : { accuracy };
}

function runFrom2(fact: StoredFact): StoredFact {
  switch (fact["type"]) {
    case "started":
    case "round-ended":
      return withMeasures(fact);
    case "evaluated":
      return { reportHash: null, ...fact };
    default:
      return fact;
  }
}

/** Versions 4 and 5 changed rounds only. */
function unchanged(fact: StoredFact): StoredFact {
  return fact;
}

/** Old facts have both fields or neither. */
function withMeasures({ accuracy, loss, ...rest }: StoredFact): StoredFact {
  return isObject(accuracy) && isObject(loss) ? { ...rest, measures: { accuracy, loss } } : rest;
}
