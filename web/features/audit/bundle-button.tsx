"use client";
import { useMutation } from "@tanstack/react-query";
import type { OwnAudit } from "../../data/log-messages.ts";
import { lastSeen, logThread } from "../../data/log-thread.ts";
import { Button } from "../../ui/button.tsx";
import { saveBlob } from "../../ui/save-blob.ts";
import { bundleName } from "../../words/audit.ts";
import { FailureNote } from "../shell/query-gate.tsx";

interface BundleButtonProps {
  readonly audit: OwnAudit;
  readonly showsTranscripts: boolean;
}

/** Saves everything that a check of this round needs as one file. */
export function BundleButton({ audit: { record, look }, showsTranscripts }: BundleButtonProps) {
  const save = useMutation({
    mutationFn: () =>
      logThread.ask("bundle", { roundId: record.roundId, showsTranscripts, seen: lastSeen() }),
    onSuccess: (file) => saveBlob(file, bundleName(record)),
  });
  return (
    <>
      <Button disabled={!look.isReadable || save.isPending} onClick={() => save.mutate()}>
        Export for checking offline
      </Button>
      {save.error !== null && <FailureNote error={save.error} />}
    </>
  );
}
