"use client";
import { memo, useEffect, useRef, useState } from "react";
import type { Participant, Stage, TaskSlice } from "#client/index.ts";
import { Button } from "../../ui/button.tsx";
import { Part } from "./part.tsx";
import { saveBlob } from "./save-blob.ts";

/** Part 7: stop, take everything away, or take everything along. */
export const LeavePart = memo(function LeavePart(props: {
  readonly participant: Participant;
  readonly task: TaskSlice;
  readonly stage: Stage;
}) {
  const { participant, task, stage } = props;
  const { many } = task.task.exampleNoun;
  const [saving, setSaving] = useState(false);
  const save = async () => {
    setSaving(true);
    saveBlob(await participant.downloadContributions(), `chorus-${task.task.slug}-contributions.tar`);
    setSaving(false);
  };
  return (
    <Part number={7} id="leave" title="Leave">
      <div className="cols3">
        <div>
          <p className="mb-3 text-sm text-ink-2">
            {stage === "left"
              ? "You have left. Nothing is sent."
              : "Stop now. If you are in the middle of a round, the others finish without you."}
          </p>
          {stage !== "left" && stage !== "consent" && (
            <Button onClick={() => void participant.leave()}>Leave the task</Button>
          )}
        </div>
        <div>
          <p className="mb-3 text-sm text-ink-2">
            Remove {many}, keys and receipts from this browser. Sums you were in stay as they are.
          </p>
          <DeleteData participant={participant} many={many} />
        </div>
        <div>
          <p className="mb-3 text-sm text-ink-2">Every byte you sent, every receipt, what you agreed to.</p>
          <Button disabled={saving} onClick={() => void save()}>
            {saving ? "Packing" : "Download my contributions"}
          </Button>
        </div>
      </div>
    </Part>
  );
});

/** Asks once, in place, before anything is removed. */
function DeleteData({ participant, many }: { readonly participant: Participant; readonly many: string }) {
  const [asking, setAsking] = useState(false);
  const [done, setDone] = useState(false);
  const question = useRef<HTMLParagraphElement>(null);
  useEffect(() => {
    if (asking) question.current?.focus();
  }, [asking]);
  const remove = async () => {
    await participant.deleteMyData();
    setAsking(false);
    setDone(true);
  };
  if (!asking) {
    return (
      <>
        <Button
          kind="stop"
          onClick={() => {
            setDone(false);
            setAsking(true);
          }}
        >
          Delete my data…
        </Button>
        <p className="note mt-2" role="status">
          {done && "Removed. This browser knows nothing of the task any more."}
        </p>
      </>
    );
  }
  return (
    <div className="border-l-2 border-stop pl-4">
      <p ref={question} tabIndex={-1} className="mb-3">
        Your {many}, keys, receipts and what you agreed to will be gone from this browser. This cannot be
        undone.
      </p>
      <div className="flex flex-wrap gap-3">
        <Button kind="stop" onClick={() => void remove()}>
          Delete all of it
        </Button>
        <Button onClick={() => setAsking(false)}>Keep it</Button>
      </div>
    </div>
  );
}
