import { formatBytes, formatCount, plural } from "../kernel/number-words.ts";
import type { Task } from "../task/task.ts";
import { shownLayoutOf } from "../vector/task-layout.ts";
import { keysUpByteCount, sessionSizeOf } from "./message-sizes.ts";
import { demandSentence } from "./witness-words.ts";

/*
 * What a participant's page says before one agrees, from the task alone: the page shows it, the device's ledger keeps it (A70),
 * and the file for an assessor has it (A85). Every number comes from the task's config, never from the devices in a round.
 */

/** A sum of fewer devices hides nobody. */
const DEMO_BELOW = 10;

/** Figures of a task that the sentences need. */
export interface ConsentFacts {
  readonly task: Task;
  /** Minimum number of others in a sum: cohortSizeMin - 1. */
  readonly othersMin: number;
  /** Numbers in the masked list: update, weight, metrics and check numbers. */
  readonly vectorLength: number;
  readonly maskedByteCount: number;
  /** Approximate bytes of keys, shares and signatures in a round with `goal` devices. */
  readonly keysByteCountAbout: number;
}

export function consentFactsOf(task: Task): ConsentFacts {
  const { length } = shownLayoutOf(task);
  return {
    task,
    othersMin: task.aggregation.cohortSizeMin - 1,
    vectorLength: length,
    maskedByteCount: 4 * length,
    keysByteCountAbout: keysUpByteCount(sessionSizeOf(task)),
  };
}

export interface ConsentWords {
  readonly paragraph: string;
  /** The label of the unticked box. */
  readonly box: string;
  /** What people should know before they agree. */
  readonly warnings: readonly string[];
  readonly staysHere: readonly string[];
  readonly leaves: readonly string[];
}

/** @param logged  True if the coordinator keeps a public log; null until known. */
export function consentWords(facts: ConsentFacts, logged: boolean | null): ConsentWords {
  const { task, othersMin } = facts;
  const { one, many } = task.exampleNoun;
  const { cohortSizeMin } = task.aggregation;
  const warnings = ["This task adds no noise. You are hidden by the others in the sum, not by mathematics."];
  if (cohortSizeMin < DEMO_BELOW) {
    warnings.unshift(
      `A sum may be of ${plural(cohortSizeMin, "device")}: too few to hide anyone; for trying out only.`,
    );
  }
  warnings.push(firstVisitWords(logged === true), "What is in a sum cannot be taken out again.");
  if (task.logWitnesses !== undefined) warnings.push(demandSentence(task.logWitnesses));
  if (logged === false) {
    warnings.push("This coordinator keeps no public log, so nobody outside can check what it did.");
  }
  return {
    paragraph: `Your ${many} stay in this browser. In each round one masked list of numbers leaves, with the keys to mask it. The list means nothing until it is added to at least ${plural(othersMin, "other")}. The coordinator sees that this browser takes part, and when. What is in a sum cannot be taken out again. You can stop at any time.`,
    box: `I agree that this browser takes part in ${task.slug}, version ${task.version}.`,
    warnings: [...aims(task), ...warnings],
    staysHere: [
      `Your ${many} and their labels`,
      "What your device learns from them, unmasked",
      `How many ${many} you have, and how well the model does on them`,
    ],
    leaves: [
      `One masked list of ${formatCount(facts.vectorLength)} numbers, ${formatBytes(facts.maskedByteCount)}; your count of ${many} is in it, masked`,
      `Keys and signatures that mask and unmask it, about ${formatBytes(facts.keysByteCountAbout)}`,
      `The fact that this browser took part, and when; no ${one}`,
    ],
  };
}

/** What a first visit has to trust. Rule V19. @param hasLog  Whether the coordinator keeps a public log. */
export function firstVisitWords(hasLog: boolean): string {
  return hasLog
    ? "On a first visit you trust whoever serves this page, and the key of the public log that it names: nobody has checked either for you. The edge program trusts neither page nor host."
    : "On a first visit you trust whoever serves this page: nobody has checked it for you. The edge program trusts neither page nor host.";
}

/** The same words as one text, which the device's consent ledger keeps. Rule A70. */
export function consentText({ paragraph, staysHere, leaves, warnings, box }: ConsentWords): string {
  const list = (title: string, lines: readonly string[]) => [title, ...lines.map((line) => `- ${line}`)];
  const lists = [
    list(CONSENT_TITLES.staysHere, staysHere),
    list(CONSENT_TITLES.leaves, leaves),
    list(CONSENT_TITLES.warnings, warnings),
  ];
  return [[paragraph], ...lists, [box]].map((lines) => lines.join("\n")).join("\n\n");
}

export const CONSENT_TITLES = {
  staysHere: "Stays here",
  leaves: "Leaves in each round",
  warnings: "You should know",
} as const;

/** What a task says of its model's use, as far as it says something. Rule K9. */
function aims({ purpose, intendedUse, notFor, stage, contact }: Task): string[] {
  return [
    ...(purpose === undefined ? [] : [`Purpose: ${purpose}`]),
    ...(intendedUse === undefined ? [] : [`Intended use: ${intendedUse}`]),
    ...(notFor === undefined ? [] : [`Not for: ${notFor}`]),
    ...(stage === undefined ? [] : [STAGES[stage]]),
    ...(contact === undefined ? [] : [`Questions go to ${contact}`]),
  ];
}

const STAGES = {
  "trying-out": "This is for trying out. Its model is not meant to be used.",
  "in-earnest": "This is in earnest: its model is meant to be used.",
} as const;
