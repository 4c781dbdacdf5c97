import { describe, expect, test } from "vitest";
import { MapCells } from "#client/adapters/map-cells.ts";
import { createLogMemory } from "#client/core/log-memory.ts";
import { createMemory } from "#client/core/memory.ts";
import { remember } from "#client/core/round/remember.ts";
import type { HashHex } from "#shared/protocol/ids.ts";
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
    const written = remember({ memory, logs: createLogMemory(cells), after: clock.after }, mark);
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
    const written = remember(
      { memory: createMemory(cells, 10), logs: createLogMemory(cells), after: clock.after },
      mark,
    );
    await pass(clock, 15_000);
    cells.write();
    expect(await written).toMatchObject({ ok: true });
    expect(clock.nextMs).toBeNull();
  });
});

describe("[A41] a share", () => {
  const hex = (byte: string) => byte.repeat(32) as HashHex;
  const at = (size: number, root: string) => ({ size, root: hex(root), key: hex("aa"), checkpoint: "note" });
  const before = at(5, "11");
  const reveal = {
    kind: "reveal",
    modelHash: "ab",
    sid: "cd",
    noised: false,
    log: { logKey: "aa", before, seen: at(7, "22") },
  } as const;

  test.each([
    ["forgotten", null],
    ["other at the same size", at(5, "33")],
    ["shorter", at(4, "33")],
    ["longer", at(6, "33")],
  ])("does not leave if what the device has seen of the log is by then %s", async (_, now) => {
    const cells = new MapCells();
    const [memory, logs] = [createMemory(cells, 10), createLogMemory(cells)];
    if (now !== null) await logs.see("aa", null, now);
    const after = new ManualClock().after;
    expect(await remember({ memory, logs, after }, reveal)).toEqual({ ok: false, error: "LOG_MOVED" });
    expect(await logs.seen("aa")).toEqual(now);
    expect(await cells.get("revealed/ab")).toBeNull();
  });

  test("leaves with the state that its round went on from", async () => {
    const cells = new MapCells();
    const [memory, logs] = [createMemory(cells, 10), createLogMemory(cells)];
    await logs.see("aa", null, before);
    expect(await remember({ memory, logs, after: new ManualClock().after }, reveal)).toMatchObject({
      ok: true,
    });
    expect(await logs.seen("aa")).toEqual(at(7, "22"));
  });
});
