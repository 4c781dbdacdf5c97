import { access, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Result } from "#shared/kernel/result.ts";
import { SerialQueue } from "#shared/kernel/serial-queue.ts";
import { writeDurably } from "#shared/node/durable-files.ts";
import type { WireError } from "#shared/protocol/errors.ts";
import type { EnrolmentView } from "../core/enrolment/enrolment.ts";
import type { OwnReceipt } from "../core/round/own-receipt.ts";
import type { Slices } from "../core/slices.ts";
import type { ContributionSummary } from "../core/view.ts";

interface Receipts {
  /** Of the edge's state. */
  readonly folder: string;
  readonly view: Slices<EnrolmentView>;
  readonly make: (contribution: ContributionSummary) => Promise<Result<OwnReceipt, WireError>>;
  /** Told why a receipt could not be made or kept, in a sentence for the edge's owner. */
  readonly onProblem: (sentence: string) => void;
}

/**
 * Keeps `receipts/{contribution}.tlog-proof` (0600) in an edge's state folder for each sum that its list is in, one at a time.
 * A receipt that could not be made is not tried again: the round's entry stays in the log. Rule A72.
 *
 * @returns Ends it, once what it has begun is done.
 */
export function keepReceipts({ folder, view, make, onProblem }: Receipts): () => Promise<void> {
  const queue = new SerialQueue();
  const begun = new Set<string>();
  const keep = async (contribution: ContributionSummary) => {
    const path = join(folder, "receipts", `${contribution.id}.tlog-proof`);
    try {
      await mkdir(join(folder, "receipts"), { recursive: true, mode: 0o700 });
      if (await isThere(path)) return;
      const receipt = await make(contribution);
      if (receipt.ok) await writeDurably(path, receipt.value.text, 0o600);
      else onProblem(`Round ${contribution.round}: no receipt. ${receipt.error.message}`);
    } catch (fault) {
      onProblem(`Round ${contribution.round}: the receipt could not be kept (${String(fault)}).`);
    }
  };
  const unsubscribe = view.subscribe(({ contributions = [] }) => {
    const [newest] = contributions;
    if (newest?.outcome?.kind !== "committed" || begun.has(newest.id)) return;
    begun.add(newest.id);
    void queue.run(() => keep(newest));
  });
  return async () => {
    unsubscribe();
    await queue.settled();
  };
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
