/**
 * The join token of `#token=chj_...`. Browsers send no fragment, so no server sees it. It leaves the address, where it is
 * read over a shoulder and sent on with the link, and lives as long as the tab until the person agrees.
 */
export function linkToken(task: string): string | null {
  const key = `chorus token ${task}`;
  const linked = new URLSearchParams(location.hash.slice(1)).get("token");
  if (linked !== null) {
    sessionStorage.setItem(key, linked);
    history.replaceState(null, "", location.pathname + location.search);
  }
  return sessionStorage.getItem(key);
}
