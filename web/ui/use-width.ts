"use client";
import { type RefObject, useLayoutEffect, useRef, useState } from "react";

/**
 * Width of the element with `ref` in whole pixels, 0 before the first layout. Drawings are redrawn at this width, never
 * scaled.
 */
export function useWidth<Element extends HTMLElement>(): [RefObject<Element | null>, number] {
  const ref = useRef<Element>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const box = ref.current;
    if (box === null) return;
    const measure = () => setWidth(Math.floor(box.clientWidth));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(box);
    return () => observer.disconnect();
  }, []);
  return [ref, width];
}
