import { type Bytes, utf8 } from "#shared/kernel/bytes.ts";

/* A round's record as a file among those of its run: rounds/00001.json. */

export const ROUNDS_FOLDER = "rounds";
const NAME = /^(\d{5,9})\.json$/;

export function roundFileName(round: number): string {
  return `${String(round).padStart(5, "0")}.json`;
}

/** The inverse. Null for a name that no round's file has. */
export function roundOfFile(name: string): number | null {
  const round = Number(NAME.exec(name)?.[1]);
  return roundFileName(round) === name ? round : null;
}

export const jsonFile = (value: unknown): Bytes => utf8(`${JSON.stringify(value, null, 2)}\n`);
