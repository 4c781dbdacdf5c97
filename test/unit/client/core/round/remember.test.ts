import { describe, expect, test } from "vitest";
import { MapCells } from "#client/adapters/map-cells.ts";
import { createMemory } from "#client/core/memory.ts";
import { remember } from "#client/core/round/remember.ts";
import { pass } from "#test/kit/fakes/fake-engine.ts";
import { ManualClock } from "#test/kit/fakes/manual-clock.ts";

/* A slow disk under a device that must remember before it sends. */

class SlowCells extends MapCells {
  write: () => void = () => {};
  override async swap(changes: Parameters<MapCells["swap"]>[0]): Promise<boolean> {
    await new Promise<void>((resolve) => {
      this.write = resolve;
    });
    return super.swap(changes);
  }
}

describe("what has to be remembered", () => {
  const mark = { kind: "mark", runId: "run", round: 3, attempt: 1 } as const;

  test("[T4] but is not written in time counts as not written, and nothing is sent", async () => {
    const clock = new ManualClock();
    const cells = new SlowCells();
    const memory = createMemory(cells, 10);
    const written = remember({ memory, after: clock.after }, mark);
    await pass(clock, 30_000);
    expect(await written).toEqual({ ok: false, error: "STORAGE_FULL" });
    // A late write only forbids what was never sent.
    cells.write();
    await pass(clock, 1);
    const wanted = { runId: "run", round: 3, attempt: 1, noised: false };
    expect(await memory.check(wanted, "ab")).toEqual({ ok: false, error: "REPLAY" });
  });

  test("is waited for a while, and leaves no timer behind", async () => {
    const clock = new ManualClock();
    const cells = new SlowCells();
    const written = remember({ memory: createMemory(cells, 10), after: clock.after }, mark);
    await pass(clock, 15_000);
    cells.write();
    expect(await written).toMatchObject({ ok: true });
    expect(clock.nextMs).toBeNull();
  });
});
