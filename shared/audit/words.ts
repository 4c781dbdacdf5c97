/* Numbers and times of the statements, for pages and the command line alike. */

/** 12279 becomes "12,279". */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** "1 device", "8 devices". */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}

/** The first eight digits of a hash in groups of four. */
export function shortHash(hash: string): string {
  return `${hash.slice(0, 4)} ${hash.slice(4, 8)}`;
}

const two = (value: number): string => String(value).padStart(2, "0");

/** Unix milliseconds to "14:36:20", UTC. */
export function timeOf(unixMs: number): string {
  const seconds = Math.floor(unixMs / 1_000) % 86_400;
  return `${two(Math.floor(seconds / 3_600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

/** "Entry 4,159", "Entries 4,159 and 4,161". */
export function entriesInWords(indexes: readonly number[]): string {
  const last = indexes.at(-1);
  if (last === undefined) return "No entry";
  if (indexes.length === 1) return `Entry ${grouped(last)}`;
  return `Entries ${indexes.slice(0, -1).map(grouped).join(", ")} and ${grouped(last)}`;
}
