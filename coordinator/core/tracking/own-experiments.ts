import type { TrackingDocument } from "../ports/tracking-store.ts";
import type { Experiment } from "./experiments.ts";

/** The experiment of a task's runs, as it is made with the first of them. */
export function ownExperiment(experimentId: string, task: string, at: number): TrackingDocument {
  const body: Experiment = {
    experimentId,
    name: task,
    artifactLocation: `mlflow-artifacts:/${experimentId}`,
    isDeleted: false,
    createdAt: at,
    updatedAt: at,
    tags: [{ key: "fl.task_id", value: task }],
    task,
  };
  return { id: experimentId, name: task, body };
}

/** The experiment that has a task's name already, as its task's: kept and named as the task is. Null if it is so now. */
export function adoptedExperiment(
  known: TrackingDocument,
  task: string,
  at: number,
): TrackingDocument | null {
  const experiment = known.body as Experiment;
  if (experiment.task === task && !experiment.isDeleted) return null;
  const updatedAt = Math.max(experiment.updatedAt, at);
  return { id: known.id, name: known.name, body: { ...experiment, task, isDeleted: false, updatedAt } };
}

/** Where the files of a run are. */
export function ownArtifactUri(experimentId: string, runId: string): string {
  return `mlflow-artifacts:/${experimentId}/${runId}/artifacts`;
}
