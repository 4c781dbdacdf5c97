import type { RunView, TaskView } from "#shared/protocol/api.ts";

export interface RunRow {
  /** Of its task. */
  readonly projectId: string;
  readonly task: string;
  readonly taskVersion: number;
  readonly number: number;
  readonly state: string;
  readonly actor: string;
  readonly createdAt: number;
  /** View that the API shows, kept by the driver. Views of older versions may lack fields. */
  readonly view: RunView;
  /** Null until the run has committed a round. */
  readonly newest: NewestModel | null;
}
export interface NewestModel {
  readonly modelHash: string | null;
  /** Null if it has not been evaluated. */
  readonly measures: TaskView["measures"];
  /** See `TaskView.measuredOn`. */
  readonly measuredOn?: NonNullable<TaskView["measuredOn"]>;
}
