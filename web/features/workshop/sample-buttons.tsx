"use client";
import { type ReactNode, useEffect, useState } from "react";
import { FileButton } from "../../ui/file-button.tsx";

interface SampleButtonsProps {
  readonly onFiles: (files: readonly File[]) => void;
  /** Instead of choosing the first: the words of the one button. */
  readonly again?: string;
}

/** Choosing a file or a folder. */
export function SampleButtons({ onFiles, again }: SampleButtonsProps) {
  return (
    <>
      <FileButton
        accept=".csv,.tsv,.txt,.zip,text/csv"
        kind={again === undefined ? "main" : undefined}
        onFiles={onFiles}
      >
        {again ?? "Choose a file"}
      </FileButton>
      {again === undefined && (
        <FileButton folder onFiles={onFiles}>
          Choose a folder
        </FileButton>
      )}
    </>
  );
}

/** The whole page takes files that are dropped on it. */
export function DropArea({
  onFiles,
  children,
}: {
  readonly onFiles: SampleButtonsProps["onFiles"];
  readonly children: ReactNode;
}) {
  const [isOver, setOver] = useState(false);
  useEffect(() => {
    const over = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      setOver(true);
    };
    const leave = (event: DragEvent) => {
      if (event.relatedTarget === null) setOver(false);
    };
    const drop = (event: DragEvent) => {
      const files = [...(event.dataTransfer?.files ?? [])];
      setOver(false);
      if (files.length === 0) return;
      event.preventDefault();
      onFiles(files);
    };
    window.addEventListener("dragover", over);
    window.addEventListener("dragleave", leave);
    window.addEventListener("drop", drop);
    return () => {
      window.removeEventListener("dragover", over);
      window.removeEventListener("dragleave", leave);
      window.removeEventListener("drop", drop);
    };
  }, [onFiles]);
  return (
    <div className={isOver ? "bg-wash outline-2 outline-offset-8 outline-focus" : undefined}>{children}</div>
  );
}
