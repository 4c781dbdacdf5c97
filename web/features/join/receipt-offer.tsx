"use client";
import { useState } from "react";
import type { ContributionSummary, OwnReceipt, Participant } from "#client/index.ts";
import { Button } from "../../ui/button.tsx";
import { ErrorLine } from "../../ui/error-line.tsx";
import { saveBlob } from "../../ui/save-blob.ts";
import { receiptFileName, receiptWords } from "../../words/receipt.ts";
import { useCall } from "./use-call.ts";

/** The receipt of a contribution: fetched and checked when it is wanted, then saved and explained. Rule A72. */
export function ReceiptOffer(props: {
  readonly participant: Participant;
  readonly slug: string;
  readonly contribution: ContributionSummary;
}) {
  const { participant, slug, contribution } = props;
  const [made, setMade] = useState<{ readonly of: string; readonly receipt: OwnReceipt } | null>(null);
  const [refusal, setRefusal] = useState<string | null>(null);
  const { busy, problem, call } = useCall();
  const file = receiptFileName(slug, contribution.round);
  const make = async () => {
    setRefusal(null);
    const receipt = await participant.receipt(contribution.id);
    if (!receipt.ok) {
      setMade(null);
      setRefusal(receipt.error.sentence);
      return;
    }
    setMade({ of: contribution.id, receipt: receipt.value });
    saveBlob(new Blob([receipt.value.text], { type: "text/plain;charset=utf-8" }), file);
  };
  const words = made?.of === contribution.id ? receiptWords(made.receipt, file) : null;
  return (
    <>
      <Button aria-disabled={busy} onClick={() => void call(make)}>
        {busy ? "Checking the log" : "Download the receipt"}
      </Button>
      {problem !== null && <ErrorLine>{problem}</ErrorLine>}
      {refusal !== null && <ErrorLine>{refusal}</ErrorLine>}
      <div role="status" className="min-w-0 basis-full wrap-anywhere empty:hidden">
        {words !== null && (
          <>
            <p className="read text-sm">{words.proves}</p>
            <p className="note mt-1">{words.not}</p>
            <p className="note mt-1">
              Anyone checks it offline with <code className="break-all">{words.check}</code>
            </p>
          </>
        )}
      </div>
    </>
  );
}
