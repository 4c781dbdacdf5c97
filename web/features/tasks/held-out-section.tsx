"use client";
import { useState } from "react";
import { layoutSentences } from "#shared/data/idx.ts";
import { projectSentence } from "#shared/project/sentences.ts";
import type { HeldOutView, TaskView } from "#shared/protocol/api.ts";
import { removeHeldOut } from "../../data/held-out.ts";
import { Button } from "../../ui/button.tsx";
import { type Definition, DefinitionList } from "../../ui/definition-list.tsx";
import { Section } from "../../ui/section.tsx";
import { formatFileSize, formatHash, formatWhenUtc, plural } from "../../words/format.ts";
import { cardFault, NO_HELD_OUT, setSentence, WITHOUT_HELD_OUT } from "../../words/held-out.ts";
import { Deed, DeedLink, Said, useDeeds } from "../admin/deeds.tsx";
import { useAct } from "../doors/use-act.tsx";
import { FailureNote } from "../shell/query-gate.tsx";
import { BalanceBars } from "./balance-bars.tsx";
import { type HeldOutChoice, HeldOutUpload, UploadProgress } from "./held-out-upload.tsx";
import { useHeldOutUpload } from "./use-held-out-upload.ts";

interface HeldOutSectionProps {
  readonly view: TaskView;
  /** The reader's name if they may change it, else null. */
  readonly me: string | null;
  readonly onChange: () => void;
}

/** The rows that judge a task's models: their card and their balance, or that there are none. */
export function HeldOutSection({ view, me, onChange }: HeldOutSectionProps) {
  const { heldOut = null } = view;
  return (
    <Section
      id="held-out"
      title="Held-out set"
      note="A setting, named by its fingerprint. No device ever sees it."
    >
      <div className="cols2">
        <div className="grid content-start gap-4">
          <p className="read">{heldOut === null ? NO_HELD_OUT : setSentence(heldOut)}</p>
          {heldOut !== null && <DefinitionList definitions={cardLines(heldOut)} />}
          {me !== null && view.archived == null && <Change view={view} me={me} onChange={onChange} />}
        </div>
        {heldOut !== null && (
          <div>
            <BalanceBars set={heldOut} />
            <p className="mt-6 max-w-lg text-sm text-ink-2">
              Figures of an earlier set are kept under its own fingerprint, and never drawn on one line with
              these.
            </p>
          </div>
        )}
      </div>
    </Section>
  );
}

function cardLines({
  card,
  rowCount,
  byteCount,
  format,
  layout,
  hash,
  versions,
  setAt,
  setBy,
}: HeldOutView): Definition[] {
  const stored = layout === undefined ? "" : layoutSentences(layout).join(" ");
  const names = { csv: "CSV", idx: "IDX", zip: "zip of pictures" };
  return [
    { term: "Source", text: card.source },
    { term: "Licence", text: card.licence },
    { term: "Ground", text: card.ground },
    { term: "Collected", text: card.collected },
    { term: "Size", text: `${plural(rowCount, "row")}, ${formatFileSize(byteCount)}, ${names[format]}` },
    ...(stored === "" ? [] : [{ term: "Stored", text: stored }]),
    { term: "Fingerprint", text: formatHash(hash) },
    {
      term: "Checked",
      text: `all rows fit ${versions.length === 1 ? "version" : "versions"} ${versions.join(", ")}`,
    },
    { term: "Set", text: `${formatWhenUtc(setAt)}, by ${setBy}` },
  ];
}

function Change({ view, me, onChange }: HeldOutSectionProps & { readonly me: string }) {
  const { slug, features } = view.task;
  const [isOpen, setOpen] = useState(false);
  const [choice, setChoice] = useState<HeldOutChoice | null>(null);
  const upload = useHeldOutUpload();
  const kind = { tabular: "table", series: "series", image: "pictures" } as const;
  const deeds = useDeeds("held-out");
  const remove = useAct(
    () => removeHeldOut(slug),
    () => {
      deeds.close("The held-out rows are gone. Devices alone judge from now on.");
      onChange();
    },
  );
  const start = async () => {
    if (choice === null) return;
    const end = await upload.start(slug, choice, kind[features.kind]);
    if (end?.state !== "set") return;
    setOpen(false);
    setChoice(null);
    onChange();
  };
  const { heldOut = null } = view;
  const has = heldOut !== null;
  return (
    <div className="grid gap-4">
      {!isOpen && (
        <div className="flex flex-wrap items-center gap-4">
          <Button onClick={() => setOpen(true)}>{has ? "Replace…" : "Upload held-out data…"}</Button>
          {has && (
            <DeedLink deeds={deeds} row="set" what="remove">
              Go without…
            </DeedLink>
          )}
        </div>
      )}
      {heldOut !== null && deeds.isOpen("set", "remove") && (
        <Deed
          entries={[projectSentence({ type: "held-out-removed", slug, hash: heldOut.hash, actor: me })]}
          act={remove}
          doLabel="Delete these rows"
          stops
          onDo={() => remove.run(undefined)}
          onKeep={() => deeds.close()}
          narrow
        >
          <p className="read">{WITHOUT_HELD_OUT}</p>
        </Deed>
      )}
      <Said deeds={deeds} />
      {isOpen && !upload.isUnderWay && (
        <div className="grid gap-4 bg-wash p-4">
          <HeldOutUpload kind={kind[features.kind]} choice={choice} onChoice={setChoice} />
          <div className="flex flex-wrap gap-3">
            <Button kind="main" disabled={cardFault(choice) !== null} onClick={() => void start()}>
              Upload and check
            </Button>
            <Button onClick={() => setOpen(false)}>Not now</Button>
          </div>
        </div>
      )}
      {upload.upload !== null && <UploadProgress upload={upload.upload} onStop={upload.stop} />}
      {upload.error !== null && <FailureNote error={upload.error} />}
    </div>
  );
}
