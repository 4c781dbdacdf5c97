"use client";
import { useState } from "react";
import type { Participant, TableView } from "#client/index.ts";
import type { Mapping } from "#shared/data/match/mapping.ts";
import type { Features } from "#shared/task/features.ts";
import { Button } from "../../ui/button.tsx";
import { FileButton } from "../../ui/file-button.tsx";
import { csvNote } from "../../words/data.ts";
import { formatBytes } from "../../words/format.ts";
import { fileFailure, readingWords } from "../../words/mapping.ts";
import { saveBlob } from "./save-blob.ts";
import { TableReview } from "./table-review.tsx";
import { useParticipantView } from "./use-participant.ts";

/** Chooses a table, shows how it was understood and what becomes of its rows, then adds them. */
export function CsvPanel(props: {
  readonly participant: Participant;
  readonly features: Features;
  readonly noun: { readonly one: string; readonly many: string };
  readonly onDone: () => void;
}) {
  const { participant, features, noun, onDone } = props;
  const { reading } = useParticipantView(participant);
  const [file, setFile] = useState<File | null>(null);
  const [said, setSaid] = useState<Mapping | null>(null);
  const [view, setView] = useState<TableView | null>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const trying = async (action: () => Promise<void>) => {
    setBusy(true);
    setProblem(null);
    try {
      await action();
    } catch (fault) {
      setProblem(fileFailure(fault));
    }
    setBusy(false);
  };
  const read = (chosen: File, mapping: Mapping | null) =>
    trying(async () => {
      const next = await participant.readTable(chosen, mapping);
      // Another file was chosen meanwhile, or reading was stopped.
      if (next.refusal?.type === "stopped") return;
      setView(next);
    });
  const choose = (chosen: File) => {
    setFile(chosen);
    setSaid(null);
    setView(null);
    void read(chosen, null);
  };
  const leave = () => {
    setFile(null);
    setView(null);
    void trying(() => participant.dropTable());
  };
  const add = (remember: Mapping | null) =>
    trying(async () => {
      const added = await participant.addTable(remember);
      setFile(null);
      setView(null);
      // In both cases the result is shown under the buttons of this part.
      if (added.ok) onDone();
    });
  const download = () =>
    trying(async () => {
      const rows = await participant.leftOutRows();
      if (rows !== null) saveBlob(rows, `left-out-${file?.name ?? "rows.csv"}`);
    });
  return (
    <div className="grid max-w-4xl grid-cols-[minmax(0,1fr)] gap-4">
      <p className="note">{csvNote(features, noun.one)}</p>
      <p className="flex flex-wrap gap-3">
        <FileButton
          accept=".csv,.tsv,.txt,text/csv,text/plain"
          disabled={busy}
          onFiles={([chosen]) => chosen !== undefined && choose(chosen)}
        >
          {file === null ? "Choose a file" : "Choose another file"}
        </FileButton>
      </p>
      {file !== null && (
        <p className="note">
          {file.name}, {formatBytes(file.size)}. Your file stays as it is.
        </p>
      )}
      {busy && reading !== null && (
        <div className="flex flex-wrap items-center gap-4" role="status">
          <span>{readingWords(reading)}</span>
          <Button onClick={leave}>Stop</Button>
        </div>
      )}
      {problem !== null && (
        <p role="alert" className="max-w-[62ch] border-l-2 border-stop pl-4">
          {problem}
        </p>
      )}
      {view !== null && (
        <TableReview
          view={view}
          features={features}
          said={said}
          busy={busy}
          onSay={(mapping) => {
            setSaid(mapping);
            if (file !== null) void read(file, mapping);
          }}
          onDownload={() => void download()}
          onAdd={(remember) => void add(remember)}
          onLeave={leave}
        />
      )}
    </div>
  );
}
