"use client";
import { useEffect, useRef, useState } from "react";

/** Screen readers are told of changes at most this often. */
const QUIET_MS = 5_000;

/** The one polite region of a page: says `text` when it has changed, at most every five seconds, the newest wins. */
export function LiveRegion({ text }: { readonly text: string }) {
  const [said, setSaid] = useState("");
  const saidAtMs = useRef(0);
  const first = useRef(true);
  useEffect(() => {
    // What the page says when it opens is read as content; only changes are announced.
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
