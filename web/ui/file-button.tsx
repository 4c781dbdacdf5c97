"use client";
import { useRef } from "react";
import { Button } from "./button.tsx";

/** A button that opens a file dialog. The input is hidden; the button has its name and focus. */
export function FileButton(props: {
  readonly children: string;
  readonly accept?: string;
  readonly multiple?: boolean;
  /** Chooses a folder with all that is in it. */
  readonly folder?: boolean;
  readonly kind?: "main" | "quiet" | undefined;
  readonly disabled?: boolean;
  readonly onFiles: (files: readonly File[]) => void;
}) {
  const { children, accept, multiple = false, folder = false, kind, disabled = false, onFiles } = props;
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <Button kind={kind} disabled={disabled} onClick={() => input.current?.click()}>
        {children}
      </Button>
      <input
        ref={input}
        type="file"
        hidden
        {...(accept === undefined ? {} : { accept })}
        multiple={multiple}
        {...(folder ? { webkitdirectory: "" } : {})}
        onChange={(event) => {
          const files = [...(event.target.files ?? [])];
          // Allows the same file to be chosen again after it was fixed.
          event.target.value = "";
          if (files.length > 0) onFiles(files);
        }}
      />
    </>
  );
}
