"use client";
import { useEffect } from "react";

/**
 * Goes to a heading that the page's address names with its fragment, and gives it the focus, once its part is there: the
 * browser looked for it before.
 *
 * @param id  Of the heading, which has tabIndex -1.
 */
export function useAnchor(id: string): void {
  useEffect(() => {
    if (window.location.hash !== `#${id}`) return;
    const heading = document.getElementById(id);
    heading?.scrollIntoView();
    heading?.focus();
  }, [id]);
}
