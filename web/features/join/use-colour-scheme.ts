import { useSyncExternalStore } from "react";

const DARK = "(prefers-color-scheme: dark)";

function subscribe(listener: () => void): () => void {
  const query = matchMedia(DARK);
  query.addEventListener("change", listener);
  const observer = new MutationObserver(listener);
  observer.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  return () => {
    query.removeEventListener("change", listener);
    observer.disconnect();
  };
}

/** Changes with light and dark mode, so that canvases can be repainted. */
export function useColourScheme(): string {
  return useSyncExternalStore(
    subscribe,
    () => `${document.documentElement.dataset["theme"] ?? "system"} ${matchMedia(DARK).matches}`,
    () => "system false",
  );
}
