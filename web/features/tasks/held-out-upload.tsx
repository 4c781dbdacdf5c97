"use client";
import type { HeldOutBegin, HeldOutUpload as Upload } from "#shared/protocol/api.ts";
import { Button } from "../../ui/button.tsx";
import { FileButton } from "../../ui/file-button.tsx";
import { TextInput } from "../../ui/text-input.tsx";
import { formatFileSize } from "../../words/format.ts";
import { cardFault, uploadSentence } from "../../words/held-out.ts";

export type Card = HeldOutBegin["card"];

/** A file to judge by, with what people say about it. */
export interface HeldOutChoice {
  readonly files: readonly File[];
  readonly card: Card;
}

const EMPTY_CARD: Card = { source: "", licence: "", ground: "", collected: "" };

const CARD_FIELDS: readonly (readonly [name: keyof Card, label: string, placeholder: string])[] = [
  ["source", "Source", "regional registry, discharges of 2025"],
  ["licence", "Licence", "for this project only"],
  ["ground", "On what ground it may be used", "decision of an ethics board, consent"],
  ["collected", "When it was collected", "January to December 2025"],
];

/** Chooses a held-out set and fills in its card. */
export function HeldOutUpload(props: {
  readonly kind: "table" | "series" | "pictures";
  readonly choice: HeldOutChoice | null;
  readonly onChoice: (choice: HeldOutChoice | null) => void;
}) {
  const { kind, choice, onChoice } = props;
  const card = choice?.card ?? EMPTY_CARD;
  const files = choice?.files ?? [];
  const fault = cardFault(choice);
  return (
    <div className="grid content-start gap-3.5">
      <div className="flex flex-wrap items-center gap-3">
        <FileButton
          accept={kind === "pictures" ? ".zip,.gz,.csv,application/zip" : ".csv,text/csv"}
          multiple={kind === "pictures"}
          onFiles={(chosen) => onChoice({ files: chosen, card })}
        >
          {files.length === 0 ? "Choose a file" : "Choose another"}
        </FileButton>
        {files.length > 0 && (
          <span className="text-sm wrap-anywhere">
            {files.map(({ name, size }) => `${name}, ${formatFileSize(size)}`).join("; ")}
          </span>
        )}
      </div>
      {CARD_FIELDS.map(([name, label, placeholder]) => (
        <TextInput
          key={name}
          id={`card-${name}`}
          label={label}
          placeholder={placeholder}
          value={card[name]}
          autoComplete="off"
          onValue={(value) => onChoice({ files, card: { ...card, [name]: value } })}
        />
      ))}
      <p className="note">{fault ?? "Nothing is stored until all rows fit."}</p>
    </div>
  );
}

/** How far an upload is, with Stop. */
export function UploadProgress({ upload, onStop }: { readonly upload: Upload; readonly onStop: () => void }) {
  const isUnderWay = upload.state === "receiving" || upload.state === "checking";
  const share =
    upload.state === "receiving"
      ? upload.receivedByteCount / Math.max(1, upload.byteCount)
      : upload.checkedShare;
  return (
    <div className="grid gap-2" role="status">
      <p className={upload.state === "refused" ? "text-stop" : undefined}>{uploadSentence(upload)}</p>
      {isUnderWay && (
        <div className="flex items-center gap-4">
          <progress className="w-full max-w-80 accent-ink" value={share} aria-label="Held-out data" />
          <Button onClick={onStop}>Stop</Button>
        </div>
      )}
      {upload.refusal?.problems.slice(0, 5).map(({ sentence }) => (
        <p key={sentence} className="note">
          {sentence}
        </p>
      ))}
    </div>
  );
}
