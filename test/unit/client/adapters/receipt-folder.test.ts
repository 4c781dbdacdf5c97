import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { keepReceipts } from "#client/adapters/receipt-folder.ts";
import type { EnrolmentView } from "#client/core/enrolment/enrolment.ts";
import type { OwnReceipt } from "#client/core/round/own-receipt.ts";
import { createSlices } from "#client/core/slices.ts";
import type { ContributionSummary } from "#client/core/view.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { type WireError, wireError } from "#shared/protocol/errors.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "chorus-receipts-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const contribution = (round: number, kind: "committed" | "dropped" | null) =>
  ({
    id: `run-${round}-1`,
    round,
    outcome: kind === null ? null : { kind },
  }) as unknown as ContributionSummary;

function edgeThatMakes(make: (round: number) => Result<OwnReceipt, WireError>) {
  const view = createSlices({ contributions: [] } as unknown as EnrolmentView);
  const made: number[] = [];
  const problems: string[] = [];
  const end = keepReceipts({
    folder,
    view,
    make: async ({ round }) => {
      made.push(round);
      return make(round);
    },
    onProblem: (sentence) => void problems.push(sentence),
  });
  const show = (...contributions: ContributionSummary[]) => view.patch({ contributions });
  return { show, end, made, problems };
}

const receiptOf = (round: number) => ok({ text: `receipt ${round}\n` } as OwnReceipt);

test("[A72] an edge keeps one receipt of each sum that its list is in, for its owner alone", async () => {
  const edge = edgeThatMakes(receiptOf);
  edge.show(contribution(1, null));
  edge.show(contribution(1, "committed"));
  edge.show(contribution(1, "committed"));
  edge.show(contribution(2, "dropped"), contribution(1, "committed"));
  edge.show(contribution(3, "committed"), contribution(2, "dropped"));
  await edge.end();
  edge.show(contribution(4, "committed"));
  expect(edge.made).toEqual([1, 3]);
  expect(readdirSync(join(folder, "receipts"))).toEqual(["run-1-1.tlog-proof", "run-3-1.tlog-proof"]);
  const path = join(folder, "receipts", "run-3-1.tlog-proof");
  expect([readFileSync(path, "utf8"), statSync(path).mode & 0o777]).toEqual(["receipt 3\n", 0o600]);
  expect(edge.problems).toEqual([]);
});

test("[A72] a receipt that is there stays, and one that is refused or cannot be kept is said", async () => {
  const first = edgeThatMakes(receiptOf);
  first.show(contribution(1, "committed"));
  await first.end();
  const later = edgeThatMakes(() => err(wireError("NOT_LOGGED", "The entry is another.")));
  later.show(contribution(1, "committed"));
  later.show(contribution(2, "committed"));
  await later.end();
  expect(later.made).toEqual([2]);
  expect(later.problems).toEqual(["Round 2: no receipt. The entry is another."]);
  rmSync(join(folder, "receipts"), { recursive: true });
  writeFileSync(join(folder, "receipts"), "");
  const blocked = edgeThatMakes(receiptOf);
  blocked.show(contribution(3, "committed"));
  await blocked.end();
  expect(blocked.problems[0]).toMatch(/^Round 3: the receipt could not be kept/);
});
