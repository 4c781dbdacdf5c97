import { z } from "zod";
import { trainingPlanSchema } from "./training-plan.ts";

/** What a round is for: to train a model, or to evaluate one without changing it. */
const purposeSchema = z.enum(["train", "evaluate"]);
export type Purpose = z.infer<typeof purposeSchema>;

/** What may change from round to round. Its hash is roundHash. */
export const roundParamsSchema = z.strictObject({
  purpose: purposeSchema,
  training: trainingPlanSchema,
});
export type RoundParams = z.infer<typeof roundParamsSchema>;
