import { describe, expect, test } from "vitest";
import { Notices } from "#coordinator/core/runs/notices.ts";
import type { ErrorCode } from "#shared/protocol/errors.ts";

const RUN = "run";

function scene() {
  const notices = new Notices();
  const refuse = (round: number, model: string, invited: number, who: readonly string[], code: ErrorCode) => {
    const facts = { runId: RUN, round, parentModelHash: model };
    for (const identity of who) notices.deviceRefused(facts, () => invited, identity, code);
  };
  return { notices, refuse };
}
const named = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);

describe("[R18] devices that report an opened model", () => {
  test.each([
    [2, 2, false],
    [3, 3, true],
    [3, 6, true],
    [3, 7, false],
    [3, 100, false],
    [49, 100, false],
    [50, 100, true],
  ])("%i of %i invited: believed %s", (count, invited, isBelieved) => {
    const { notices, refuse } = scene();
    refuse(1, "m", invited, named("d", count), "ALREADY_REVEALED");
    expect(notices.isOpened(RUN, "m")).toBe(isBelieved);
    expect(notices.isOpened(RUN, "other")).toBe(false);
    expect(notices.refusalCode(RUN, 1)).toBe(isBelieved ? "ALREADY_REVEALED" : null);
    expect(notices.of(RUN)?.code ?? null).toBe(isBelieved ? "ALREADY_REVEALED" : null);
  });

  test("are counted by round: a few in each of several rounds do not suffice, and a reason counts only for its round", () => {
    const { notices, refuse } = scene();
    for (let round = 1; round <= 8; round++)
      refuse(round, "m", 10, named(`${round}-`, 3), "ALREADY_REVEALED");
    expect([notices.isOpened(RUN, "m"), notices.of(RUN)]).toEqual([false, null]);
    refuse(9, "m", 10, named("d", 5), "ALREADY_REVEALED");
    expect(notices.isOpened(RUN, "m")).toBe(true);
    expect([notices.refusalCode(RUN, 8), notices.refusalCode(RUN, 9)]).toEqual([null, "ALREADY_REVEALED"]);
    notices.committed(RUN);
    expect([notices.isOpened(RUN, "m"), notices.of(RUN)]).toEqual([false, null]);
  });

  test("are believed for that code only, and each once", () => {
    const { notices, refuse } = scene();
    refuse(1, "m", 6, named("d", 2), "ALREADY_REVEALED");
    refuse(1, "m", 6, named("d", 2), "ALREADY_REVEALED");
    refuse(1, "m", 6, named("e", 1), "REPLAY");
    expect([notices.isOpened(RUN, "m"), notices.refusalCode(RUN, 1)]).toEqual([false, "REPLAY"]);
  });
});
