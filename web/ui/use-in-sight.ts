"use client";
import { type RefObject, useEffect, useRef, useState } from "react";

/** Fetched a little before it is in sight. */
const MARGIN = "400px";

/** Whether an element is or was near the visible part of the page; true at once where that cannot be known. */
export function useInSight<Of extends Element>(): readonly [RefObject<Of | null>, boolean] {
  const ref = useRef<Of>(null);
  const [isSeen, setSeen] = useState(false);
  useEffect(() => {
    const element = ref.current;
    if (element === null || typeof IntersectionObserver === "undefined") return setSeen(true);
    const observer = new IntersectionObserver(
      (entries) => {
        if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
        setSeen(true);
        observer.disconnect();
      },
      { rootMargin: MARGIN },
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [ref, isSeen];
}
