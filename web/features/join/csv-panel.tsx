"use client";
import { useState } from "react";
import type { Participant, TableView } from "#client/index.ts";
import type { Mapping } from "#shared/data/match/mapping.ts";
import type { Features } from "#shared/task/features.ts";
import { Button } from "../../ui/button.tsx";
import { ErrorLine } from "../../ui/error-line.tsx";
import { FileButton } from "../../ui/file-button.tsx";
import { saveBlob } from "../../ui/save-blob.ts";
import { csvNote } from "../../words/data.ts";
import { formatBytes } from "../../words/format.ts";
import { mappingFileName, readingWords } from "../../words/mapping.ts";
import { mappingBlob } from "./mapping-blob.ts";
import { TableReview } from "./table-review.tsx";
import { useCall } from "./use-call.ts";
import { useParticipantView } from "./use-participant.ts";

const TABLE_FILES = ".csv,.tsv,.txt,.gz,.zip,text/csv,text/plain";

/** Chooses a table, shows how it was understood and what becomes of its rows, then adds them. */
export function CsvPanel(props: {
  readonly participant: Participant;
  /** Its slug. */
  readonly task: string;
  readonly features: Features;
  readonly noun: { readonly one: string; readonly many: string };
  readonly onDone: () => void;
}) {
  const { participant, task, features, noun, onDone } = props;
  const { reading } = useParticipantView(participant);
  const [file, setFile] = useState<File | null>(null);
  const [said, setSaid] = useState<Mapping | null>(null);
  const [view, setView] = useState<TableView | null>(null);
  const [set, setSet] = useState<string | undefined>(undefined);
  const { busy, problem, call } = useCall();
  const read = (chosen: File, mapping: Mapping | null, of: string | undefined) =>
    call(async () => {
      const next = await participant.readTable(chosen, mapping, of);
      // Another file was chosen meanwhile, or reading was stopped.
      if (next.refusal?.type === "stopped") return;
      setView(next);
    });
  const choose = (chosen: File, of?: string) => {
    setFile(chosen);
    setSet(of);
    setSaid(null);
    setView(null);
    void read(chosen, null, of);
  };
  const leave = () => {
    setFile(null);
    setView(null);
    // Beside the reading that it ends. A participant that is gone is told by its own sentence.
    void participant.dropTable().catch(() => {});
  };
  const add = (remember: Mapping | null) =>
    call(async () => {
      const added = await participant.addTable(remember);
      setFile(null);
      setView(null);
      // In both cases the result is shown under the buttons of this part.
      if (added.ok) onDone();
    });
  const download = () =>
    call(async () => {
      const rows = await participant.leftOutRows();
      if (rows !== null) saveBlob(rows, `left-out-${file?.name ?? "rows.csv"}`);
    });
  const chooser = () => (
    <FileButton
      accept={TABLE_FILES}
      disabled={busy}
      onFiles={([chosen]) => chosen !== undefined && choose(chosen)}
    >
      {file === null ? "Choose a file" : "Choose another file"}
    </FileButton>
  );
  return (
    <div className="grid max-w-4xl grid-cols-[minmax(0,1fr)] gap-4">
      <p className="note">{csvNote(features, noun.one)}</p>
      {view === null && <p className="flex flex-wrap gap-3">{chooser()}</p>}
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
      {problem !== null && <ErrorLine>{problem}</ErrorLine>}
      {view !== null && (
        <TableReview
          task={task}
          view={view}
          features={features}
          said={said}
          busy={busy}
          onSay={(mapping) => {
            setSaid(mapping);
            if (file !== null) void read(file, mapping, set);
          }}
          onSet={(chosen) => file !== null && choose(file, chosen)}
          onDownloadMapping={(mapping) => saveBlob(mappingBlob(mapping), mappingFileName(task))}
          another={chooser()}
          onDownload={() => void download()}
          onAdd={(remember) => void add(remember)}
          onLeave={leave}
        />
      )}
    </div>
  );
}
