import { fedAdam } from "./fedadam.ts";
import { fedAvg } from "./fedavg.ts";
import { fedAvgM } from "./fedavgm.ts";

/** All strategies. A new strategy is a file here and an entry. */
export const STRATEGIES = [fedAvg, fedAvgM, fedAdam] as const;
