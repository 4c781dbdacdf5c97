"use client";
import { useState } from "react";
import type { ImportRefusal, ImportReport, Participant, ReadingView } from "#client/index.ts";
import type { Result } from "#shared/kernel/result.ts";
import type { ImageFeatures } from "#shared/task/features.ts";
import { Button } from "../../ui/button.tsx";
import { ErrorLine } from "../../ui/error-line.tsx";
import { FileButton } from "../../ui/file-button.tsx";
import { ProgressBar } from "../../ui/progress-bar.tsx";
import { classFoldersNote, fittingNote, readingSentence } from "../../words/pictures.ts";
import { ClassPicker } from "./class-picker.tsx";
import { SetChoice } from "./set-choice.tsx";
import { useCall } from "./use-call.ts";

/** Files that hold several sets, of which one is chosen. */
interface Several {
  readonly files: readonly File[];
  readonly refusal: ImportRefusal;
}
type Adding = () => Promise<Result<ImportReport, ImportRefusal>>;

/** A folder or an archive of pictures of all classes, or several files of one class. */
export function PicturesPanel(props: {
  readonly participant: Participant;
  readonly features: ImageFeatures;
  readonly reading: ReadingView | null;
  readonly onDone: () => void;
}) {
  const { participant, features, reading, onDone } = props;
  const [label, setLabel] = useState<number | null>(null);
  const [unsaid, setUnsaid] = useState<string | null>(null);
  const [several, setSeveral] = useState<Several | null>(null);
  const { busy, problem, call } = useCall();
  const add = (adds: Adding, files: readonly File[] = []) =>
    call(async () => {
      setSeveral(null);
      // Either way the result is shown under the buttons of this part.
      const added = await adds();
      if (added.ok) onDone();
      else setSeveral({ files, refusal: added.error });
    });
  const addOfClass = (files: readonly File[]) => {
    if (label === null) return setUnsaid("First say what the pictures show.");
    return void add(() => participant.addImages(files, label));
  };
  const addSet = (files: readonly File[], set?: string) =>
    void add(() => participant.addSet(files, set), files);
  return (
    <div className="grid max-w-3xl gap-6">
      <section className="grid gap-3">
        <h3>All classes at once</h3>
        <p className="note">{classFoldersNote(features)}</p>
        <p className="flex flex-wrap gap-3">
          {canChooseFolders() && (
            <FileButton folder disabled={busy} onFiles={(files) => addSet(files)}>
              Choose a folder
            </FileButton>
          )}
          <FileButton multiple disabled={busy} onFiles={(files) => addSet(files)}>
            Choose a zip archive or IDX files
          </FileButton>
        </p>
      </section>
      <section className="grid gap-3">
        <h3>Pictures of one class</h3>
        <ClassPicker
          legend="What do they show?"
          classes={features.classes}
          value={label}
          onPick={(picked) => {
            setLabel(picked);
            setUnsaid(null);
          }}
          error={unsaid}
        />
        <p>
          <FileButton accept="image/*" multiple disabled={busy} onFiles={addOfClass}>
            Choose pictures
          </FileButton>
        </p>
      </section>
      <p className="note">{fittingNote(features)}</p>
      {busy && <Reading reading={reading} onStop={() => participant.stopReading()} />}
      {several !== null && !busy && (
        <SetChoice refusal={several.refusal} busy={busy} onSet={(set) => addSet(several.files, set)} />
      )}
      {problem !== null && <ErrorLine>{problem}</ErrorLine>}
    </div>
  );
}

function Reading(props: { readonly reading: ReadingView | null; readonly onStop: () => Promise<void> }) {
  const { reading, onStop } = props;
  const share = reading === null || reading.totalCount === 0 ? 0 : reading.doneCount / reading.totalCount;
  return (
    <div className="grid max-w-md gap-2">
      <p role="status">{reading === null ? "Looking at the files." : readingSentence(reading)}</p>
      <div className="h-1.5">
        <ProgressBar label="Pictures read" parts={[share]} />
      </div>
      <p>
        <Button onClick={() => void onStop().catch(() => {})}>Stop</Button>
      </p>
    </div>
  );
}

/** Not on most phones. */
function canChooseFolders(): boolean {
  return "webkitdirectory" in HTMLInputElement.prototype;
}
