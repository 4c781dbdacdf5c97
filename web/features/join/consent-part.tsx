"use client";
import { type FormEvent, memo, useEffect, useId, useRef, useState } from "react";
import type { ConsentView, Participant, TaskSlice } from "#client/index.ts";
import { Button } from "../../ui/button.tsx";
import { ErrorLine } from "../../ui/error-line.tsx";
import { callFailure } from "../../words/failure.ts";
import { askNote, type ConsentWords, consentNote, consentText, consentWords } from "../../words/join.ts";
import { ConsentLists } from "./consent-lists.tsx";
import { joinHref } from "./join-address.ts";
import { Part } from "./part.tsx";
import { TaskFacts } from "./task-facts.tsx";
import { useCall } from "./use-call.ts";

/** Part 1: the agreement, or what was agreed to and when. */
export const ConsentPart = memo(function ConsentPart(props: {
  readonly participant: Participant;
  readonly task: TaskSlice;
  readonly consent: ConsentView | null;
  readonly logged: boolean | null;
}) {
  const { participant, task, consent, logged } = props;
  const words = consentWords(task, logged);
  const withdrawing = useCall();
  useFocusOnChange(consent?.current === true);
  if (consent?.current) {
    return (
      <Part number={1} id="agreed" title="What you agreed to" note={consentNote(consent)}>
        <ConsentLists words={words} />
        <div className="mt-5 flex flex-wrap items-start gap-x-5 gap-y-2">
          <details className="min-w-0 max-w-full open:basis-full">
            <summary className="link flex min-h-11 items-center">Read all of it</summary>
            <p className="read mt-2 mb-5">{words.paragraph}</p>
            <TaskFacts task={task} />
          </details>
          <LearntLink task={task} />
          <Button kind="quiet" onClick={() => void withdrawing.call(() => participant.withdraw())}>
            Withdraw and leave
          </Button>
          {withdrawing.problem !== null && <ErrorLine>{withdrawing.problem}</ErrorLine>}
        </div>
      </Part>
    );
  }
  if (task.archivedAt !== null) {
    return (
      <Part number={1} id="agreed" title="What this task asked for" note="Nobody can agree to it any more.">
        <ConsentLists words={words} />
        <LearntLink task={task} />
      </Part>
    );
  }
  return (
    <Part number={1} id="agreed" title="What you agree to" note={askNote(consent, task.task.version)}>
      <ConsentForm participant={participant} task={task} words={words} />
    </Part>
  );
});

/** The pressed button disappears with its form, so keyboard focus moves to the next part instead of the top. */
function useFocusOnChange(agreed: boolean): void {
  const was = useRef(agreed);
  useEffect(() => {
    if (was.current === agreed) return;
    was.current = agreed;
    document.getElementById(agreed ? "data" : "agreed")?.focus({ preventScroll: true });
  }, [agreed]);
}

function ConsentForm(props: {
  readonly participant: Participant;
  readonly task: TaskSlice;
  readonly words: ConsentWords;
}) {
  const { participant, task, words } = props;
  const [ticked, setTicked] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [declined, setDeclined] = useState(false);
  const agree = async (event: FormEvent) => {
    event.preventDefault();
    setDeclined(false);
    if (!ticked) {
      setProblem("Tick the box to take part, or choose Not now.");
      return;
    }
    try {
      const agreed = await participant.agree(task.task.version, consentText(words));
      setProblem(agreed.ok ? null : agreed.error.sentence);
    } catch (fault) {
      setProblem(callFailure(fault));
    }
  };
  return (
    <form onSubmit={(event) => void agree(event)} noValidate>
      <p className="read mb-6">{words.paragraph}</p>
      <ConsentLists words={words} />
      <details className="mt-5">
        <summary className="link flex min-h-11 w-fit items-center">Read all of it</summary>
        <div className="mt-2">
          <TaskFacts task={task} />
        </div>
      </details>
      <div className="flex flex-wrap gap-x-6">
        <LearntLink task={task} />
        <CheckLink task={task} />
      </div>
      <ConsentBox
        words={words.box}
        ticked={ticked}
        problem={problem}
        onTick={(now) => {
          setTicked(now);
          setProblem(null);
        }}
      />
      <div className="mt-4 flex flex-wrap gap-3">
        <Button type="submit" className="min-w-32">
          Take part
        </Button>
        <Button
          className="min-w-32"
          onClick={() => {
            setTicked(false);
            setProblem(null);
            setDeclined(true);
          }}
        >
          Not now
        </Button>
      </div>
      <p className="note mt-3 min-h-6" role="status">
        {declined && "Nothing was stored and nothing was sent. You can close this page, or agree later."}
      </p>
    </form>
  );
}

interface ConsentBoxProps {
  readonly words: string;
  readonly ticked: boolean;
  readonly problem: string | null;
  readonly onTick: (ticked: boolean) => void;
}

function ConsentBox({ words, ticked, problem, onTick }: ConsentBoxProps) {
  const boxId = useId();
  return (
    <>
      <label htmlFor={boxId} className="mt-4 flex min-h-11 max-w-[62ch] cursor-pointer items-center gap-3">
        <input
          id={boxId}
          type="checkbox"
          checked={ticked}
          aria-invalid={problem !== null}
          aria-describedby={problem === null ? undefined : `${boxId}-error`}
          onChange={(event) => onTick(event.target.checked)}
        />
        <span>{words}</span>
      </label>
      {problem !== null && (
        <p id={`${boxId}-error`} role="alert" className="mt-1 text-sm text-stop">
          {problem}
        </p>
      )}
    </>
  );
}

function LearntLink({ task }: { readonly task: TaskSlice }) {
  return (
    <a
      className="link flex min-h-11 w-fit items-center"
      href={joinHref(task.task.slug, "learnt")}
      // biome-ignore lint/security/noBlankTarget: the new tab inherits the token of this one's link, kept nowhere else yet
      target="_blank"
      rel="opener"
    >
      What the coordinator could learn (new tab)
    </a>
  );
}

function CheckLink({ task }: { readonly task: TaskSlice }) {
  return (
    <a
      className="link flex min-h-11 w-fit items-center"
      href={`${joinHref(task.task.slug, "learnt")}#check`}
      // biome-ignore lint/security/noBlankTarget: the new tab inherits the token of this one's link, kept nowhere else yet
      target="_blank"
      rel="opener"
    >
      Who can check this page for you (new tab)
    </a>
  );
}
