"use client";
import type { SampleView } from "#client/index.ts";
import type { KindClash } from "#shared/sample/draft-sample.ts";
import { Button } from "../../ui/button.tsx";
import { ErrorNote } from "../../ui/states.tsx";
import { formatFileSize } from "../../words/format.ts";
import {
  clashWords,
  quotesWords,
  sampleCounts,
  sampleNote,
  samplePlaces,
} from "../../words/workshop-sample.ts";
import { NumberedPart } from "./numbered-part.tsx";
import { SampleButtons } from "./sample-buttons.tsx";
import type { Workshop } from "./use-workshop.ts";

/** Part 1: what was read, and what was left out. */
export function SamplePart({ workshop }: { readonly workshop: Workshop }) {
  const { sample, draft } = workshop;
  return (
    <NumberedPart
      part={1}
      note="Read in this browser and nowhere else. Close the tab and it is gone; the draft stays."
    >
      {sample === null ? (
        <div className="grid gap-4">
          <p className="text-ink-2">
            {draft?.sample == null
              ? "There is no sample. With one, types and ranges are proposed, and the model can be tried here."
              : `The sample is not here any more. Choose it again to see rows and to try the model; the draft is as it was.`}
          </p>
          <div className="flex flex-wrap gap-3">
            <SampleButtons onFiles={workshop.choose} />
          </div>
        </div>
      ) : (
        <Read sample={sample} workshop={workshop} />
      )}
    </NumberedPart>
  );
}

function Read({ sample, workshop }: { readonly sample: SampleView; readonly workshop: Workshop }) {
  if (sample.state === "refused") {
    return (
      <div className="grid gap-4">
        <ErrorNote
          what={sample.refusal ?? "The sample cannot be read."}
          meaning="Nothing of it was taken or sent."
        />
        <div className="flex flex-wrap gap-3">
          <SampleButtons onFiles={workshop.choose} />
        </div>
      </div>
    );
  }
  return (
    <div>
      <p className="flex max-w-3xl flex-wrap items-baseline gap-x-8 gap-y-1 border-b border-rule pb-2 text-sm">
        <b className="font-semibold wrap-anywhere">{sample.name}</b>
        <span>{formatFileSize(sample.byteCount)}</span>
        {sampleCounts(sample).map((words) => (
          <span key={words}>{words}</span>
        ))}
      </p>
      {sample.quoteFaultCount > 0 && <Quotes sample={sample} workshop={workshop} />}
      {samplePlaces(sample).map((words) => (
        <p key={words} className="note mt-2">
          {words}
        </p>
      ))}
      {workshop.clash !== null && <Clash clash={workshop.clash} workshop={workshop} />}
      <div className="mt-4 flex flex-wrap items-center gap-x-5 gap-y-2">
        <SampleButtons onFiles={workshop.choose} again="Choose another" />
        <Button kind="quiet" onClick={workshop.forgetSample}>
          Forget the sample
        </Button>
        <span className="note" role="status">
          {sampleNote(sample)}
        </span>
      </div>
    </div>
  );
}

/** A sample of another kind than the draft: nothing of it is used until someone has chosen. */
function Clash({ clash, workshop }: { readonly clash: KindClash; readonly workshop: Workshop }) {
  const { question, anew } = clashWords(clash);
  return (
    <div className="alarm mt-4" role="alert">
      <p>{question}</p>
      <div className="flex flex-wrap gap-3">
        <Button onClick={workshop.beginAnew}>{anew}</Button>
        <Button kind="quiet" onClick={workshop.putSampleAway}>
          Keep the draft, put the sample away
        </Button>
      </div>
    </div>
  );
}

/** Rows whose quotes cannot be read, and the two ways to have them. */
function Quotes({ sample, workshop }: { readonly sample: SampleView; readonly workshop: Workshop }) {
  const { title, sentences } = quotesWords(sample);
  return (
    <div className="alarm mt-4" role="alert">
      <h3>{title}</h3>
      {sentences.map((sentence) => (
        <p key={sentence} className="text-sm">
          {sentence}
        </p>
      ))}
      <div className="flex flex-wrap items-center gap-4">
        <SampleButtons onFiles={workshop.choose} again="Choose the mended file" />
        <Button kind="quiet" onClick={workshop.readQuotesAsLetters}>
          Read every quote as a plain character
        </Button>
      </div>
    </div>
  );
}
