"use client";
import type { Participant, ParticipantView } from "#client/index.ts";
import { consentReceiptJson, consentReceiptText } from "#shared/task/consent-ledger.ts";
import { Button } from "../../ui/button.tsx";
import { ErrorLine } from "../../ui/error-line.tsx";
import { saveBlob } from "../../ui/save-blob.ts";
import { contributionsTexts, ownRecordsWords } from "../../words/own-records.ts";
import { useCall } from "./use-call.ts";

/** What this device has kept of its own part, shown and as files. Rules A70, A71. */
export function OwnRecords(props: { readonly participant: Participant; readonly view: ParticipantView }) {
  const { participant, view } = props;
  const { task, consents, contributions } = view;
  const { slug } = task.task;
  const words = ownRecordsWords(consents, contributions);
  const saving = useCall();
  const save = async () => {
    const texts = contributionsTexts(slug, consents, contributions);
    saveBlob(await participant.downloadContributions(texts), `chorus-${slug}-contributions.tar`);
  };
  return (
    <>
      <p className="mb-3 text-sm text-ink-2">{words.offer}</p>
      <Button aria-disabled={saving.busy} onClick={() => void saving.call(save)}>
        {saving.busy ? "Packing" : "Download my contributions"}
      </Button>
      {saving.problem !== null && <ErrorLine>{saving.problem}</ErrorLine>}
      {consents.length > 0 && (
        <details className="mt-2">
          <summary className="link flex min-h-11 w-fit items-center">Agreements on this device</summary>
          <ul className="mt-1 text-sm">
            {words.acts.map((line, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a ledger only grows
              <li key={index} className="border-t border-rule py-1">
                {line}
              </li>
            ))}
          </ul>
          <p className="flex flex-wrap gap-x-5">
            <SaveText
              name={`chorus-${slug}-consents.json`}
              type="application/json"
              text={() => consentReceiptJson(consents)}
            >
              Consent receipt (JSON)
            </SaveText>
            <SaveText
              name={`chorus-${slug}-consents.txt`}
              type="text/plain;charset=utf-8"
              text={() => consentReceiptText(consents)}
            >
              The same as text
            </SaveText>
          </p>
        </details>
      )}
    </>
  );
}

function SaveText(props: {
  readonly name: string;
  readonly type: string;
  readonly text: () => string;
  readonly children: string;
}) {
  const { name, type, text, children } = props;
  return (
    <Button kind="quiet" onClick={() => saveBlob(new Blob([text()], { type }), name)}>
      {children}
    </Button>
  );
}
