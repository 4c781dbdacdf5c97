"use client";
import type { Participant } from "#client/index.ts";
import { Button } from "../../ui/button.tsx";
import { ErrorLine } from "../../ui/error-line.tsx";
import { saveBlob } from "../../ui/save-blob.ts";
import { StatusMark } from "../../ui/status-mark.tsx";
import { contradictionWords } from "../../words/log-contradiction.ts";
import { useCall } from "./use-call.ts";

/** Shown while this device sends nothing because of the public log. Rule A43. */
export function ContradictionPart(props: { readonly participant: Participant; readonly file: string }) {
  const { participant, file } = props;
  const words = contradictionWords(file);
  const trusting = useCall();
  const save = () => saveBlob(new Blob([file], { type: "application/json" }), words.fileName);
  return (
    <section aria-labelledby="log-contradicted" className="border-t border-ink py-5">
      <h2 id="log-contradicted" className="font-serif text-lg">
        {words.title}
      </h2>
      <div className="mt-2 max-w-[62ch] text-sm">
        <StatusMark kind="refused">{words.finding}</StatusMark>
        <p className="mt-2 text-ink-2">{words.keep}</p>
        <p className="mt-2 text-ink-2">{words.decide}</p>
      </div>
      <div className="mt-3 flex flex-wrap gap-3">
        <Button onClick={save}>Download the evidence</Button>
        <Button
          kind="quiet"
          aria-disabled={trusting.busy}
          onClick={() => void trusting.call(() => participant.trustLogAnew())}
        >
          Trust the log as it is now
        </Button>
      </div>
      {trusting.problem !== null && <ErrorLine>{trusting.problem}</ErrorLine>}
    </section>
  );
}
