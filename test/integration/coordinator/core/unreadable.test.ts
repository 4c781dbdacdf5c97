import { describe, expect, test } from "vitest";
import { present } from "#shared/kernel/assert.ts";
import { Federation } from "../../../kit/worlds/federation.ts";

/*
 * A damaged log: its run ends with a code that says so, the others go on, and a start is never refused because of it.
 */

type Log = Federation["db"]["log"];

const DAMAGES: readonly (readonly [name: string, damage: (log: Log, runId: string) => void])[] = [
  ["whose launch is no launch", (log, runId) => rewrite(log, runId, 1, () => ({}))],
  ["whose launch is null", (log, runId) => rewrite(log, runId, 1, () => null)],
  [
    "of a task that does not exist",
    (log, runId) =>
      rewrite(log, runId, 1, ({ fact, ...rest }) => ({ ...rest, fact: { ...fact, task: "nothing" } })),
  ],
  ["with an event of no known kind", (log, runId) => rewrite(log, runId, 2, () => ({ fact: { type: "?" } }))],
  [
    "with an event that changes nothing",
    (log, runId) => rewrite(log, runId, 2, () => ({ fact: { type: "resume-asked", actor: "eve" } })),
  ],
  [
    "with a gap",
    (log, runId) => {
      const at = log.findIndex(({ stream, sequence }) => stream.id === runId && sequence === 2);
      log.splice(at, 1);
    },
  ],
];

function rewrite(
  log: Log,
  runId: string,
  sequence: number,
  change: (event: { fact: object }) => unknown,
): void {
  const at = log.findIndex(({ stream, sequence: own }) => stream.id === runId && own === sequence);
  const entry = present(log[at], "the event");
  log[at] = { ...entry, body: JSON.stringify(change(JSON.parse(entry.body))) };
}

/** A run in its first round, and a second one in the queue; the coordinator is dead. */
async function killedInRound1() {
  const federation = await Federation.create({ devices: 3 });
  federation.connectAll();
  const runId = await federation.launch(1, 1);
  const next = await federation.launch(1, 2);
  await federation.until(async () => (await federation.rounds(runId)).length === 1, "the first round");
  federation.crash();
  return { federation, runId, next };
}

describe("[S15] a run", () => {
  test.each(DAMAGES)("%s ends with LOG_UNREADABLE, and the next one goes on", async (_, damage) => {
    const { federation, runId, next } = await killedInRound1();
    damage(federation.db.log, runId);
    await federation.restart();
    expect(await federation.run(runId)).toMatchObject({
      state: "failed",
      code: "LOG_UNREADABLE",
      currentRound: null,
    });
    expect(federation.logged.join("\n")).toContain(runId);
    federation.connectAll();
    expect((await federation.ended(next)).state).toBe("completed");
    // Final: later starts do not read it again.
    const length = federation.db.log.length;
    await federation.restart();
    expect((await federation.run(runId)).code).toBe("LOG_UNREADABLE");
    expect(federation.db.log).toHaveLength(length);
  });

  test("whose round's log is damaged ends with the same code", async () => {
    const { federation, runId, next } = await killedInRound1();
    const roundId = present(roundIds(federation, runId)[0], "a round");
    rewrite(federation.db.log, roundId, 1, () => ({ fact: { type: "?" } }));
    await federation.restart();
    federation.connectAll();
    expect(await federation.ended(runId)).toMatchObject({ state: "failed", code: "LOG_UNREADABLE" });
    expect((await federation.ended(next)).state).toBe("completed");
  });

  test("[R20] that this coordinator never loaded ends all the same, and devices that wait for it are told so once", async () => {
    const { federation, runId } = await killedInRound1();
    rewrite(federation.db.log, runId, 1, () => ({}));
    // The database does not answer at the start, so the run is read only after its devices are back.
    federation.away = (name) =>
      name === "readStream" ? Object.assign(new Error("disk full"), { code: "ENOSPC" }) : null;
    await federation.restart();
    await federation.inFlight.settle();
    expect(federation.devices.map(({ online, ended }) => [online, ended])).toEqual(
      federation.devices.map(() => [true, []]),
    );
    federation.away = () => null;
    expect(await federation.ended(runId)).toMatchObject({ state: "failed", code: "LOG_UNREADABLE" });
    await federation.inFlight.settle();
    for (const { ended } of federation.devices) {
      const told = ended.filter((message) => message.runId === runId);
      expect(told).toEqual([{ type: "run-ended", runId, state: "failed" }]);
    }
  });

  test("with nothing damaged goes on after the same kill (positive control)", async () => {
    const { federation, runId, next } = await killedInRound1();
    await federation.restart();
    federation.connectAll();
    expect((await federation.ended(runId)).state).toBe("completed");
    expect((await federation.ended(next)).state).toBe("completed");
  });
});

function roundIds(federation: Federation, runId: string): string[] {
  return [...federation.db.rounds].filter(([, row]) => row.runId === runId).map(([roundId]) => roundId);
}
