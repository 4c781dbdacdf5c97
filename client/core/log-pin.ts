import { type Authority, NO_LOG_KEY } from "#shared/task/agreed-config.ts";
import type { Cells } from "./memory.ts";

/*
 * What a page must know of public logs before it has the code of rounds; the rest is in log-memory.ts.
 *
 * | key                   | value                                               | rule                                  |
 * | --------------------- | --------------------------------------------------- | ------------------------------------- |
 * | log-pin/{coordinator} | key and origin of its log, as JSON, once it has one | never changes; goes with all the rest |
 */

type Pinned = Pick<Authority, "logKey" | "logOrigin">;

/**
 * Pins the first log that a coordinator states, for all of its tasks.
 *
 * @param coordinator  Origin of its address.
 * @param agreed       What this device agreed to before there were pins.
 * @returns False if it states another log than the pinned one, or none. Rule A45.
 */
export async function pinLog(
  cells: Cells,
  coordinator: string,
  stated: Pinned,
  agreed: Pinned | null,
): Promise<boolean> {
  const key = `log-pin/${coordinator}`;
  const before = await cells.get(key);
  const own = textOf(stated);
  if (before !== null) return before === own;
  if (agreed !== null && agreed.logKey !== NO_LOG_KEY && textOf(agreed) !== own) return false;
  if (stated.logKey === NO_LOG_KEY) return true;
  // Another tab may have been first.
  return (await cells.swap([{ key, before, after: own }])) || (await cells.get(key)) === own;
}

function textOf({ logKey, logOrigin }: Pinned): string {
  return JSON.stringify({ logKey, logOrigin });
}

export const evidenceCell = (logKey: string) => `log-evidence/${logKey}`;

/** The file that says why this device sends nothing; null if it may. */
export async function storedEvidence(cells: Cells, logKey: string): Promise<string | null> {
  return (await cells.get(evidenceCell(logKey))) || null;
}
