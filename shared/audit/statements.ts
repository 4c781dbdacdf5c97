import type { Primitives } from "../kernel/ports.ts";
import { roundIdOf } from "../secagg/attempt.ts";
import type { RoundEvidence } from "./evidence.ts";
import type { Statement } from "./statement.ts";
import { launched, opened } from "./statements/beginning.ts";
import { givenUp, openedOnce, version } from "./statements/ending.ts";
import { cohort, inputs, signed } from "./statements/exchange.ts";
import { sameLog, trueData } from "./statements/limits.ts";
import { type Subject, subjectOf } from "./subject.ts";

/**
 * What can be said of a round, in the order in which it happened, and what a check says of each. What privacy a round cost
 * has no statement yet, because nothing is charged yet. Rules A60, A61.
 */
export async function statementsOn(
  primitives: Primitives,
  evidence: RoundEvidence,
): Promise<readonly Statement[]> {
  const subject = subjectOf(primitives, evidence, await runRoundIds(primitives, evidence));
  const begun = [launched(subject), await opened(subject)];
  return [...begun, ...(await later(subject)), sameLog(subject)].concat(
    evidence.record.phase === "committed" ? [trueData()] : [],
  );
}

async function later(subject: Subject): Promise<readonly Statement[]> {
  const { record } = subject;
  const sealed = subject.of("cohort.sealed").length > 0 ? [cohort(subject)] : [];
  const exchanged = async () => [cohort(subject), await inputs(subject), await signed(subject)];
  switch (record.phase) {
    case "committed":
      return [...(await exchanged()), openedOnce(subject), version(subject)];
    case "voided":
      return [...(await exchanged()), givenUp(subject)];
    case "failed":
      return [...sealed, givenUp(subject)];
    default:
      return sealed;
  }
}

/** Ids of the run's rounds up to this one. */
async function runRoundIds(
  primitives: Primitives,
  { record: { runId, round } }: RoundEvidence,
): Promise<ReadonlySet<string>> {
  const numbers = Array.from({ length: round }, (_, index) => index + 1);
  return new Set(await Promise.all(numbers.map((number) => roundIdOf(primitives, runId, number))));
}
