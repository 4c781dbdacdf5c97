import { assert } from "#shared/kernel/assert.ts";
import type { RandomBytes } from "#shared/kernel/ports.ts";

/** All chance in a simulated world comes from dice; the same seed gives the same throws. */
export interface Dice {
  /** A whole number between `from` and `to`, both included. */
  between(from: number, to: number): number;
  /** True with this probability. */
  chance(probability: number): boolean;
  pick<T>(choices: readonly T[]): T;
  readonly bytes: RandomBytes;
  /** Independent dice, so that more throws here change nothing there. */
  branch(name: string): Dice;
}

/** PractRand's sfc32: fast and good enough for schedules, but never for a key that protects something. */
export function dice(seed: string): Dice {
  let a = 0x9e37_79b9;
  let b = 0x243f_6a88;
  let c = 0xb7e1_5162;
  let counter = 1;
  const next = (): number => {
    const mixed = (a + b + counter++) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + mixed;
    return mixed >>> 0;
  };
  for (let index = 0; index < seed.length; index++) {
    a ^= seed.charCodeAt(index);
    next();
  }
  for (let index = 0; index < 12; index++) next();
  return {
    between: (from, to) => {
      assert(from <= to, `nothing lies between ${from} and ${to}`);
      return from + (next() % (to - from + 1));
    },
    chance: (probability) => next() < probability * 2 ** 32,
    pick: (choices) => {
      assert(choices.length > 0, "there is something to choose from");
      return choices[next() % choices.length] as (typeof choices)[number];
    },
    bytes: (byteCount) => {
      const bytes = new Uint8Array(byteCount);
      for (let index = 0; index < byteCount; index++) bytes[index] = next() >>> 11;
      return bytes;
    },
    branch: (name) => dice(`${seed}/${name}`),
  };
}
