"use client";
import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useRef, useState } from "react";
import type { HeldOutUpload } from "#shared/protocol/api.ts";
import { uploadHeldOut } from "../../data/held-out.ts";
import { readingOf } from "../../words/held-out.ts";
import type { HeldOutChoice } from "./held-out-upload.tsx";

export interface UploadState {
  readonly upload: HeldOutUpload | null;
  readonly error: Error | null;
  readonly isUnderWay: boolean;
  /** Resolves when the rows are set, refused or stopped, or if the upload failed. */
  start(
    slug: string,
    choice: HeldOutChoice,
    kind: "table" | "series" | "pictures",
  ): Promise<HeldOutUpload | null>;
  stop(): void;
}

/** One upload of held-out rows at a time. */
export function useHeldOutUpload(): UploadState {
  const client = useQueryClient();
  const [upload, setUpload] = useState<HeldOutUpload | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const [isUnderWay, setUnderWay] = useState(false);
  const abort = useRef<AbortController | null>(null);
  const start = useCallback<UploadState["start"]>(
    async (slug, { files, card }, kind) => {
      abort.current = new AbortController();
      setError(null);
      setUpload(null);
      setUnderWay(true);
      try {
        const names = files.map(({ name }) => name);
        // Both files of an IDX pair are one set of bytes.
        const bytes = new Blob([...files]);
        const follow = { onProgress: setUpload, signal: abort.current.signal };
        return await uploadHeldOut(slug, bytes, { ...readingOf(names, kind), card }, follow);
      } catch (fault) {
        if (!abort.current.signal.aborted)
          setError(fault instanceof Error ? fault : new Error(String(fault)));
        return null;
      } finally {
        setUnderWay(false);
        void client.invalidateQueries({ queryKey: ["held-out", slug] });
        void client.invalidateQueries({ queryKey: ["task", slug] });
        void client.invalidateQueries({ queryKey: ["settings", slug] });
      }
    },
    [client],
  );
  return { upload, error, isUnderWay, start, stop: useCallback(() => abort.current?.abort(), []) };
}
