import type { ContributionSummary } from "#client/index.ts";
import { type ConsentEntry, consentReceiptJson, consentReceiptText } from "#shared/task/consent-ledger.ts";
import { formatInstantUtc, plural } from "./format.ts";

/*
 * What a participant's device has kept of its own part in a task, in words, and the texts of "my
 * contributions". Everything is made on the device. Rules A70, A71.
 */

export interface OwnRecordsWords {
  readonly offer: string;
  /** One line for each agreement and withdrawal, oldest first. */
  readonly acts: readonly string[];
}

export function ownRecordsWords(
  consents: readonly ConsentEntry[],
  contributions: readonly unknown[],
): OwnRecordsWords {
  const { length: count } = contributions;
  const rounds =
    count === 0
      ? ". There is no round yet."
      : `, and ${plural(count, "round")} with what left, receipts and hashes.`;
  return {
    offer: `What this browser has kept: each agreement with its words${rounds} The file is made here.`,
    acts: consents.map(actLine),
  };
}

function actLine({ act, at, task }: ConsentEntry): string {
  const done = act === "agreed" ? "Agreed to" : "Withdrew from";
  return `${done} version ${task.version}, ${formatInstantUtc(at)}`;
}

/** The text beside the files of "my contributions": what they are, and what the coordinator holds. */
export function contributionsReadme(
  slug: string,
  contributions: readonly Pick<ContributionSummary, "outcome">[],
): string {
  const inSum = contributions.filter(({ outcome }) => outcome?.kind === "committed").length;
  return `${[
    `My contributions to ${slug}`,
    `This file was made on your device, from what the device had kept. It lists ${plural(contributions.length, "round", "rounds")}; your list is in the sum of ${inSum}. The device shows at most the newest 100 rounds, and keeps the bytes of the newest 50.`,
    [
      "What is in it",
      "- consents.json, consents.txt: each agreement and withdrawal, with the words that were shown",
      "- agreed.json: the agreement in force, if there is one",
      "- one folder for each round: receipt.json has what left by size and hash, the coordinator's receipt, the outcome with the hash of the model, and how the model did on your rows",
      "- left/ in it: what was sent, byte for byte",
      "- stayed/ in it: your own list before masking. It never left the device; do not give it to anyone",
      "- index.json: every file with its SHA-256",
      "Your rows are not in it.",
    ].join("\n"),
    [
      "What the coordinator holds of this device",
      "- its public key, and when it first came; if it joined by a token, by which one and when",
      "- the log of each round that it was in: that it took part, when, the keys and signatures that it sent, and the hash of its masked list",
      "- the sums and models that its lists are in; nothing can be taken out of them",
      "- masked lists and sealed shares until their round has ended; of rounds that are kept for an auditor, the masked lists and the shares sealed to the auditor's key",
      "It holds none of your rows, and no list that it could read alone.",
    ].join("\n"),
  ].join("\n\n")}\n`;
}

/** The texts that "my contributions" takes along. */
export function contributionsTexts(
  slug: string,
  consents: readonly ConsentEntry[],
  contributions: readonly Pick<ContributionSummary, "outcome">[],
): { readonly name: string; readonly text: string }[] {
  return [
    { name: "README.txt", text: contributionsReadme(slug, contributions) },
    { name: "consents.json", text: consentReceiptJson(consents) },
    { name: "consents.txt", text: consentReceiptText(consents) },
  ];
}
