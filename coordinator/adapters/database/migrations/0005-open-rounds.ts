import type { Statement } from "./statement.ts";

/**
 * Each start looks for rounds that an ended run left open. The index holds only open rounds. Frozen, as 0001.
 */
export const openRounds: readonly Statement[] = [
  `create index round_open on round (run_id) where phase not in ('committed', 'voided', 'failed')`,
];
