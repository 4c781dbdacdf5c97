import type { Attack } from "./attack.ts";
import { ROSTER_ATTACKS } from "./roster-attacks.ts";

/** Every attack that has to fail. */
export const ATTACKS: readonly Attack[] = [...ROSTER_ATTACKS];
