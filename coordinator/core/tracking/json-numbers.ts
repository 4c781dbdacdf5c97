/* JSON has no NaN and no infinities, so these are written as the words that MLflow uses. */

type JsonNumber = number | "NaN" | "Infinity" | "-Infinity";

export function numberToJson(value: number): JsonNumber {
  if (Number.isNaN(value)) return "NaN";
  if (Number.isFinite(value)) return value;
  return value > 0 ? "Infinity" : "-Infinity";
}

/** The inverse. Earlier versions wrote null for all three, which reads as NaN. */
export function jsonToNumber(value: JsonNumber | null): number {
  return value === null ? Number.NaN : Number(value);
}
