"use client";
import { useAct } from "../doors/use-act.tsx";
import { Deed } from "./deeds.tsx";

interface EraseProps {
  /** What the log will keep. */
  readonly entry: string;
  readonly words: string;
  readonly erase: () => Promise<unknown>;
  readonly onClose: (said?: string) => void;
}

/** Asks before a person or a site is erased. */
export function Erase({ entry, words, erase, onClose }: EraseProps) {
  const act = useAct(erase, () => onClose("Erased. The audit log says that one was, and not which."));
  return (
    <Deed
      entries={[entry]}
      act={act}
      doLabel="Erase"
      stops
      onDo={() => act.run(undefined)}
      onKeep={() => onClose()}
    >
      <p>{words}</p>
    </Deed>
  );
}
