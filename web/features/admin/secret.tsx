"use client";
import type { ReactNode } from "react";
import { Button } from "../../ui/button.tsx";
import { CopyBox } from "../../ui/copy-button.tsx";

interface SecretProps {
  /** What to do with it. */
  readonly children: ReactNode;
  /** Each with its own Copy button: "the token". */
  readonly parts: readonly { readonly what: string; readonly text: string }[];
  readonly onDone: () => void;
}

/** A secret, shown once. After Done nobody can show it again. */
export function Secret({ children, parts, onDone }: SecretProps) {
  return (
    <div role="status" className="grid gap-3 border-l-2 border-ink pl-4">
      <p>{children}</p>
      {parts.map(({ what, text }) => (
        <CopyBox key={what} what={what} text={text} />
      ))}
      <p className="flex flex-wrap items-center gap-3">
        <Button onClick={onDone}>Done</Button>
        <span className="note">It is shown once. Afterwards nobody can show it again.</span>
      </p>
    </div>
  );
}
