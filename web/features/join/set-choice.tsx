"use client";
import type { ImportRefusal } from "#client/index.ts";
import { Button } from "../../ui/button.tsx";

/** Buttons for the sets of an archive that holds several. */
export function SetChoice(props: {
  readonly refusal: ImportRefusal | null;
  readonly busy: boolean;
  readonly onSet: (set: string) => void;
}) {
  const { refusal, busy, onSet } = props;
  const choices = refusal?.choices ?? [];
  if (choices.length === 0) return null;
  return (
    <div className="grid gap-2">
      <h3>Which one?</h3>
      <ul className="flex flex-wrap gap-3">
        {choices.map((name) => (
          <li key={name} className="max-w-full">
            <Button className="max-w-full break-all" disabled={busy} onClick={() => onSet(name)}>
              {name}
            </Button>
          </li>
        ))}
      </ul>
    </div>
  );
}
