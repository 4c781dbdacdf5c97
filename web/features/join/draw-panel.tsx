"use client";
import { useMemo, useState } from "react";
import type { Participant } from "#client/index.ts";
import { channelCount, type Features, type ImageFeatures } from "#shared/task/features.ts";
import { Button } from "../../ui/button.tsx";
import { ErrorLine } from "../../ui/error-line.tsx";
import { FileButton } from "../../ui/file-button.tsx";
import { keptSentence, sketchGap } from "../../words/classes.ts";
import { callFailure } from "../../words/failure.ts";
import { seenNote } from "../../words/pictures.ts";
import { ClassPicker } from "./class-picker.tsx";
import { type Stroke, strokesToPixels } from "./drawing.ts";
import { DrawingPad } from "./drawing-pad.tsx";
import { Picture } from "./pixel-canvas.tsx";
import { useCall } from "./use-call.ts";

/** Grey pictures with up to this many squares a side can be drawn by hand. */
const DRAWABLE_SIDE_MAX = 32;

export function isDrawable(features: Features): features is ImageFeatures {
  return (
    features.kind === "image" &&
    channelCount(features) === 1 &&
    Math.max(features.height, features.width) <= DRAWABLE_SIDE_MAX
  );
}

/** A drawing, or a picture file instead. */
export interface Sketch {
  readonly strokes: readonly Stroke[];
  /** [height * width] in [0, 1]; null while it is empty. */
  readonly pixels: Float32Array | null;
  readonly problem: string | null;
  readonly draw: (strokes: readonly Stroke[]) => void;
  readonly readFile: (file: File) => Promise<void>;
  readonly clear: () => void;
}

/** What is on the pad, and the small picture that the model gets from it. */
export function useSketch(participant: Participant, features: ImageFeatures): Sketch {
  const [strokes, setStrokes] = useState<readonly Stroke[]>([]);
  const [fromFile, setFromFile] = useState<Float32Array | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const { height, width } = features;
  const drawn = useMemo(
    () => (strokes.length === 0 ? null : strokesToPixels(strokes, { height, width })),
    [strokes, height, width],
  );
  return {
    strokes,
    pixels: drawn ?? fromFile,
    problem,
    draw: (next) => {
      setProblem(null);
      setFromFile(null);
      setStrokes(next);
    },
    readFile: async (file) => {
      setStrokes([]);
      try {
        const read = await participant.readPicture(file);
        setFromFile(read.ok ? read.value : null);
        setProblem(read.ok ? null : read.error.sentence);
      } catch (fault) {
        setFromFile(null);
        setProblem(callFailure(fault));
      }
    },
    clear: () => {
      setStrokes([]);
      setFromFile(null);
      setProblem(null);
    },
  };
}

/** The pad with its buttons, if the task's pictures can be drawn; a picture file; and what the model sees of it. */
export function SketchPad(props: {
  readonly sketch: Sketch;
  readonly features: ImageFeatures;
  readonly label: string;
}) {
  const { sketch, features, label } = props;
  const drawable = isDrawable(features);
  return (
    <div className="max-w-[17rem]">
      {drawable && <DrawingPad strokes={sketch.strokes} onStrokes={sketch.draw} label={label} />}
      <div className="mt-3 flex flex-wrap items-center gap-3">
        {drawable && <Button onClick={sketch.clear}>Clear</Button>}
        <FileButton
          accept="image/*"
          kind={drawable ? "quiet" : undefined}
          onFiles={([file]) => file !== undefined && void sketch.readFile(file)}
        >
          Use a picture file
        </FileButton>
      </div>
      <figure className="mt-3 flex min-h-14 items-center gap-3">
        {sketch.pixels === null ? (
          <div className="h-14 w-14 flex-none border border-rule" />
        ) : (
          <Picture
            pixels={sketch.pixels}
            height={features.height}
            width={features.width}
            label={`The picture as the model sees it, ${features.height} by ${features.width} squares`}
            className="h-14 w-14 flex-none"
          />
        )}
        <figcaption className="note">{seenNote(features)}</figcaption>
      </figure>
      {sketch.problem !== null && (
        <p role="alert" className="mt-2 text-sm text-stop">
          {sketch.problem}
        </p>
      )}
    </div>
  );
}

/** Draws, labels and keeps one more example, stored in this browser. */
export function DrawPanel(props: {
  readonly participant: Participant;
  readonly features: ImageFeatures;
  readonly noun: { readonly one: string; readonly many: string };
}) {
  const { participant, features, noun } = props;
  const sketch = useSketch(participant, features);
  const [label, setLabel] = useState<number | null>(null);
  const [gap, setGap] = useState<string | null>(null);
  const [said, setSaid] = useState("");
  const { busy, problem, call } = useCall();
  const keep = () => {
    const { pixels } = sketch;
    if (pixels === null || label === null)
      return setGap(sketchGap({ isEmpty: pixels === null, label }, noun.one));
    return void call(async () => {
      const added = await participant.addDrawing(pixels, label);
      if (!added.ok) return setGap(added.error.sentence);
      setGap(null);
      setSaid(keptSentence(features.classes[label] ?? ""));
      sketch.clear();
      return setLabel(null);
    });
  };
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-6 md:grid-cols-[17rem_minmax(0,1fr)] md:gap-12">
      <SketchPad sketch={sketch} features={features} label={`Drawing pad for a ${noun.one} to train on`} />
      <div className="grid content-start gap-4">
        <ClassPicker
          legend="What does it show?"
          classes={features.classes}
          value={label}
          onPick={(picked) => {
            setLabel(picked);
            setGap(null);
          }}
          error={gap}
        />
        {problem !== null && <ErrorLine>{problem}</ErrorLine>}
        <p>
          <Button aria-disabled={busy} onClick={keep}>
            Keep this {noun.one}
          </Button>
        </p>
        <p className="note min-h-6" role="status">
          {said}
        </p>
      </div>
    </div>
  );
}
