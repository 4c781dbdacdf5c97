import { beforeEach, describe, expect, test } from "vitest";
import { ParticipantCore } from "#client/core/participant/participant.ts";
import type { Belongings, ParticipantPorts } from "#client/core/participant/ports.ts";
import type { Link } from "#client/core/ports.ts";
import { primitives, randomBytes } from "#shared/node/system.ts";
import { type Authority, NO_LOG_KEY } from "#shared/task/agreed-config.ts";
import { ManualClock } from "#test/kit/fakes/manual-clock.ts";
import { standingEngine } from "#test/kit/fakes/standing-engine.ts";
import { smallTask } from "#test/kit/worlds/small-task.ts";

/* A person's device, with a lock that only one of its starts can take. Nothing leaves it: its link only counts. */

const task = smallTask(3);
const AUTHORITY: Authority = {
  projectId: "default",
  codeVersion: "test",
  issuerKey: "ab".repeat(32),
  logKey: NO_LOG_KEY,
};
const unused = () => {
  throw new Error("this test needs no such call");
};

class World {
  readonly core: ParticipantCore;
  isLocked = false;
  connections = 0;
  /** Answers the lock that was asked for last. */
  answerLock: () => void = () => {};

  constructor() {
    const clock = new ManualClock();
    const link = {
      connect: () => void this.connections++,
      disconnect: () => void this.connections--,
      send: async () => ({ ok: false, error: { type: "offline" } }),
      onMessage: () => () => {},
      onState: () => () => {},
      onEnd: () => () => {},
      show: () => {},
      traffic: () => ({ upByteCount: 0, downByteCount: 0 }),
      close: () => {},
    } as Partial<Link> as Link;
    const rows = { inputs: new Float32Array(12), labels: new Float32Array(3), count: 3 };
    const belongings = {
      examples: { rows: () => rows, labels: () => rows.labels, examples: () => [] },
      archive: { details: async () => [] },
    } as unknown as Belongings;
    const ports: ParticipantPorts = {
      link,
      trainer: { ...standingEngine(), train: unused },
      primitives,
      random: randomBytes,
      clock,
      wall: clock,
      after: clock.after,
      cells: { get: async () => null, swap: async () => true },
      models: { newest: async () => null, put: unused, setOrigin: unused },
      consents: { put: async () => undefined, delete: async () => undefined },
      signer: async () => ({ publicKey: new Uint8Array(32), sign: unused }),
      lock: () =>
        new Promise((resolve) => {
          this.answerLock = () => {
            if (this.isLocked) return resolve(null);
            this.isLocked = true;
            resolve(() => {
              this.isLocked = false;
            });
          };
        }),
      forget: async () => belongings,
    };
    const terms = { task, taskHash: "7a".repeat(32), invitation: "Help", authority: AUTHORITY };
    this.core = new ParticipantCore(ports, terms, belongings, null);
  }
}

let world: World;
beforeEach(async () => {
  world = new World();
  await world.core.restore(null);
  await world.core.agree(task.version);
});

describe("starting to take part", () => {
  test("[W22] two starts at once are one, and the device never calls itself another tab", async () => {
    const { core } = world;
    const first = core.start();
    const answerFirst = world.answerLock;
    const second = core.start();
    answerFirst();
    world.answerLock();
    expect(await Promise.all([first, second])).toEqual([
      { ok: true, value: undefined },
      { ok: true, value: undefined },
    ]);
    expect(core.view.get()).toMatchObject({ refusal: null, stage: "connecting" });
    await core.leave();
    // Whoever comes next can have the lock.
    expect([world.isLocked, core.view.get().stage]).toEqual([false, "left"]);
  });

  test("[W22] a lock that someone else has is said, and the next start asks for it again", async () => {
    world.isLocked = true;
    const refused = world.core.start();
    world.answerLock();
    expect(await refused).toMatchObject({ ok: false, error: { code: "LOCKED" } });
    world.isLocked = false;
    const again = world.core.start();
    world.answerLock();
    expect(await again).toEqual({ ok: true, value: undefined });
  });

  test.each(["pause", "leave"] as const)("[W22] a %s during a start ends what it started", async (end) => {
    const { core } = world;
    const started = core.start();
    const ended = core[end]();
    world.answerLock();
    await Promise.all([started, ended]);
    expect(core.view.get().stage).toBe(end === "pause" ? "paused" : "left");
    expect([world.connections, world.isLocked]).toEqual([0, end === "pause"]);
  });
});
