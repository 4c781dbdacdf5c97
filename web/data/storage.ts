/* What a page may keep in this browser. Whoever blocks site data lends no storage: even to look for it throws. */

/** Kept until the browser's data are cleared; null if this browser lets no page store anything. */
export const keptStorage = (): Storage | null => lent(() => window.localStorage);

/** Kept as long as the tab; null if this browser lets no page store anything. */
export const tabStorage = (): Storage | null => lent(() => window.sessionStorage);

function lent(look: () => Storage): Storage | null {
  try {
    return look();
  } catch {
    return null;
  }
}
