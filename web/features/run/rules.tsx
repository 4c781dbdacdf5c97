import type { RunView, TaskView } from "#shared/protocol/api.ts";
import { runRules } from "../../words/facts.ts";
import { formatHash } from "../../words/format.ts";

/** The rules of a run as terms; the task's terms appear once its version is fetched. */
export function Rules({ run, view }: { readonly run: RunView; readonly view: TaskView | null }) {
  return (
    <dl className="facts">
      {runRules(run, view).map(([term, value]) => (
        <div key={term}>
          <dt>{term}</dt>
          <dd>{value}</dd>
        </div>
      ))}
      <div>
        <dt>Rules fingerprint</dt>
        <dd>
          <code>{formatHash(run.configHash)}</code>
        </dd>
      </div>
    </dl>
  );
}
