"use client";
import { useSyncExternalStore } from "react";

const never = () => () => {};

/** False until the page's scripts answer to the person. A form that is sent before is sent by the browser itself. */
export function useHydrated(): boolean {
  return useSyncExternalStore(
    never,
    () => true,
    () => false,
  );
}
