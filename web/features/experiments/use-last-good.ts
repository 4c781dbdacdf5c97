"use client";
import { useRef } from "react";

/** The newest text that was not null; null before the first. */
export function useLastGood(text: string | null): string | null {
  const last = useRef<string | null>(null);
  if (text !== null) last.current = text;
  return last.current;
}
