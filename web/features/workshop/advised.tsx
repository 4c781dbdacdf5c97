import { type AdviceMend, modelAdvice } from "#shared/model/advice.ts";
import type { ModelFacts } from "#shared/model/facts.ts";
import { modelText } from "#shared/model/write-topology.ts";
import type { DraftMend } from "#shared/sample/mend.ts";
import { mended } from "#shared/sample/mend.ts";
import type { Task } from "#shared/task/task.ts";
import { Button } from "../../ui/button.tsx";
import type { Workshop } from "./use-workshop.ts";
import { Wrong } from "./wrong.tsx";

interface AdvisedProps {
  readonly workshop: Workshop;
  readonly task: Task;
  readonly facts: ModelFacts;
  /** Of the sample; null without one. */
  readonly rows: number | null;
}

/** What will not work, or not well, with the number that would and a button that takes it. */
export function Advised({ workshop, task, facts, rows }: AdvisedProps) {
  const advice = modelAdvice(task, facts, rows);
  if (advice.length === 0) return null;
  return (
    <ul className="grid max-w-3xl gap-2 text-sm">
      {advice.map(({ kind, sentence, mend }) => (
        <li key={sentence}>
          {kind === "refused" ? (
            <Wrong id="model-refused">{sentence}</Wrong>
          ) : (
            <p className="text-ink-2">{sentence}</p>
          )}
          {mend !== undefined && (
            <p className="mends">
              <Button onClick={() => workshop.change((draft) => mended(draft, draftMendOf(mend)))}>
                {mend.words}
              </Button>
            </p>
          )}
        </li>
      ))}
    </ul>
  );
}

function draftMendOf(mend: AdviceMend): DraftMend {
  const { words } = mend;
  switch (mend.type) {
    case "model":
      return { type: "model-text", text: modelText(mend.model), words };
    case "ring":
      return { type: "rules", rules: { ring: mend.ring === 16 ? "16" : "32" }, words };
    case "batch":
      return { type: "rules", rules: { batchSize: String(mend.batchSize) }, words };
  }
}
