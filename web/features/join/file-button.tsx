"use client";
import { useRef } from "react";
import { Button } from "../../ui/button.tsx";

/** A button that asks for files. The input itself is hidden; the button carries the name and the focus. */
export function FileButton(props: {
  readonly children: string;
  readonly accept: string;
  readonly multiple?: boolean;
  readonly kind?: "main" | "quiet" | undefined;
  readonly disabled?: boolean;
  readonly onFiles: (files: readonly File[]) => void;
}) {
  const { children, accept, multiple = false, kind, disabled = false, onFiles } = props;
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
        accept={accept}
        multiple={multiple}
        onChange={(event) => {
          const files = [...(event.target.files ?? [])];
          // The same file can be chosen again after it was mended.
          event.target.value = "";
          if (files.length > 0) onFiles(files);
        }}
      />
    </>
  );
}
