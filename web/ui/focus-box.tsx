import type { HTMLAttributes } from "react";

interface FocusBoxProps extends HTMLAttributes<HTMLDivElement> {
  readonly label: string;
}

/** A box that the keyboard reaches: one that scrolls sideways, or a drawing whose values arrow keys read. */
export function FocusBox({ label, ...rest }: FocusBoxProps) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for controls of a form
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls or is read by arrow keys must take the focus
    <div role="group" aria-label={label} tabIndex={0} {...rest} />
  );
}
