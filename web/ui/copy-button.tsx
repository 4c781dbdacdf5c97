"use client";
import { useState } from "react";
import { Button } from "./button.tsx";

interface CopyButtonProps {
  readonly text: string;
  /** What is copied, for the button's name: "the link". */
  readonly what: string;
}

/** Copies a text, and says so. */
export function CopyButton(props: CopyButtonProps) {
  const { said, copy } = useCopy(props.text);
  return (
    <p className="flex flex-wrap items-center gap-3">
      <Button onClick={copy}>Copy {props.what}</Button>
      <output className="note">{said}</output>
    </p>
  );
}

/** A command, a link or a token on a wash, with its Copy button. */
export function CopyBox({ text, what }: CopyButtonProps) {
  const { said, copy } = useCopy(text);
  return (
    <div className="grid max-w-160 gap-1">
      <div className="flex gap-2.5 max-sm:flex-wrap">
        <code className="block min-w-0 flex-1 self-stretch rounded-sm bg-wash px-3 py-2.5 leading-normal wrap-anywhere max-sm:basis-full">
          {text}
        </code>
        <Button onClick={copy} className="self-start">
          Copy<span className="sr-only"> {what}</span>
        </Button>
      </div>
      <output className="note empty:absolute">{said}</output>
    </div>
  );
}

function useCopy(text: string): { readonly said: string; readonly copy: () => void } {
  const [said, setSaid] = useState("");
  const copy = () => {
    // A page over plain HTTP has no clipboard.
    const copied = navigator.clipboard?.writeText(text) ?? Promise.reject(new Error("no clipboard"));
    copied.then(
      () => setSaid("Copied."),
      () => setSaid("This browser does not let the page copy. Select the text instead."),
    );
  };
  return { said, copy };
}
