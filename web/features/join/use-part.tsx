"use client";
import { memo, useEffect, useState } from "react";
import type { ModelView, Participant, TaskSlice } from "#client/index.ts";
import type { ImageFeatures, SeriesFeatures, TabularFeatures } from "#shared/task/features.ts";
import { type Target, targetOf } from "#shared/task/target.ts";
import { Button } from "../../ui/button.tsx";
import { ErrorLine } from "../../ui/error-line.tsx";
import { answerSentence, triedGap, tryWords } from "../../words/classes.ts";
import { callFailure } from "../../words/failure.ts";
import { modelNote } from "../../words/model.ts";
import { ClassPicker } from "./class-picker.tsx";
import { isDrawable, SketchPad, useSketch } from "./draw-panel.tsx";
import { Odds } from "./odds.tsx";
import { Part } from "./part.tsx";
import { RowForm } from "./row-form.tsx";
import { SeriesForm } from "./series-form.tsx";
import { useCall } from "./use-call.ts";

/** Part 6: the model in this browser, tried on something new that is neither sent nor trained on. */
export const UsePart = memo(function UsePart(props: {
  readonly participant: Participant;
  readonly task: TaskSlice;
  readonly model: ModelView | null;
}) {
  const { participant, task, model } = props;
  const { features } = task.task;
  if (model === null) {
    return (
      <Part number={6} id="use" title="Use the model">
        <p className="note">No model is here yet. The first one comes with your first round.</p>
      </Part>
    );
  }
  return (
    <Part number={6} id="use" title="Use the model" note={modelNote(model, features)}>
      {features.kind === "image" && (
        <TryPicture participant={participant} task={task} features={features} model={model} />
      )}
      {features.kind !== "image" && (
        <TryNumbers participant={participant} task={task} features={features} model={model} />
      )}
    </Part>
  );
});

/** Null: nothing was asked, or the answer has not come. A text: why none comes. */
type Answered = Float32Array | string | null;

/** The model's answer to `input`; repeated when a newer model has arrived. */
function usePrediction(participant: Participant, modelHash: string, input: Float32Array | null): Answered {
  const [answer, setAnswer] = useState<Answered>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another model answers anew
  useEffect(() => {
    let over = false;
    const show = (answered: Answered) => {
      if (!over) setAnswer(answered);
    };
    if (input === null) setAnswer(null);
    else participant.predict(input).then(show, (fault: unknown) => show(callFailure(fault)));
    return () => {
      over = true;
    };
  }, [participant, modelHash, input]);
  return answer;
}

function Answer(props: { readonly target: Target; readonly answer: Answered; readonly waiting: string }) {
  const { target, answer, waiting } = props;
  if (typeof answer === "string") return <ErrorLine>{answer}</ErrorLine>;
  return (
    <div>
      <p className="read mb-4" aria-live="polite">
        {answer === null ? waiting : answerSentence(target, answer)}
      </p>
      {answer !== null && target.kind === "classes" && (
        <Odds classes={target.classes} probabilities={answer} />
      )}
    </div>
  );
}

function TryPicture(props: {
  readonly participant: Participant;
  readonly task: TaskSlice;
  readonly features: ImageFeatures;
  readonly model: ModelView;
}) {
  const { participant, task, features, model } = props;
  const { exampleNoun } = task.task;
  const sketch = useSketch(participant, features);
  const answer = usePrediction(participant, model.modelHash, sketch.pixels);
  const [label, setLabel] = useState<number | null>(null);
  const [keeping, setKeeping] = useState(false);
  const [gap, setGap] = useState<string | null>(null);
  const { busy, problem, call } = useCall();
  const keep = () => {
    const { pixels } = sketch;
    if (pixels === null || label === null) return setGap(triedGap({ isEmpty: pixels === null, label }));
    return void call(async () => {
      const added = await participant.addDrawing(pixels, label);
      if (!added.ok) return setGap(added.error.sentence);
      setGap(null);
      setKeeping(false);
      setLabel(null);
      return sketch.clear();
    });
  };
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-8 md:grid-cols-[17rem_minmax(0,1fr)] md:gap-12">
      <SketchPad
        sketch={sketch}
        features={features}
        label={`Drawing pad for a ${exampleNoun.one} to try the model on`}
      />
      <div className="grid content-start gap-5">
        <Answer
          target={targetOf(features)}
          answer={answer}
          waiting={tryWords(isDrawable(features) ? "drawing" : "image", exampleNoun.one)}
        />
        {sketch.pixels !== null && !keeping && (
          <p>
            <Button kind="quiet" onClick={() => setKeeping(true)}>
              Keep as training data
            </Button>
          </p>
        )}
        {keeping && (
          <>
            <ClassPicker
              legend="What is it really?"
              classes={features.classes}
              value={label}
              onPick={(picked) => {
                setLabel(picked);
                setGap(null);
              }}
              error={gap}
            />
            {problem !== null && <ErrorLine>{problem}</ErrorLine>}
            <p className="flex flex-wrap gap-3">
              <Button aria-disabled={busy} onClick={keep}>
                Keep this {exampleNoun.one}
              </Button>
              <Button kind="quiet" onClick={() => setKeeping(false)}>
                Don't keep it
              </Button>
            </p>
          </>
        )}
      </div>
    </div>
  );
}

/** A row of a table or a series. */
function TryNumbers(props: {
  readonly participant: Participant;
  readonly task: TaskSlice;
  readonly features: TabularFeatures | SeriesFeatures;
  readonly model: ModelView;
}) {
  const { participant, task, features, model } = props;
  const noun = task.task.exampleNoun.one;
  const [input, setInput] = useState<Float32Array | null>(null);
  const answer = usePrediction(participant, model.modelHash, input);
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-8 md:grid-cols-[minmax(0,1fr)_minmax(0,1fr)] md:gap-12">
      {features.kind === "series" ? (
        <SeriesForm features={features} noun={noun} onInput={setInput} />
      ) : (
        <RowForm features={features} noun={noun} onInput={setInput} />
      )}
      <Answer target={targetOf(features)} answer={answer} waiting={tryWords(features.kind, noun)} />
    </div>
  );
}
