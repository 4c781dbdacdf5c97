import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { RunView } from "#shared/protocol/api.ts";
import { RUN_PHASES } from "#shared/round/phases.ts";
import { isOver } from "#web/words/endings.ts";

/* The examples are copied, so they import nothing of ours. What they know of a run must be what the API says. */

const read = (file: string) =>
  readFileSync(new URL(`../../../examples/api/${file}`, import.meta.url), "utf8");
const wordsOf = (text: string) => [...text.matchAll(/"([a-z]+)"/g)].map(([, word]) => word);
const ENDS = RUN_PHASES.filter((state) => isOver({ state } as RunView));

test("[W26] the example in TypeScript knows every state of a run, and no other", () => {
  const union = /readonly state:([^;]+);/.exec(read("train.ts"))?.[1] ?? "";
  expect(wordsOf(union)).toEqual([...RUN_PHASES]);
});

test.each([
  ["train.ts", /while \(!\[([^\]]+)\]\.includes\(run\.state\)/, /"([a-z]+)"/g],
  ["train.py", /while run\["state"\] not in \(([^)]+)\)/, /"([a-z]+)"/g],
  ["train.sh", /^until (.+); do$/m, /= ([a-z]+) /g],
] as const)("[W26] %s waits for the states in which a run is over, and no other", (file, loop, state) => {
  const condition = loop.exec(read(file))?.[1] ?? "";
  expect([...condition.matchAll(state)].map(([, word]) => word)).toEqual(ENDS);
});

test("[W26] the examples take the token from where the demo prints it and the commands read it", () => {
  for (const file of ["train.ts", "train.py", "train.sh"]) {
    const named = read(file).match(/CHORUS_\w*TOKEN/g);
    expect(new Set(named), file).toEqual(new Set(["CHORUS_TOKEN"]));
  }
});
