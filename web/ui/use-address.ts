"use client";
import { useSyncExternalStore } from "react";

/*
 * State of a page that stands in its address, so that a link, a reload and the way back show the same.
 */

const listeners = new Set<() => void>();
function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener("popstate", listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener("popstate", listener);
  };
}

/**
 * One named value of the page's address; null if the address does not name it, and on the server.
 *
 * @returns the value, and a function that writes another; null takes it out of the address.
 */
export function useAddress(name: string): readonly [string | null, (value: string | null) => void] {
  const value = useSyncExternalStore(
    subscribe,
    () => new URLSearchParams(window.location.search).get(name),
    () => null,
  );
  const write = (next: string | null) => {
    const url = new URL(window.location.href);
    if (next === null) url.searchParams.delete(name);
    else url.searchParams.set(name, next);
    window.history.replaceState(null, "", url);
    for (const listener of listeners) listener();
  };
  return [value, write];
}

/** Replaces all values of the page's address. @param query  What stands after "?". */
export function openAddress(query: string): void {
  const url = new URL(window.location.href);
  url.search = query;
  window.history.pushState(null, "", url);
  for (const listener of listeners) listener();
}
