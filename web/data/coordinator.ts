/*
 * The coordinator that a page asks. It is the page's own host, except for a participant's page on a host of its own, whose link
 * names the coordinator.
 */

let named: string | null = null;

/** @param origin  As `URL.origin` writes it. Once, before anything is asked. */
export function nameCoordinator(origin: string): void {
  named = origin;
}

/** What an address at the coordinator begins with; empty for the page's own host. */
export function coordinatorBase(): string {
  return named ?? "";
}

export function coordinatorOrigin(): string {
  return named ?? location.origin;
}
