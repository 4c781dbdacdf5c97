import { z } from "zod";
import type { DeepReadonly } from "../kernel/deep-readonly.ts";
import { unitSchema } from "../task/sentence.ts";

/** A mean over `count` rows with the half width of its 95 % interval (Wilson for proportions, normal for means). */
export const measureSchema = z.object({
  value: z.number(),
  halfWidth95: z.number(),
  count: z.int().min(0),
  /** Of a number's error: the label's unit. Other measures have the unit of their name. */
  unit: unitSchema.exactOptional(),
});
export type Measure = z.infer<typeof measureSchema>;

/** Measures by name. `shared/task/measures/list.ts` lists the names that a task has. */
export const measuresSchema = z.record(z.string().min(1).max(64), measureSchema);
export type Measures = DeepReadonly<z.infer<typeof measuresSchema>>;

/**
 * Measures on the devices' own validation rows, from the sum: of the parent model, and after local training. Measures that
 * the sum does not contain are absent.
 */
export const deviceMeasuresSchema = z.object({ before: measuresSchema, after: measuresSchema });
export type DeviceMeasures = DeepReadonly<z.infer<typeof deviceMeasuresSchema>>;
