import { beforeEach, describe, expect, test } from "vitest";
import { MapCells } from "#client/adapters/map-cells.ts";
import { createLogMemory } from "#client/core/log-memory.ts";
import type { Cells } from "#client/core/memory.ts";
import { ParticipantCore } from "#client/core/participant/participant.ts";
import type { Belongings, ParticipantPorts } from "#client/core/participant/ports.ts";
import type { Link } from "#client/core/ports.ts";
import { primitives, randomBytes } from "#shared/node/system.ts";
import type { TaskSlug } from "#shared/protocol/ids.ts";
import { type Authority, NO_LOG_KEY } from "#shared/task/agreed-config.ts";
import type { ConsentEntry } from "#shared/task/consent-ledger.ts";
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
  readonly ledger: ConsentEntry[] = [];
  readonly clock = new ManualClock();
  isLocked = false;
  connections = 0;
  /** Answers the lock that was asked for last. */
  answerLock: () => void = () => {};

  constructor(cells: Cells = new MapCells(), authority = AUTHORITY, slug = task.slug) {
    const { clock, ledger } = this;
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
      cells,
      models: { newest: async () => null, put: unused, setOrigin: unused },
      consents: {
        put: async (_consent, entry) => ledger.push(entry),
        delete: async (_slug, entry) => ledger.push(entry),
        ledger: async () => [...ledger],
      },
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
      forget: async () => {
        ledger.length = 0;
        return belongings;
      },
    };
    const terms = {
      task: { ...task, slug },
      taskHash: "7a".repeat(32),
      invitation: "Help",
      authority,
      coordinator: "https://c.example",
    };
    this.core = new ParticipantCore(ports, terms, belongings, null);
  }
}

const WORDS = "Your rows stay in this browser.\n\nI agree.";

let world: World;
beforeEach(async () => {
  world = new World();
  await world.core.restore(null);
  await world.core.agree(task.version, WORDS);
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

describe("the consent ledger", () => {
  test("[A70] keeps each agreement and each withdrawal with the words, the version, the coordinator and its keys", async () => {
    const { core, clock, ledger } = world;
    const agreed = {
      act: "agreed",
      at: new Date(clock.nowUnixMs()).toISOString(),
      coordinator: "https://c.example",
      taskHash: "7a".repeat(32),
      task,
      authority: AUTHORITY,
      words: WORDS,
    };
    expect(core.view.get().consents).toEqual([agreed]);
    clock.advance(60_000);
    await core.withdraw();
    const withdrawn = {
      ...agreed,
      act: "withdrawn",
      at: new Date(Date.parse(agreed.at) + 60_000).toISOString(),
      words: null,
    };
    expect(core.view.get()).toMatchObject({ consent: null, consents: [agreed, withdrawn] });
    expect(ledger).toEqual([agreed, withdrawn]);
    // Nothing is in force any more, so that there is nothing to withdraw from.
    await core.withdraw();
    expect(ledger).toHaveLength(2);
    await core.agree(task.version, "Other words.");
    expect(core.view.get().consents.map(({ act, words }) => [act, words])).toEqual([
      ["agreed", WORDS],
      ["withdrawn", null],
      ["agreed", "Other words."],
    ]);
  });

  test("[A70] goes with everything else when a person deletes their data", async () => {
    await world.core.deleteMyData();
    expect(world.core.view.get()).toMatchObject({ consent: null, consents: [] });
  });

  test("[A70] a refused agreement leaves no entry", async () => {
    expect(await world.core.agree(task.version + 1, WORDS)).toMatchObject({
      error: { code: "TASK_VERSION" },
    });
    expect(world.ledger).toHaveLength(1);
  });
});

describe("a coordinator's public log", () => {
  const LOGGED = { ...AUTHORITY, logKey: "cd".repeat(32), logOrigin: "log.example/1" };
  const ANOTHER = "another" as TaskSlug;
  const others = [
    ["none", AUTHORITY],
    ["one with another key", { ...LOGGED, logKey: "ef".repeat(32) }],
    ["one with another origin", { ...LOGGED, logOrigin: "log.example/2" }],
  ] as const;

  test.each(others)(
    "[A45] is pinned for all of its tasks: another one may not state %s",
    async (_, other) => {
      const cells = new MapCells();
      expect((await new World(cells, LOGGED).core.agree(task.version, WORDS)).ok).toBe(true);
      const second = new World(cells, other, ANOTHER);
      expect(await second.core.agree(task.version, WORDS)).toMatchObject({
        error: { code: "LOG_CONTRADICTED" },
      });
      expect(second.ledger).toEqual([]);
      const same = new World(cells, LOGGED, ANOTHER);
      expect((await same.core.agree(task.version, WORDS)).ok).toBe(true);
    },
  );

  test("[A45] may begin, and is pinned from then on; a start asks for it again", async () => {
    const cells = new MapCells();
    const early = new World(cells);
    await early.core.restore(null);
    expect((await early.core.agree(task.version, WORDS)).ok).toBe(true);
    expect((await new World(cells, LOGGED).core.agree(task.version, WORDS)).ok).toBe(true);
    const started = early.core.start();
    early.answerLock();
    expect(await started).toMatchObject({ error: { code: "LOG_CONTRADICTED" } });
    expect(early.isLocked).toBe(false);
    expect(early.connections).toBe(0);
  });

  test("[A43] that was contradicted is shown after a reload, and is trusted anew without a start", async () => {
    const cells = new MapCells();
    const logs = createLogMemory(cells);
    await logs.keepEvidence(LOGGED.logKey, "{}");
    const { core } = new World(cells, LOGGED);
    await core.restore(null);
    expect(core.view.get().contradiction).toBe("{}");
    await core.trustLogAnew();
    expect(core.view.get().contradiction).toBeNull();
    expect(await logs.evidence(LOGGED.logKey)).toBeNull();
  });
});
