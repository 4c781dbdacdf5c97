import type { OwnReceipt } from "#client/index.ts";
import { formatCount, formatInstantUtc, plural } from "./format.ts";

/** What a participant's receipt proves, and what not, in plain words. Rule A72. */
export interface ReceiptWords {
  readonly proves: string;
  readonly not: string;
  /** How anyone checks the file. */
  readonly check: string;
}

/** @param file  Name under which it was saved. */
export function receiptWords(
  { receipt, logKey, witnesses, witnessesNeeded }: Omit<OwnReceipt, "text">,
  file: string,
): ReceiptWords {
  const { origin, logSize, entryIndex, at, survivors } = receipt;
  const signers =
    receipt.witnesses.length === 0 ? "" : ` ${receipt.witnesses.join(", ")} signed the same log.`;
  const demand = witnesses.map((key) => ` --witness ${key}`).join("");
  const needed = witnesses.length === 0 ? "" : `${demand} --witnesses-needed ${witnessesNeeded}`;
  const when = at === null ? "" : ` at ${formatInstantUtc(new Date(at).toISOString())}`;
  return {
    proves: `Checked on this device: your list was one of ${formatCount(survivors)} that were sealed${when}, under entry ${formatCount(entryIndex + 1)} of the public log ${origin}, which had ${plural(logSize, "entry", "entries")}. The log goes on from what this device saw before.${signers}`,
    not: "It does not prove that the sum was computed from these lists, or that others sent honest ones; the page of the round shows what can be checked of that. It shows none of your numbers. Whoever has the file can show it. The log’s key is the one that this page named on its first visit: compare it with what others were shown.",
    check: `npm run log -- verify ${file} --key ${logKey}${needed}`,
  };
}

export function receiptFileName(slug: string, round: number): string {
  return `chorus-${slug}-round-${round}.tlog-proof`;
}
