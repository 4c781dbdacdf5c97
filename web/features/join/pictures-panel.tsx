"use client";
import { useState } from "react";
import type { Participant } from "#client/index.ts";
import type { ImageFeatures } from "#shared/task/features.ts";
import { ClassPicker } from "./class-picker.tsx";
import { FileButton } from "./file-button.tsx";

/** Several picture files of one class. */
export function PicturesPanel(props: {
  readonly participant: Participant;
  readonly features: ImageFeatures;
  readonly onDone: () => void;
}) {
  const { participant, features, onDone } = props;
  const [label, setLabel] = useState<number | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [adding, setAdding] = useState(false);
  const add = async (files: readonly File[]) => {
    if (label === null) return setProblem("Say first what the pictures show.");
    setAdding(true);
    const added = await participant.addImages(files, label);
    setAdding(false);
    if (!added.ok) return setProblem(added.error.sentence);
    setProblem(null);
    return onDone();
  };
  return (
    <div className="grid max-w-3xl gap-4">
      <ClassPicker
        legend="What do they show?"
        classes={features.classes}
        value={label}
        onPick={(picked) => {
          setLabel(picked);
          setProblem(null);
        }}
        error={problem}
      />
      <p>
        <FileButton accept="image/*" multiple disabled={adding} onFiles={(files) => void add(files)}>
          {adding ? "Reading the pictures" : "Choose pictures"}
        </FileButton>
      </p>
      <p className="note">
        Any size and colour. Each is made grey, centred and scaled to {features.height} by {features.width},
        in this browser.
      </p>
    </div>
  );
}
