"use client";
import { useState } from "react";
import type { ProposedAct } from "#shared/access/log.ts";
import type { Names } from "#shared/access/sentences.ts";
import { propose } from "../../data/admin.ts";
import { TextInput } from "../../ui/text-input.tsx";
import { actNote, proposedEntry } from "../../words/access.ts";
import { useAct } from "../doors/use-act.tsx";
import { Deed } from "./deeds.tsx";

interface ProposeProps {
  readonly act: ProposedAct;
  readonly me: string;
  readonly personOf: Names["personOf"];
  /** @param said  What was done, if it was. */
  readonly onClose: (said?: string) => void;
}

/** Proposes what takes two people, with the reason that the other one reads. */
export function Propose({ act: proposed, me, personOf, onClose }: ProposeProps) {
  const [reason, setReason] = useState("");
  const [wrong, setWrong] = useState<string | null>(null);
  const act = useAct(propose, () => onClose("Proposed. It waits under Two people."));
  const start = () => {
    const isMissing = reason.trim() === "";
    setWrong(isMissing ? "Say why. Whoever agrees reads it, and the log keeps it." : null);
    if (isMissing) document.getElementById("reason")?.focus();
    else act.run({ act: proposed, reason });
  };
  return (
    <Deed
      entries={[proposedEntry(proposed, me, personOf)]}
      note={
        <>
          <p>The reason is kept with it. A proposal ends after 24 h unless another admin agrees.</p>
          <p>{actNote(proposed, personOf)}</p>
        </>
      }
      act={act}
      doLabel="Propose"
      onDo={start}
      onKeep={onClose}
    >
      <TextInput
        id="reason"
        label="Reason"
        value={reason}
        onValue={setReason}
        error={wrong}
        maxLength={400}
      />
    </Deed>
  );
}
