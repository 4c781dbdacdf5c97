import type { RoundDetail } from "#shared/protocol/api.ts";
import { formatBytes, formatCount } from "./format.ts";

/* What the fingerprints of a round prove. Pure. */

export interface Proof {
  readonly name: string;
  readonly says: string;
  /** Null until the round has got this far. */
  readonly hash: string | null;
  /** What the fingerprint is of, if that can be downloaded. */
  readonly bytes: "model" | "sum" | null;
  /** Text of the download link. */
  readonly download: string;
}

/** The round's statements that have a fingerprint, in the order in which they are made. */
export function proofsOf(round: RoundDetail): readonly Proof[] {
  return [...plannedProofs(round), ...resultProofs(round)];
}

function plannedProofs(round: RoundDetail): readonly Proof[] {
  return [
    plain(
      "Rules",
      "What every device agreed to; a device refuses a round whose rules have another fingerprint.",
      round.configHash,
    ),
    plain("Plan of this round", "What may change from round to round: how a device trains.", round.roundHash),
    plain(
      "Session",
      "This attempt with this list of devices. Every signature of the round is bound to it.",
      round.sid,
    ),
    {
      name: "Model before",
      says: "What devices trained from.",
      hash: round.parentModelHash,
      bytes: "model",
      download: "Download model before",
    },
  ];
}

function resultProofs(round: RoundDetail): readonly Proof[] {
  const byteCount = round.sumByteCount === null ? "" : `, ${formatBytes(round.sumByteCount)}`;
  return [
    plain(
      "Inputs",
      "One root over the masked updates in the sum; each device can prove that its own is under it.",
      round.inputsRoot,
    ),
    {
      name: "Sum",
      says: sumWords(round),
      hash: round.sumHash,
      bytes: "sum",
      download: `Download the sum${byteCount}`,
    },
    {
      name: "Model after",
      says: "Computed from the model before and the sum, and from nothing else.",
      hash: round.modelHash,
      bytes: "model",
      download: "Download model after",
    },
  ];
}

function plain(name: string, says: string, hash: string | null): Proof {
  return { name, says, hash, bytes: null, download: "" };
}

function sumWords(round: RoundDetail): string {
  if (round.sumHash === null) return "The sum as whole numbers, once it is opened.";
  const voices = formatCount(round.survivors ?? round.sent);
  const weight = round.weightSum === null ? "" : `, over ${formatCount(round.weightSum)} weighted rows`;
  return `The opened sum of ${voices} as whole numbers${weight}.`;
}

/** Whether an auditor can still check every signature and the sum itself; null if the round made no model. */
export function keptSentence({ transcript, kept }: Pick<RoundDetail, "transcript" | "kept">): string | null {
  if (transcript === undefined || kept === undefined) return null;
  return kept
    ? "This round is kept: with the auditor's key, every signature, the opening and the sum itself can be checked again."
    : "This round is no longer kept: its masked lists and shares are deleted. What the log says of it can still be checked.";
}

/** What checks a kept round from outside. */
export const verifyCommand = (roundId: string): string =>
  `npm run verify -- round ${roundId} --auditor-key FILE`;

/** Shown in place of a fingerprint that does not exist. */
export function missingProof(round: Pick<RoundDetail, "endedAt">): string {
  return `none: ${round.endedAt === null ? "the round goes on" : "the round was given up before it"}`;
}
