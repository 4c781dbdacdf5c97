import { z } from "zod";

/* Runs of all tasks as a search finds them, for the public API and the pages. Rule L15. */

/** Runs that one file holds. */
export const FILE_RUNS_MAX = 10_000;

const key = z.string();
const count = z.int().min(0);
const entries = z.array(z.object({ key, value: z.string() }));

/** A run as MLflow's clients see it. */
const trackedFields = {
  /** training.optimizer.learningRate and such. */
  params: entries,
  tags: entries,
  /** Of each figure the newest. `step` is the round of its model. */
  metrics: z.array(z.object({ key, value: z.number().nullable(), step: z.int() })),
};
export type FoundRun = z.infer<z.ZodObject<typeof trackedFields>>;

/** @param run  The schema of a run's view. */
export const runSearchSchemaOf = <Run extends z.ZodType>(run: Run) =>
  z.object({
    items: z.array(z.object({ run, ...trackedFields })),
    next: z.string().nullable(),
    /** Runs that the filter finds, on all pages, and runs that the reader may read. */
    foundCount: count,
    allCount: count,
  });

/** What runs have, in alphabetical order. */
export const runNamesSchema = z.object({
  params: z.array(key),
  metrics: z.array(key),
  tags: z.array(key),
});
export type RunNames = z.infer<typeof runNamesSchema>;
