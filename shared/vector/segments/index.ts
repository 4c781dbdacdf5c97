import type { Segment } from "../segment.ts";
import { metrics } from "./metrics.ts";
import { sentinels } from "./sentinels.ts";
import { update } from "./update.ts";
import { weight } from "./weight.ts";

/** All segments, in the order of the vector. A new segment is a file here and an entry before the sentinels. */
export const SEGMENTS: readonly Segment[] = [update, weight, metrics, sentinels];
