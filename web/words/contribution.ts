import type {
  ContributionDetail,
  ContributionParts,
  ContributionSummary,
  OutcomeView,
  TaskSlice,
} from "#client/index.ts";
import { agreedGraphOf, graphPlanOf, isSharded } from "#shared/cohort/graph-plan.ts";
import { thresholds } from "#shared/cohort/threshold.ts";
import type { RoundView } from "#shared/protocol/api.ts";
import type { Task } from "#shared/task/task.ts";
import { formatCount, plural } from "./format.ts";
import { headlineWords } from "./measures.ts";
import { roundModel } from "./waiting.ts";

/** What the numbers of the masked list stand for, in the order of its segments. */
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
  // Name segments with the same words only once.
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

/** The end of one's part, in a sentence or two. */
export function outcomeSentence(
  contribution: Pick<ContributionSummary, "round">,
  outcome: OutcomeView,
  record: Pick<RoundView, "measures" | "version"> | null,
  task: Task,
): string {
  if (outcome.kind !== "committed") return outcome.sentence;
  const { many } = task.exampleNoun;
  const count = formatCount(outcome.survivorCount);
  const made = roundModel({ ...record, round: contribution.round });
  const voices = isSharded(graphPlanOf(task.aggregation))
    ? `You were one of ${count} voices of your group. The sums of the groups became ${made}`
    : `You were one of ${count} voices. The sum became ${made}`;
  const words = headlineWords(record?.measures ?? null, many);
  return words === null ? `${voices}.` : `${voices}, which ${words}.`;
}

/** q of the sum that a device was in, computed from the task and the roster size that the device saw. */
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

const SAME_PAGE = {
  logged: "The receipt shows that the public log has it.",
  unlogged: "Only a public log could show that others see the same page.",
} as const;

/** Whether the round's own page shows the root that this device was told. Rule A7. */
function shownProof(verdict: OwnInputVerdict, logged: boolean | null): Proof {
  switch (verdict) {
    case "shown":
      return {
        kind: "done",
        statement: "The round's own page shows the same root that this device was told.",
        evidence: `Looked up here. An auditor can check that the sum is the sum of the lists under that root. ${SAME_PAGE[logged === true ? "logged" : "unlogged"]}`,
      };
    case "other-root":
      return {
        kind: "refused",
        statement:
          "The round's own page shows another root than this device was told: your list may not be in the sum.",
        evidence: "Looked up here. Keep the receipt.",
      };
    case "not-under-root":
      return {
        kind: "refused",
        statement: "Your list does not lead to the root that this device was told: it may not be in the sum.",
        evidence: "Checked here again. Keep the receipt.",
      };
    case "not-published":
      return {
        kind: "unknown",
        statement: "The round shows no root yet, so there is nothing to compare your list with.",
        evidence: "Looked up here.",
      };
  }
}

/**
 * What this device can prove about the round, and what nobody can check.
 *
 * @param known.needed  q as this device computed it: the masked lists required in its sum.
 * @param known.helped  True if this device gave its shares.
 * @param known.shown   Result of comparing the root on the round's page with the root that this device was told; null
 * until known.
 * @param known.logged  True if the coordinator keeps a public log; null until known.
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
    if (shown !== null) proofs.push(shownProof(shown, logged));
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

/** The text under "Your update". */
export function updateWords(isPicture: boolean): string {
  return isPicture
    ? "Stays here. You can almost see what was drawn."
    : "Stays here. Coloured squares are weights that grew, grey ones are weights that shrank.";
}

/** The text under "What left". @param bits  Size of a number in the masked list. */
export function leftWords(bits: number, flat: boolean): string {
  const added =
    bits === 32
      ? "The sum of the two."
      : `The sum of the two, after your changes were mixed with one another and rounded to ${bits} bits.`;
  const spread = flat
    ? "Every value is as likely as any other."
    : "Too few numbers to show that every value is as likely as any other.";
  return `${added} ${spread}`;
}

/** The text under "Masks". @param rosterSize  Devices that agreed on keys, this one among them; null if none did. */
export function masksWords(rosterSize: number | null): string {
  return `Agreed with ${plural((rosterSize ?? 1) - 1, "other device")}; they cancel in the sum.`;
}

/** The chart of the masks or of what left, for people who cannot see it. @param flat  True if every value is as likely. */
export function ringLabel(what: "the masks" | "what left", bits: number, flat: boolean): string {
  return `Histogram of ${what}, over all values of ${bits} bits${flat ? ": flat" : ""}.`;
}

/**
 * How many numbers are shown three times.
 *
 * @param plan  How they are laid out as squares.
 * @param same  False if the changes are mixed with one another before masking.
 */
export function tileSentence(
  plan: {
    readonly cellCount: number;
    readonly tile: { readonly count: number; readonly height: number; readonly width: number } | null;
  },
  same = true,
): string {
  const { tile } = plan;
  const tiles = tile === null ? "" : `; ${tile.count} tiles of ${tile.height} by ${tile.width}`;
  const which = same ? "The same " : "";
  return `${which}${formatCount(plan.cellCount)} numbers three times, one small square each${tiles}.`;
}

/** What left in a round, as a whole. */
export function leftSentence(parts: ContributionParts): string {
  const total = formatCount(totalByteCount(parts));
  return parts.maskedListByteCount > 0
    ? `${total} bytes, in four parts. Here they are.`
    : `${total} bytes: keys, shares and signatures. No masked list was among them.`;
}

/** "9", "9, attempt 2" */
export function roundChoice({ round, attempt }: Pick<ContributionSummary, "round" | "attempt">): string {
  return attempt > 1 ? `${round}, attempt ${attempt}` : String(round);
}

/** The note above the picture of an ended round. @param hasLine  True if this device's line is known. */
export function wentNote(round: number, hasLine: boolean): string {
  const you =
    " The coloured line is you. Only this page knows which line that is; everyone else sees all lines alike.";
  return `Round ${round}.${hasLine ? you : ""}`;
}

/** The text under the picture of this device's newest round. */
export function ownScoreNote(round: number, ended: boolean): string {
  return `Round ${round}${ended ? "" : ", as it happens"}. Each line is a place in the count. The coloured one is yours, and only this page knows it.`;
}

interface PartRow {
  readonly what: string;
  readonly byteCount: number;
  readonly who: string;
}

/** Each part that left, its size, and who can read it. */
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
      who: "only the device that each is for",
    },
    {
      what: "Public keys, signatures",
      byteCount: parts.keysAndSignaturesByteCount,
      who: "everyone in the round",
    },
    {
      what: "Shares to open the sum",
      byteCount: parts.openingByteCount,
      who: "the coordinator; they open the sum, not your list",
    },
  ];
}
