/** Whether `error` is one of the system or the database with one of these codes, such as ENOENT. */
export function isErrorCode(error: unknown, ...codes: readonly string[]): boolean {
  return typeof error === "object" && error !== null && "code" in error && codes.includes(String(error.code));
}

/** What was thrown, as a sentence. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : JSON.stringify(error);
}
