"use client";
import { useMutation } from "@tanstack/react-query";
import { download } from "../../chart/export.ts";
import { bundleHere, type OwnAudit } from "../../data/audit.ts";
import { Button } from "../../ui/button.tsx";
import { bundleName } from "../../words/audit.ts";
import { FailureNote } from "../shell/query-gate.tsx";

/** Saves everything that a check of this round needs as one file. */
export function BundleButton({ audit }: { readonly audit: OwnAudit }) {
  const { record, evidence, look } = audit;
  const save = useMutation({
    mutationFn: () => bundleHere(record.roundId, evidence.signatures !== "not-shown"),
    onSuccess: (text) => download(bundleName(record), "application/json", text),
  });
  return (
    <>
      <Button disabled={look.log === null || save.isPending} onClick={() => save.mutate()}>
        Export for checking offline
      </Button>
      {save.error !== null && <FailureNote error={save.error} />}
    </>
  );
}
