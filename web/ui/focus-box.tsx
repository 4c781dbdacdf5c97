import type { HTMLAttributes } from "react";

interface FocusBoxProps extends HTMLAttributes<HTMLDivElement> {
  readonly label: string;
}

/** A box that takes keyboard focus: it scrolls sideways, or arrow keys read its drawing. */
export function FocusBox({ label, ...rest }: FocusBoxProps) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for controls of a form
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls or is read by arrow keys must take the focus
    <div role="group" aria-label={label} tabIndex={0} {...rest} />
  );
}
