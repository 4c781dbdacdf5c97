import type { HeldOutBalance } from "./held-out.ts";
import { countByGroup, targetOf } from "./target.ts";
import type { Task } from "./task.ts";

/**
 * What a set holds, by its labels.
 *
 * @param labels  Of at least one row: indices of the classes, or numbers in the label's unit.
 */
export function balanceOf({ features }: Pick<Task, "features">, labels: ArrayLike<number>): HeldOutBalance {
  const target = targetOf(features);
  if (target.kind === "classes") {
    const rows = countByGroup(target, labels);
    return {
      kind: "classes",
      counts: target.classes.map((name, label) => ({ name, rows: rows[label] ?? 0 })),
    };
  }
  let [least, greatest, sum] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row] as number;
    least = Math.min(least, label);
    greatest = Math.max(greatest, label);
    sum += label;
  }
  return { kind: "number", least, mean: sum / labels.length, greatest };
}

/** Why rows with these labels cannot judge a model, in a sentence; null if they can. */
export function balanceFault(balance: HeldOutBalance): string | null {
  if (balance.kind === "number") {
    return balance.least < balance.greatest
      ? null
      : `Every row has the label ${balance.least}. A model that always says so would seem perfect: add rows with other labels.`;
  }
  const [first, ...others] = balance.counts.filter(({ rows }) => rows > 0);
  if (first === undefined || others.length > 0) return null;
  const lacking = balance.counts.filter(({ rows }) => rows === 0).map(({ name }) => `"${name}"`);
  const named = lacking.length > 5 ? `${lacking.slice(0, 5).join(", ")} and others` : lacking.join(", ");
  return `Every row is "${first.name}". A model that always says so would seem perfect: add rows of ${named}.`;
}
