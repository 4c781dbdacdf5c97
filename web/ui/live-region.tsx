"use client";
import { useEffect, useRef, useState } from "react";

/** Screen readers are told of changes at most this often. */
const QUIET_MS = 5_000;

/**
 * The page's single polite live region: announces changes of `text`, at most every five seconds and the newest only.
 */
export function LiveRegion({ text }: { readonly text: string }) {
  const [said, setSaid] = useState("");
  const saidAtMs = useRef(0);
  const first = useRef(true);
  useEffect(() => {
    // The initial text is read as content; only changes are announced.
    if (first.current) {
      first.current = text === "";
      return;
    }
    const waitMs = Math.max(0, saidAtMs.current + QUIET_MS - Date.now());
    const timer = setTimeout(() => {
      saidAtMs.current = Date.now();
      setSaid(text);
    }, waitMs);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <p className="sr-only" role="status" aria-live="polite">
      {said}
    </p>
  );
}
