"use client";
import { download } from "../../chart/export.ts";
import type { LookView } from "../../data/log-messages.ts";
import { contradictionFile } from "../../data/log-thread.ts";
import { Button } from "../../ui/button.tsx";

interface ContradictionNoteProps {
  readonly look: LookView;
  /** Null if nothing contradicts the log; then nothing is shown. */
  readonly contradiction: string | null;
}

/** What contradicts the log, and both checkpoints as a file to keep. */
export function ContradictionNote({ look, contradiction }: ContradictionNoteProps) {
  if (contradiction === null) return null;
  return (
    <div role="alert" className="mt-6 grid max-w-[62ch] gap-3 border-l-2 border-stop pl-4">
      <p>{contradiction}</p>
      <p className="note">
        Whoever runs the coordinator cannot explain this away: each checkpoint is signed. Send the file to
        those who take part, and to the log's witnesses.
      </p>
      <p>
        <Button
          onClick={() =>
            download("log-contradiction.json", "application/json", contradictionFile(look, contradiction))
          }
        >
          Download both checkpoints
        </Button>
      </p>
    </div>
  );
}
