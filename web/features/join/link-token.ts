import { tabStorage } from "../../data/storage.ts";

/**
 * The join token of `#token=chj_...`. Browsers send no fragment, so no server sees it. It leaves the address, where it is
 * read over a shoulder and sent on with the link, and lives as long as the tab until the person agrees. It stays there if the
 * tab can keep nothing.
 */
export function linkToken(task: string): string | null {
  const key = `chorus token ${task}`;
  const linked = new URLSearchParams(location.hash.slice(1)).get("token");
  const storage = tabStorage();
  if (storage === null) return linked;
  if (linked !== null) {
    storage.setItem(key, linked);
    history.replaceState(null, "", location.pathname + location.search);
  }
  return storage.getItem(key);
}
