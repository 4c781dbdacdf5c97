/** A number as people type it, with a point or a comma; NaN for anything else. */
export function numberOf(typed: string): number {
  const text = typed.trim().replace(",", ".");
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
}

/** "record, records" as two words; null if they are not two. */
export function nounsOf(noun: string): [one: string, many: string] | null {
  const [one = "", many = "", ...others] = noun.split(",").map((word) => word.trim());
  return one === "" || many === "" || others.length > 0 ? null : [one, many];
}
