import { crossEntropy } from "./cross-entropy.ts";
import type { Loss } from "./loss.ts";

/** The losses that a model may be trained for. */
export const LOSSES: readonly Loss[] = [crossEntropy];
