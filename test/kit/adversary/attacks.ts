import type { Attack, OpenAttack } from "./attack.ts";
import { GRAPH_ATTACKS, OPEN_GRAPH_ATTACKS } from "./graph-attacks.ts";
import { MASK_ATTACKS } from "./mask-attacks.ts";
import { MEMORY_ATTACKS } from "./memory-attacks.ts";
import { OPEN_ATTACKS as OPEN } from "./open-attacks.ts";
import { ROSTER_ATTACKS } from "./roster-attacks.ts";
import { SET_ATTACKS } from "./set-attacks.ts";
import { SHARE_ATTACKS } from "./share-attacks.ts";

/** Every attack that must fail. */
export const ATTACKS: readonly Attack[] = [
  ...ROSTER_ATTACKS,
  ...SET_ATTACKS,
  ...SHARE_ATTACKS,
  ...MASK_ATTACKS,
  ...MEMORY_ATTACKS,
  ...GRAPH_ATTACKS,
];

/** Every attack that succeeds by design. */
export const OPEN_ATTACKS: readonly OpenAttack[] = [...OPEN, ...OPEN_GRAPH_ATTACKS];
