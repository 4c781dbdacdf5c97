import type {
  ContributionDetail,
  ContributionParts,
  ContributionSummary,
  OutcomeView,
  TaskSlice,
} from "#client/index.ts";
import type { RoundView } from "#shared/protocol/api.ts";
import { thresholds } from "#shared/secagg/threshold.ts";
import { agreedGraphOf, graphPlanOf, isSharded } from "#shared/task/graph-plan.ts";
import type { Task } from "#shared/task/task.ts";
import { formatCount, formatPercent, formatPoints, plural } from "./format.ts";

/** What the numbers of the masked list are, in the order of its segments. */
export function segmentWords(slice: Pick<TaskSlice, "segments" | "task" | "parameterCount">): string {
  const { many } = slice.task.exampleNoun;
  const words = slice.segments.map(({ name, length }) => {
    if (name === "update") {
      const changes = plural(slice.parameterCount, "change to the model", "changes to the model");
      return slice.task.aggregation.ring === 16 ? `${changes}, mixed, two in a number` : changes;
    }
    if (name === "weight") return `your number of ${many}`;
    if (name.startsWith("metric")) return "how well the model did here";
    if (name.startsWith("sentinel")) return plural(length, "check number");
    return `${formatCount(length)} of ${name}`;
  });
  // Segments that mean the same to a person are named once.
  return [...new Set(words)].join(", ");
}

export function totalByteCount(parts: ContributionParts): number {
  return (
    parts.maskedListByteCount +
    parts.keySharesByteCount +
    parts.keysAndSignaturesByteCount +
    parts.openingByteCount
  );
}

/** Two significant digits: "0.04", "−1.3". */
export function shortNumber(value: number): string {
  return String(Number(value.toPrecision(2))).replace("-", "−");
}

/** What became of one's part, in a sentence or two. */
export function outcomeSentence(
  contribution: Pick<ContributionSummary, "round">,
  outcome: OutcomeView,
  record: Pick<RoundView, "accuracy"> | null,
  task: Task,
): string {
  if (outcome.kind !== "committed") return outcome.sentence;
  const { many } = task.exampleNoun;
  const count = formatCount(outcome.survivorCount);
  const voices = isSharded(graphPlanOf(task.aggregation))
    ? `You were one of ${count} voices of your group. The sums of the groups became version ${contribution.round}`
    : `You were one of ${count} voices. The sum became version ${contribution.round}`;
  const accuracy = record?.accuracy ?? null;
  if (accuracy === null) return `${voices}.`;
  return `${voices}, which is right for ${formatPercent(accuracy.value)} of ${many} it has never seen, ± ${formatPoints(accuracy.halfWidth95)}.`;
}

/** q of the sum that a device was in: as it computed it, from the task and the roster that it was shown. */
export function neededInSum({ aggregation }: Task, rosterSize: number | null): number | null {
  if (rosterSize === null) return null;
  const { securityModel, cohortSizeMin } = aggregation;
  return thresholds(rosterSize, securityModel, cohortSizeMin, agreedGraphOf(aggregation)).q;
}

export interface Proof {
  readonly kind: "done" | "refused" | "unknown";
  readonly statement: string;
  /** Who checked it, or why nobody can. */
  readonly evidence: string;
}

export type OwnInputVerdict = "shown" | "other-root" | "not-under-root" | "not-published";

/** Whether the round's own page names the root that this device was told. Rule A7. */
function shownProof(verdict: OwnInputVerdict): Proof {
  switch (verdict) {
    case "shown":
      return {
        kind: "done",
        statement: "The round's own page names the same root as you were told.",
        evidence:
          "Looked up here. That the sum is the sum of the lists under that root an auditor can check; that others are shown this page too only a public log could show.",
      };
    case "other-root":
      return {
        kind: "refused",
        statement:
          "The round's own page names another root than you were told: your list may not be in the sum.",
        evidence: "Looked up here. Keep the receipt.",
      };
    case "not-under-root":
      return {
        kind: "refused",
        statement: "Your list does not lead to the root that you were told: it may not be in the sum.",
        evidence: "Checked here again. Keep the receipt.",
      };
    case "not-published":
      return {
        kind: "unknown",
        statement: "The round shows no root yet, so there is nothing to hold your list against.",
        evidence: "Looked up here.",
      };
  }
}

/**
 * What this device knows of the round for itself, and what nobody can check.
 *
 * @param known.needed  q, as this device computed it: masked lists that had to be in its sum.
 * @param known.helped  Whether this device gave its shares.
 * @param known.shown   Whether the round's page names the root that it was told; null while that is not known.
 * @param known.logged  Whether the coordinator keeps a public log; null while that is not known.
 */
export function proofsOf(
  outcome: OutcomeView,
  known: {
    readonly needed: number | null;
    readonly helped: boolean;
    readonly logged: boolean | null;
    readonly shown: OwnInputVerdict | null;
  },
): Proof[] {
  const { needed, helped, logged, shown } = known;
  const proofs: Proof[] = [];
  if (outcome.kind === "committed") {
    proofs.push(
      outcome.included
        ? {
            kind: "done",
            statement: "Your masked list is in this sum: its fingerprint leads to the published root.",
            evidence: "Checked here.",
          }
        : {
            kind: "refused",
            statement: "Your masked list does not lead to the published root.",
            evidence: "Checked here. Keep the receipt.",
          },
    );
    if (shown !== null) proofs.push(shownProof(shown));
    if (needed !== null) {
      const enough = outcome.survivorCount >= needed;
      proofs.push({
        kind: enough ? "done" : "refused",
        statement: `${formatCount(outcome.survivorCount)} were in the sum; at least ${formatCount(needed)} had to be.`,
        evidence: "Checked here, from the signatures of the others.",
      });
    }
    if (helped) {
      proofs.push({
        kind: "done",
        statement: "This device helped to open one sum for this model, and will not help with a second.",
        evidence: "Kept here.",
      });
    }
  } else {
    proofs.push(
      outcome.sent
        ? {
            kind: "unknown",
            statement: "Your masked list had left. Alone it means nothing.",
            evidence: "It was not opened alone: that takes the shares of the others.",
          }
        : { kind: "done", statement: "Nothing of your update left this device.", evidence: "Seen here." },
    );
  }
  if (logged === false) {
    proofs.push({
      kind: "unknown",
      statement: "This coordinator keeps no public log.",
      evidence: "Nobody outside can check that everyone saw the same round.",
    });
  }
  return proofs;
}

/** Under "Your update". */
export function updateWords(isPicture: boolean): string {
  return isPicture
    ? "Stays here. One can almost see what was drawn."
    : "Stays here. Coloured squares are weights that grew, grey ones are weights that shrank.";
}

/** Under "What left". @param bits  Of a number of the masked list. */
export function leftWords(bits: number, flat: boolean): string {
  const added =
    bits === 32
      ? "The two added."
      : `The two added, after your changes were mixed with one another and rounded to ${bits} bits.`;
  const spread = flat
    ? "Every value is as likely as any other."
    : "Too few numbers to show that every value is as likely as any other.";
  return `${added} ${spread}`;
}

interface PartRow {
  readonly what: string;
  readonly byteCount: number;
  readonly who: string;
}

/** What left, how large it was, and who can read it. */
export function partRows(task: TaskSlice, { parts, rosterSize }: ContributionDetail): readonly PartRow[] {
  return [
    {
      what: `Masked list of ${formatCount(task.vectorLength)} numbers: ${segmentWords(task)}`,
      byteCount: parts.maskedListByteCount,
      who: `nobody, until it is in a sum of ${formatCount(task.othersMin + 1)} or more`,
    },
    {
      what: `Key shares, sealed for ${plural((rosterSize ?? 1) - 1, "other")}`,
      byteCount: parts.keySharesByteCount,
      who: "each by the one it is for",
    },
    {
      what: "Public keys, signatures",
      byteCount: parts.keysAndSignaturesByteCount,
      who: "everyone in the round",
    },
    {
      what: "Shares to open the sum",
      byteCount: parts.openingByteCount,
      who: "the coordinator; they open the sum, not you",
    },
  ];
}
