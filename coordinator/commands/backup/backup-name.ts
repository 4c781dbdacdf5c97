/** Such as `chorus-2026-01-31T12-00-00Z`: sorts by time and is a name on every file system. */
export function backupName(nowUnixMs: number): string {
  return `chorus-${timeInName(nowUnixMs)}`;
}

/** UTC to the second, without colons. */
export function timeInName(nowUnixMs: number): string {
  return `${new Date(nowUnixMs).toISOString().slice(0, 19).replaceAll(":", "-")}Z`;
}
