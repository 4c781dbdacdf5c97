"use client";
import type { ReactNode } from "react";
import type { Draft } from "#shared/sample/draft.ts";
import { Choice } from "../../ui/choice.tsx";
import { type HeldOutChoice, HeldOutUpload } from "../tasks/held-out-upload.tsx";
import { NumberedPart } from "./numbered-part.tsx";
import type { Workshop } from "./use-workshop.ts";

interface HeldOutPartProps {
  readonly workshop: Workshop;
  readonly choice: HeldOutChoice | null;
  readonly onChoice: (choice: HeldOutChoice | null) => void;
}

/** Part 6: rows that judge the model and never train it. Going without is a choice, not a gap. */
export function HeldOutPart({ workshop, choice: chosen, onChoice }: HeldOutPartProps) {
  const { draft } = workshop;
  if (draft === null) return null;
  const choice = (heldOut: Draft["heldOut"], title: string, meaning: ReactNode) => (
    <Choice
      name="held-out"
      title={title}
      checked={draft.heldOut === heldOut}
      onChoose={() => workshop.change((now) => ({ ...now, heldOut }))}
    >
      {meaning}
    </Choice>
  );
  return (
    <NumberedPart part={6} note="Optional. Rows that judge the model and never train it.">
      <div className="cols2">
        <fieldset className="choices" aria-label="Held-out data">
          {choice("without", "Go without", "No row ever reaches the coordinator.")}
          {choice(
            "upload",
            "Upload a file",
            "Same columns, checked against part 2 behind the upload. CSV, IDX, or a zip of pictures for other tasks.",
          )}
          {choice("command", "By command", <code>npm run task -- hold-out {draft.about.slug} FILE</code>)}
        </fieldset>
        {draft.heldOut === "upload" ? (
          <HeldOutUpload kind={draft.data.kind} choice={chosen} onChoice={onChoice} />
        ) : (
          <div className="grid content-start gap-3 text-sm">
            <h3>What it means to go without</h3>
            <p>Each device keeps back a part of its rows, and the sum says how the model does on them.</p>
            <p>
              A device could claim anything about its rows, and nobody can check. Every page says “on
              devices”.
            </p>
            <p>You may add held-out data at any time. It is a setting, so no device is asked again.</p>
          </div>
        )}
      </div>
    </NumberedPart>
  );
}
