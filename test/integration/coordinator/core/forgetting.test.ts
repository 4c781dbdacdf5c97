import { expect, test } from "vitest";
import { Federation, inputsOf } from "#test/kit/worlds/federation.ts";

/* A deletion that fails, at the end of a round or in the middle of its run, leaves nothing of the round behind. */

const heldFile = () => Object.assign(new Error("another program holds the file"), { code: "EBUSY" });
const DELETIONS = ["discard", "deleteMaterial", "deleteEvidence"] as const;

async function begin(rounds: number) {
  const federation = await Federation.create({ devices: 4 });
  const runId = await federation.launch(rounds);
  federation.connectAll();
  return { federation, runId };
}

const left = ({ db, disk }: Federation) => [db.material.size, disk.spool.size, db.evidence.size];

test.each(DELETIONS)("[S11] %s is retried with growing pauses until it succeeds", async (failing) => {
  const { federation, runId } = await begin(3);
  const at: number[] = [];
  federation.away = (name) => {
    if (name !== failing || at.length >= 5) return null;
    at.push(federation.clock.nowMs());
    return heldFile();
  };
  const run = await federation.ended(runId);
  expect(run).toMatchObject({ state: "completed", roundsCommitted: 3 });
  await federation.until(() => left(federation).every((count) => count === 0), "the deletion");
  expect(at).toHaveLength(5);
});

test("[S11] the pauses grow", async () => {
  const { federation, runId } = await begin(1);
  const at: number[] = [];
  federation.away = (name) => {
    if (name !== "deleteMaterial" || at.length >= 6) return null;
    at.push(federation.clock.nowMs());
    return heldFile();
  };
  await federation.ended(runId);
  await federation.until(() => left(federation).every((count) => count === 0), "the deletion");
  const pauses = at.slice(1).map((time, index) => time - (at[index] ?? 0));
  expect(pauses).toHaveLength(5);
  // Each is drawn between half its maximum and its maximum, which doubles.
  for (const [index, pause] of pauses.entries()) {
    expect(pause).toBeGreaterThanOrEqual(125 * 2 ** index);
    expect(pause).toBeLessThanOrEqual(250 * 2 ** index);
  }
});

test.each(DELETIONS)(
  "[S11] the next start deletes what %s did not delete before a restart",
  async (failing) => {
    const { federation, runId } = await begin(3);
    federation.away = (name) => (name === failing ? heldFile() : null);
    await federation.ended(runId);
    await federation.inFlight.settle();
    expect(left(federation).some((count) => count > 0)).toBe(true);
    federation.away = () => null;
    await federation.restart();
    await federation.inFlight.settle();
    expect(left(federation)).toEqual([0, 0, 0]);
  },
);

test("[S11] a start that finds a round announced but not opened forgets the rounds before it a little later", async () => {
  const { federation, runId } = await begin(2);
  federation.away = (name) => (DELETIONS.some((deletion) => deletion === name) ? heldFile() : null);
  federation.hook = (name, parameters) =>
    name === "append" && /"type":"round-opened","round":2/.test(JSON.stringify(parameters))
      ? "die-after"
      : "go";
  await federation.until(() => !federation.running, "the kill");
  federation.away = () => null;
  federation.hook = () => "go";
  federation.hasRoom = false;
  await federation.restart();
  await federation.inFlight.settle();
  expect(left(federation).some((count) => count > 0)).toBe(true);
  federation.hasRoom = true;
  const run = await federation.ended(runId);
  expect(run).toMatchObject({ state: "completed", roundsCommitted: 2 });
  await federation.until(() => left(federation).every((count) => count === 0), "the deletion");
});

test("[S11] [R19] a start spares what a live round needs, and forgets the rounds before it", async () => {
  const { federation, runId } = await begin(3);
  let uploads = 0;
  // Only the first round's deletions fail; the process dies in the second round, with three of its inputs stored.
  federation.away = (name) => (DELETIONS.some((deletion) => deletion === name) ? heldFile() : null);
  federation.hook = (name, parameters) => {
    uploads += inputsOf(name, parameters);
    return uploads === 7 ? "die-after" : "go";
  };
  await federation.until(() => !federation.running, "the kill");
  const before = left(federation);
  federation.away = () => null;
  federation.hook = () => "go";
  await federation.restart();
  expect(before[0]).toBeGreaterThan(4);
  const run = await federation.ended(runId);
  expect(run).toMatchObject({ state: "completed", roundsCommitted: 3 });
  // No attempt was repeated, so nothing that a round needed was gone.
  for (const round of await federation.rounds(runId)) expect(round.attempt).toBe(1);
  await federation.inFlight.settle();
  expect(left(federation)).toEqual([0, 0, 0]);
});
