import type { TaskSlice } from "#client/index.ts";
import { taskFacts } from "../../words/facts.ts";

/** All terms of the config that consent binds to. */
export function TaskFacts({ task }: { readonly task: TaskSlice }) {
  return (
    <dl className="facts">
      {taskFacts(task).map(([term, value]) => (
        <div key={term}>
          <dt>{term}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
