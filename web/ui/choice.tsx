import type { ReactNode } from "react";

interface ChoiceProps {
  /** Of the group that it is in. */
  readonly name: string;
  readonly title: string;
  readonly checked: boolean;
  readonly onChoose: () => void;
  /** What it means, in a sentence. */
  readonly children: ReactNode;
}

/** One of several ways, with what it means; stands in a `fieldset` of class `choices`. */
export function Choice({ name, title, checked, onChoose, children }: ChoiceProps) {
  return (
    <label>
      <input type="radio" name={name} checked={checked} onChange={onChoose} />
      <span>
        <b>{title}</b>
        <span className="block text-sm text-ink-2">{children}</span>
      </span>
    </label>
  );
}
