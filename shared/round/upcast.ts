import { isObject, type StoredFact, type Upcaster } from "../log/row.ts";
import { agreedGraphOf } from "../task/graph-plan.ts";

/*
 * What earlier versions of the log lack. A fact of version n is made into one of version n + 1 by the n-th function here;
 * the schemas in event.ts and run-event.ts then judge the outcome, so nothing of a stored fact is believed.
 *
 * | version | since                                                                                   |
 * | ------- | --------------------------------------------------------------------------------------- |
 * | 1       | the first; its rows bear no version, and fields came to it one by one                   |
 * | 2       | rows bear their version; what version 1 left out is written out                         |
 * | 3       | figures are measures by name, no longer fields named accuracy and loss                  |
 */

export const ROUND_UPCASTERS: readonly Upcaster[] = [roundFrom1, roundFrom2];
export const RUN_UPCASTERS: readonly Upcaster[] = [runFrom1, runFrom2];

/** Recruiting of version 1 stayed open this long before it could be chosen. */
const RECRUITING_MIN_MS_BEFORE_CHOICE = 2_000;

function roundFrom1(fact: StoredFact): StoredFact {
  switch (fact["type"]) {
    case "opened":
      return { ...fact, rules: rulesFrom1(fact["rules"]) };
    case "checked-in": {
      if ("devices" in fact) return fact;
      // One device an event, and no lot was kept.
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
  // Lots decide within a shard since recruiting's least time is one of the rules.
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

/** Whether the number of shards can be computed; what else these fields hold is for the schema to judge. */
function isPlan(rules: StoredFact): rules is StoredFact & Plan {
  const { goal, overSelection, graph } = rules;
  return typeof goal === "number" && typeof overSelection === "number" && isObject(graph) && "size" in graph;
}

function runFrom1(fact: StoredFact): StoredFact {
  switch (fact["type"]) {
    // Runs did not wait for devices at first.
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

/** Both were there or neither. */
function withMeasures({ accuracy, loss, ...rest }: StoredFact): StoredFact {
  return isObject(accuracy) && isObject(loss) ? { ...rest, measures: { accuracy, loss } } : rest;
}
