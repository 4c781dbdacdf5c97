import { fedAdam } from "./fedadam.ts";
import { fedAvg } from "./fedavg.ts";
import { fedAvgM } from "./fedavgm.ts";

/** Every strategy. A new one is a file here and an entry. */
export const STRATEGIES = [fedAvg, fedAvgM, fedAdam] as const;
