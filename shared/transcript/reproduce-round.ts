import { present } from "../kernel/assert.ts";
import type { Primitives } from "../kernel/ports.ts";
import { ok } from "../kernel/result.ts";
import { purposesOf } from "../task/purposes.ts";
import { publicPart, publishedNumbers } from "../vector/publish.ts";
import { SumOfShards } from "../vector/sum.ts";
import { layoutOf } from "../vector/task-layout.ts";
import { checkModel } from "./check-model.ts";
import { checkParent } from "./check-parent.ts";
import type { AuditSource, RoundClaims } from "./claims.ts";
import type { Checked } from "./fault.ts";
import { checkSumHash, type Digest, SessionSums } from "./published-sums.ts";

/** What reproducing needs of a round: nothing that is forgotten, and nothing for auditors only. */
export type Reproduced = Pick<AuditSource, "sum" | "blob">;

/**
 * Repeats the server's side of a committed round from its record and its published sum: the model that it began with, the mean,
 * and the strategy's step, to the last bit. Stops at the first difference. It takes the sum as it is published; `verifyRound`
 * checks the sum itself.
 *
 * @returns Whether the model and state that the round began with were checked as well. Rule A12.
 */
export async function reproduceRound(
  primitives: Primitives,
  claims: RoundClaims,
  source: Reproduced,
  { digest, report }: { readonly digest: () => Digest; readonly report: (line: string) => void },
): Promise<Checked<{ readonly isLinked: boolean }>> {
  const purpose = present(purposesOf(claims.task)[0], "a task with a purpose");
  const layout = layoutOf(claims.task, purpose, null);
  const published = new SessionSums(layout, source.sum(), digest());
  const sum = new SumOfShards(publicPart(layout));
  for (const place of claims.shards.keys()) {
    const numbers = await published.next();
    if (!numbers.ok) return numbers;
    const survivorCount = claims.survivorCounts[place] ?? 0;
    sum.add({ numbersByName: publishedNumbers(layout, numbers.value), survivorCount });
  }
  const hashed = await checkSumHash(published, claims.sumHash);
  if (!hashed.ok) return hashed;
  const parent = await checkParent(primitives, claims, source);
  if (!parent.ok) return parent;
  report(parent.value.line);
  const model = await checkModel(primitives, claims, layout, sum, source, report);
  return model.ok ? ok({ isLinked: parent.value.isWhole }) : model;
}
