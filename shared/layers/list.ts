import { conv2d } from "./conv2d.ts";
import { dense } from "./dense.ts";
import { flatten } from "./flatten.ts";
import { maxPooling2d } from "./max-pooling2d.ts";

/**
 * The layers that a task may use, as an allow-list: the architecture is pinned in configHash, and a layer that could carry
 * one person's row through the sum (PROTOCOL.md section 13) must not get in here.
 */
export const LAYERS = [flatten, dense, conv2d, maxPooling2d] as const;
