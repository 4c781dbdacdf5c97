import type { RunView } from "#shared/protocol/api.ts";
import { StatusMark } from "../../ui/status-mark.tsx";
import { waitingFacts } from "../../words/waiting.ts";

/** Since when a run waits, what it has done, and until when it waits. */
export function WaitingFacts({ run }: { readonly run: RunView }) {
  const [since = "", ...others] = waitingFacts(run);
  return (
    <p className="note flex flex-wrap gap-x-6 gap-y-1">
      <StatusMark kind="waiting">{since}</StatusMark>
      {others.map((fact) => (
        <span key={fact}>{fact}</span>
      ))}
    </p>
  );
}
