import { agreedGraphOf, graphPlanOf, isSharded, isSparse } from "#shared/cohort/graph-plan.ts";
import { SHARDED_CORRUPT_SHARE } from "#shared/cohort/shard-colluders.ts";
import { sparseNumbersOf, thresholds } from "#shared/cohort/threshold.ts";
import type { ErrorCode } from "#shared/protocol/errors.ts";
import type { Task } from "#shared/task/task.ts";
import { countInWords, formatCount, formatPercent, plural } from "./format.ts";
import type { Joining } from "./tasks.ts";

/*
 * What the coordinator could and could not learn, in a participant's words. Every number is computed from the task,
 * exactly as the device computes it, and never from the number of devices in a round.
 */

/** The guarantees for one sum of `rosterSize` devices. */
export interface CohortFacts {
  readonly rosterSize: number;
  /** A sum covers the whole round, or one of the groups that chance splits it into. */
  readonly whole: "round" | "group";
  /** Set if only some of the others hold shares of this device's secrets: their number, and the task's assumptions. */
  readonly sparse: {
    readonly neighbours: number;
    readonly corruptShare: number;
    readonly dropoutShare: number;
  } | null;
  /** t: devices that must confirm the same list, and shares that open a secret. */
  readonly confirming: number;
  /** c: devices that may collude with the coordinator without breaking these guarantees. */
  readonly colluding: number;
  /**
   * Minimum number of honest devices in any opened sum: t - c. Null in a sparse graph, where it is everyone in the sum.
   */
  readonly honestInSum: number | null;
  /** n - q: devices that may leave before the round has to be given up. */
  readonly mayLeave: number;
}

/** Null if a device would refuse a round of this size. */
export function cohortFacts(task: Task, rosterSize: number): CohortFacts | null {
  const { cohortSizeMin, securityModel } = task.aggregation;
  if (rosterSize < cohortSizeMin) return null;
  const graph = agreedGraphOf(task.aggregation);
  const { t, c, q } = thresholds(rosterSize, securityModel, cohortSizeMin, graph);
  if (q > rosterSize) return null;
  const numbers = sparseNumbersOf(rosterSize, graph);
  const sparse =
    numbers !== null && isSparse(graph)
      ? {
          neighbours: numbers.degree,
          corruptShare: graph.corruptShare,
          dropoutShare: graph.dropoutShare,
        }
      : null;
  return {
    rosterSize,
    whole: isSharded(graph) ? "group" : "round",
    sparse,
    confirming: t,
    colluding: c,
    honestInSum: sparse === null ? t - c : null,
    mayLeave: rosterSize - q,
  };
}

/** The sizes of round that a device accepts. */
export function cohortRange(task: Task): { readonly from: number; readonly to: number } {
  const { cohortSizeMin, cohortSizeMax } = task.aggregation;
  let from = cohortSizeMin;
  while (from < cohortSizeMax && cohortFacts(task, from) === null) from++;
  return { from, to: cohortSizeMax };
}

/** The usual number of devices in a sum of this task. */
export function usualSize(task: Task): number {
  const graph = graphPlanOf(task.aggregation);
  return isSharded(graph) ? graph.size : task.aggregation.goal;
}

/** Sizes for the table: the ends of the range and a few between. */
export function tableSizes(task: Task): number[] {
  const { from, to } = cohortRange(task);
  const between = [5, 10, 20, 50, 100, 200, 500].filter((size) => size > from && size < to);
  return [...new Set([from, ...between, to])];
}

/** The page's first sentence. */
export function learntSentence(task: Task): string {
  const { cohortSizeMin } = task.aggregation;
  if (isSharded(graphPlanOf(task.aggregation))) {
    return `Chance splits each round into groups. The coordinator learns one sum of each group, of at least ${plural(cohortSizeMin, "list")}, and that this browser took part in one of them. On its own it cannot learn what is in your list.`;
  }
  return `The coordinator learns one sum of at least ${plural(cohortSizeMin, "list")}, and that this browser took part in it. On its own it cannot learn what is in your list.`;
}

/** Three lists: what the coordinator always sees, never sees, and sees only if something else helps. */
export function learntLists(task: Task): {
  readonly sees: readonly string[];
  readonly cannot: readonly string[];
  readonly onlyIf: readonly string[];
} {
  const { one, many } = task.exampleNoun;
  const grouped = isSharded(graphPlanOf(task.aggregation));
  return {
    sees: [
      "That this browser takes part, when, and from which network address",
      "One key that stays the same from round to round, so that it can tell this browser from others, but not who you are",
      "When your training finished, and so roughly how long it took",
      "One masked list for each try of a round, three at most. By itself every value in it is as likely as any other",
      grouped
        ? "The sum of each group, yours among them, and the model that it makes of all of them"
        : "The sum of the lists that came in, and the model that it makes of it",
    ],
    cannot: [
      `Your ${many} and their labels`,
      "What your device learnt from them, as a list of its own",
      `How many ${many} you have, and how well the model does on them: both are in the masked list`,
      "What was in a list that came too late for the sum: not all of its masks are given out",
    ],
    onlyIf: [
      "Your list, if enough devices of the round give it the pieces that they hold for you. The picture below shows how many",
      "Your list, if all others in the sum tell it theirs: it can subtract them",
      `Something about a single ${one}, if the sum gives it away: the sum is exact, and this task adds no noise`,
    ],
  };
}

/** The sentence for the picture of one cohort. */
export function cohortSentence(facts: CohortFacts): string {
  const { rosterSize, whole, sparse, confirming, colluding, honestInSum } = facts;
  if (sparse !== null || honestInSum === null) return sparseSentence(facts);
  const helpers =
    colluding === 0
      ? "If none of the others works with the coordinator"
      : `Even if ${countInWords(colluding)} of the others ${colluding === 1 ? "works" : "work"} with the coordinator`;
  return `In a ${whole} of ${formatCount(rosterSize)}, ${formatCount(confirming)} devices must confirm the same list before anything opens. ${helpers}, whatever opens holds the lists of at least ${plural(honestInSum, "honest device")}, and the coordinator cannot count any of them twice. With the pieces that ${formatCount(confirming)} devices hold, it could open yours alone.`;
}

function sparseSentence({ rosterSize, sparse, confirming }: CohortFacts): string {
  const { neighbours, corruptShare, dropoutShare } = sparse ?? {
    neighbours: 0,
    corruptShare: 0,
    dropoutShare: 0,
  };
  return `In a round of ${formatCount(rosterSize)}, ${formatCount(neighbours)} others hold pieces for your device. Of these devices and yours, ${formatCount(confirming)} must confirm the same list. If the coordinator keeps to the rules, at most ${formatPercent(corruptShare)} of the round work with it and at most ${formatPercent(dropoutShare)} leave, then what opens is the sum of all lists that came in, except with a chance below one in a million million. With the pieces that ${formatCount(confirming)} of them hold, it could open yours alone.`;
}

export interface StepWords {
  readonly step: string;
  readonly leaves: string;
  readonly reads: string;
  readonly hidden: string;
}

/** The five messages of a round, and what each reveals. */
export function stepWords(task: Task): readonly StepWords[] {
  return STEPS.map((words) =>
    words.step === "Confirmation" && task.aggregation.securityModel !== "active"
      ? { ...words, hidden: "A coordinator that keeps to the rules shows everyone the same lists" }
      : words,
  );
}

const STEPS: readonly StepWords[] = [
  {
    step: "Keys",
    leaves: "Two fresh public keys and the fingerprint of a secret, signed",
    reads: "That this browser has trained and is ready",
    hidden: "The secrets behind them never leave as a whole",
  },
  {
    step: "Shares",
    leaves: "Two secrets, cut into pieces, a sealed piece of each for every device that it shares with",
    reads: "How many pieces there are",
    hidden: "Each piece is sealed for one device; too few pieces together say nothing",
  },
  {
    step: "Masked list",
    leaves: "Your list with a mask for every device that it shares with and one of its own",
    reads: "Nothing by itself",
    hidden: "Only a sum makes the masks between devices cancel",
  },
  {
    step: "Confirmation",
    leaves: "A signature over who shared keys and whose lists arrived",
    reads: "Which list this browser was told; everyone who signs must have been told the same one",
    hidden:
      "Two different lists cannot both get enough signatures, unless more than the number above work with the coordinator",
  },
  {
    step: "Opening",
    leaves:
      "For each list in the sum a piece of its own mask; for each device that left a piece of the other secret",
    reads: "The masks that are left on the sum, and so the sum",
    hidden: "Never both pieces of one device: together they would open its list",
  },
];

export interface RefusalWords {
  readonly what: string;
  readonly code: ErrorCode;
}

/** What this browser refuses, whatever the coordinator says. */
export function refusals(task: Task): readonly RefusalWords[] {
  const { cohortSizeMin } = task.aggregation;
  return [
    { what: `A round with fewer than ${plural(cohortSizeMin, "device")}`, code: "COHORT_TOO_SMALL" },
    { what: "Other rules than those that you agreed to", code: "CONFIG" },
    { what: "Keys that their device did not sign, or that two devices share", code: "BAD_ADVERT_SIG" },
    { what: "Two different answers about the same step", code: "EQUIVOCATION" },
    { what: "A list that too few devices have confirmed", code: "NOT_ENOUGH_SIGS" },
    { what: "A list without your own in it", code: "ME_DROPPED" },
    { what: "A second sum for the same model", code: "ALREADY_REVEALED" },
    { what: "A round that is already over for it", code: "REPLAY" },
  ];
}

const MADE_UP: Readonly<Record<Joining, string>> = {
  public: "This coordinator lets anyone join, and chooses whom it invites.",
  invitation:
    "A device joins this task with a token. The coordinator makes the tokens and chooses whom it invites, and whoever holds a token can join with as many devices as it has uses left.",
};

/** The limits, the most important first. */
export function notProtected(
  task: Task,
  joining: Joining,
): readonly { readonly title: string; readonly words: string }[] {
  const { cohortSizeMin, securityModel } = task.aggregation;
  const others = plural(cohortSizeMin - 1, "other");
  const follows =
    securityModel === "active"
      ? []
      : [
          {
            title: "A coordinator that breaks the rules",
            words:
              "This task assumes that the coordinator follows the protocol and is only curious. If it shows different lists to different devices, this is not always detected.",
          },
        ];
  const grouped = isSharded(graphPlanOf(task.aggregation))
    ? [
        {
          title: "Who is in your group",
          words: `Chance decides which devices the coordinator can put into your group, by a rule that this browser checks. It still chooses which of them it invites. If it chooses fairly and at most ${formatPercent(SHARDED_CORRUPT_SHARE)} of the round work with it, no group has more of them than the picture shows, except with a chance below one in a million million. Someone who makes up devices after the model of the round is known can place them in your group.`,
        },
      ]
    : [];
  return [
    ...follows,
    ...grouped,
    {
      title: "Made-up devices",
      words: `${MADE_UP[joining]} A sum has at least ${others}. If enough of them were made up (the picture above shows how many must confirm), the coordinator would learn your list. This page cannot tell made-up devices from real ones, and nobody else checks it yet.`,
    },
    {
      title: "This page",
      words:
        "It comes from the coordinator. A coordinator that sends another page can make it do anything. The edge program is installed from its source and does not have this problem.",
    },
    {
      title: "The sum",
      words:
        "It is exact. Anyone who sees two sums that differ by one device learns that device's list, and your device does not refuse a next model that is almost equal. Only noise would limit that, and this task adds none.",
    },
    {
      title: "A model made to copy",
      words:
        "A model can be built so that what it learns from one example shows in its sum. Your device checks that the model has the form that the task names, not what is in it.",
    },
    {
      title: "Kept rounds",
      words:
        "A coordinator can keep the masked lists and the opening pieces of its newest rounds for an auditor, who can open the same sums again, but no single list. While they are kept, whoever gets hold of enough devices' secrets could open single ones.",
    },
    {
      title: "Later",
      words: "What is in a sum cannot be taken out again, and the models made of it stay in the world.",
    },
    {
      title: "The method itself",
      words: "It was reviewed on paper, but not yet by a cryptographer.",
    },
  ];
}

/** Strokes in the picture: the devices that hold shares for this one, and itself. */
export function strokeCount({ rosterSize, sparse }: CohortFacts): number {
  return sparse === null ? rosterSize : sparse.neighbours + 1;
}

/** The picture in words, for people who cannot see it. */
export function pictureLabel(facts: CohortFacts): string {
  const { confirming, colluding } = facts;
  return `${plural(strokeCount(facts), "device")}, one of them yours; ${formatCount(confirming)} must confirm, ${formatCount(colluding)} may work with the coordinator.`;
}
