/** `ok`: as it should be. `look`: works, but somebody should look. `wrong`: does not work, or will not. */
export type Level = "ok" | "look" | "wrong";

export interface Finding {
  readonly level: Level;
  /** One or two words. */
  readonly about: string;
  /** What was found and, unless it is ok, what to do. Never a secret. */
  readonly says: string;
}

const ABOUT_WIDTH = 12;

/** One line for a terminal. */
export function lineOf({ level, about, says }: Finding): string {
  return `${level.padEnd(6)} ${about.padEnd(ABOUT_WIDTH)} ${says}`;
}

export function isHealthy(findings: readonly Finding[]): boolean {
  return findings.every(({ level }) => level !== "wrong");
}

/** A summary in one sentence. */
export function summaryOf(findings: readonly Finding[]): string {
  const count = (level: Level) => findings.filter((finding) => finding.level === level).length;
  const [wrong, look] = [count("wrong"), count("look")];
  if (wrong > 0) return `${wrong} ${wrong === 1 ? "thing is" : "things are"} wrong.`;
  return look > 0 ? `Nothing is wrong; look at ${look}.` : "All is well.";
}
