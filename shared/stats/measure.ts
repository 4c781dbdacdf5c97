import { z } from "zod";
import type { DeepReadonly } from "../kernel/deep-readonly.ts";

/** A mean over `count` rows with the half width of its 95 % interval (Wilson for shares, normal for means). */
export const measureSchema = z.object({
  value: z.number(),
  halfWidth95: z.number(),
  count: z.int().min(0),
});
export type Measure = z.infer<typeof measureSchema>;

/** By name; which names a task has is in `shared/task/measures.ts`. */
export const measuresSchema = z.record(z.string().min(1).max(64), measureSchema);
export type Measures = DeepReadonly<z.infer<typeof measuresSchema>>;
