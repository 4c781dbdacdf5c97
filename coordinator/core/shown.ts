/** Whether people may be shown this event: it has a note, or comes from before there were notes. */
export function isShown(event: unknown): boolean {
  return typeof event !== "object" || event === null || !("note" in event) || event.note !== null;
}
