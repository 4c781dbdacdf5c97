"use client";
import { memo, type ReactNode, useEffect, useRef, useState } from "react";
import type { Participant, Stage, TaskSlice } from "#client/index.ts";
import { Button } from "../../ui/button.tsx";
import { ErrorLine } from "../../ui/error-line.tsx";
import { deleteWords, leaveWords } from "../../words/leaving.ts";
import { Part } from "./part.tsx";
import { useCall } from "./use-call.ts";

/** Part 7: leave, delete everything, or download everything. @param children  What this device has kept. */
export const LeavePart = memo(function LeavePart(props: {
  readonly participant: Participant;
  readonly task: TaskSlice;
  readonly stage: Stage;
  readonly children: ReactNode;
}) {
  const { participant, task, stage, children } = props;
  const deleting = deleteWords(task.task.exampleNoun.many);
  const leaving = leaveWords(stage);
  const leave = useCall();
  return (
    <Part number={7} id="leave" title="Leave">
      <div className="cols3">
        <div>
          <p className="mb-3 text-sm text-ink-2">{leaving.sentence}</p>
          {leaving.mayLeave && (
            <Button onClick={() => void leave.call(() => participant.leave())}>Leave the task</Button>
          )}
          {leave.problem !== null && <ErrorLine>{leave.problem}</ErrorLine>}
        </div>
        <div>
          <p className="mb-3 text-sm text-ink-2">{deleting.offer}</p>
          <DeleteData participant={participant} words={deleting} />
        </div>
        <div className="min-h-24">{children}</div>
      </div>
    </Part>
  );
});

/** Asks once, in place, before it deletes anything. */
function DeleteData(props: {
  readonly participant: Participant;
  readonly words: ReturnType<typeof deleteWords>;
}) {
  const { participant, words } = props;
  const [asking, setAsking] = useState(false);
  const [done, setDone] = useState(false);
  const question = useRef<HTMLParagraphElement>(null);
  useEffect(() => {
    if (asking) question.current?.focus();
  }, [asking]);
  const { problem, call } = useCall();
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
          {done && words.done}
        </p>
      </>
    );
  }
  return (
    <div className="border-l-2 border-stop pl-4">
      <p ref={question} tabIndex={-1} className="mb-3">
        {words.question}
      </p>
      <div className="flex flex-wrap gap-3">
        <Button kind="stop" onClick={() => void call(remove)}>
          Delete all of it
        </Button>
        <Button onClick={() => setAsking(false)}>Keep it</Button>
      </div>
      {problem !== null && <ErrorLine>{problem}</ErrorLine>}
    </div>
  );
}
