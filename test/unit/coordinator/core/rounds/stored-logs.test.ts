import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import type { Note } from "#coordinator/core/ports/note.ts";
import { readRound } from "#coordinator/core/rounds/recover-round.ts";
import { readRun } from "#coordinator/core/runs/run-history.ts";
import { eventView } from "#coordinator/core/views/event-view.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import { eventViewSchema } from "#shared/protocol/api.ts";
import { LOG_VERSION, logged, replayRound, replayRun } from "#shared/round/log.ts";

/*
 * data/stored-logs-*.json: what the kit's small federations had in their database at that commit of main: the rows of
 * every stream, and the run and round rows as that program showed them. In the first world a device leaves before its
 * input, the coordinator is killed in round 2 and comes back, and a second run is stopped. In the second the
 * coordinator is killed while a round collects. In the third the round is split. Made once, frozen.
 */

interface Row {
  readonly stream: { readonly kind: "run" | "round"; readonly id: string };
  readonly sequence: number;
  readonly at: number;
  readonly event: { readonly fact: Readonly<Record<string, unknown>>; readonly note: unknown };
}
interface World {
  readonly name: string;
  readonly log: readonly Row[];
  readonly runs: readonly {
    readonly runId: string;
    readonly row: { readonly state: string; readonly view: RunShown };
  }[];
  readonly rounds: readonly {
    readonly roundId: string;
    readonly row: { readonly phase: string; readonly view: { readonly view: RoundShown } };
  }[];
}
interface RunShown {
  readonly code: string | null;
  readonly roundsCommitted: number;
  readonly modelHash: string;
  readonly history: readonly { readonly round: number; readonly accuracy: object; readonly loss: object }[];
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
}
interface RoundShown {
  readonly attempt: number;
  readonly code: string | null;
  readonly advertised: number | null;
  readonly shared: number | null;
  readonly survivors: number | null;
  readonly modelHash: string | null;
  readonly deviceAccuracyBefore: object | null;
  readonly deviceAccuracyAfter: object | null;
}

async function worldsOf(commit: string): Promise<readonly World[]> {
  const text = await readFile(new URL(`data/stored-logs-${commit}.json`, import.meta.url), "utf8");
  return JSON.parse(text) as readonly World[];
}
const COMMITS = ["51f31f2", "79021b0", "337262e"];
const worlds = (
  await Promise.all(
    COMMITS.map(async (commit) =>
      (await worldsOf(commit)).map((world) => [`${commit}, ${world.name}`, world] as const),
    ),
  )
).flat();

const rowsOf = ({ log }: World, id: string): Row[] => log.filter(({ stream }) => stream.id === id);
const iso = (at: number | null) => (at === null ? null : new Date(at).toISOString());

describe("a database of an earlier commit", () => {
  test.each(worlds)("[R1] has runs that replay to what was shown of them: %s", (_name, world) => {
    for (const { runId, row } of world.runs) {
      const read = readRun(rowsOf(world, runId));
      assert(read.ok, JSON.stringify(read));
      const { state, times } = read.value;
      const { view } = row;
      expect([state.phase, state.code, state.roundsCommitted]).toEqual([
        row.state,
        view.code,
        view.roundsCommitted,
      ]);
      const curve = state.curve.map(({ round, measures }) => ({ round, ...measures }));
      expect([state.modelHash, curve]).toEqual([view.modelHash, view.history]);
      expect([times.createdAtUnixMs, times.startedAtUnixMs, times.endedAtUnixMs].map(iso)).toEqual([
        view.createdAt,
        view.startedAt,
        view.endedAt,
      ]);
    }
  });

  test.each(worlds)("[R1] has rounds that replay to what was shown of them: %s", (_name, world) => {
    expect(world.rounds.length).toBeGreaterThan(0);
    for (const { roundId, row } of world.rounds) {
      const read = readRound(rowsOf(world, roundId));
      assert(read.ok, JSON.stringify(read));
      const { state } = read.value;
      const { view } = row.view;
      expect([state.phase, state.attempt, "code" in state ? state.code : null]).toEqual([
        row.phase,
        view.attempt,
        view.code,
      ]);
      expect("roster" in state ? state.roster.length : null).toBe(view.advertised);
      expect("u2" in state ? state.u2.length : null).toBe(view.shared);
      expect("u3" in state ? state.u3.length : null).toBe(view.survivors);
      const publication = state.phase === "committed" ? state.publication : null;
      expect(publication?.modelHash ?? null).toBe(view.modelHash);
      const { before, after } = publication?.metrics.deviceMeasures ?? { before: {}, after: {} };
      expect([before["accuracy"] ?? null, after["accuracy"] ?? null]).toEqual([
        view.deviceAccuracyBefore,
        view.deviceAccuracyAfter,
      ]);
    }
  });

  test.each(worlds)("has events whose sentences are the same as before: %s", (_name, world) => {
    const noted = world.log.filter(({ event }) => event.note !== null);
    expect(noted.length).toBeGreaterThan(5);
    for (const { stream, sequence, at, event } of noted) {
      const note = event.note as Note;
      const view = eventView({ stream, sequence, at, note });
      const { kind, details, figures = {} } = eventViewSchema.parse(view);
      expect({ kind, details: { ...details, ...figures } }).toEqual(note);
      expect(view.sentence).not.toContain("undefined");
    }
  });
});

describe("[R1] a log that differs from what was written is refused with its sequence", () => {
  const [, world] = present(
    worlds.find(([name]) => name.startsWith("337262e, one goes")),
    "the newest fixture",
  );
  const round = rowsOf(world, present(world.rounds[0], "a round").roundId);
  const run = rowsOf(world, present(world.runs[0], "a run").runId);
  const changed = (rows: readonly Row[], sequence: number, fact: (before: Row["event"]["fact"]) => unknown) =>
    rows.map((row) => (row.sequence === sequence ? { ...row, event: { fact: fact(row.event.fact) } } : row));
  const sequenceOf = (type: string) =>
    present(
      round.find(({ event }) => event.fact["type"] === type),
      type,
    ).sequence;

  test("but not before it is damaged (positive control)", () => {
    expect([replayRound(round).ok, replayRun(run).ok]).toEqual([true, true]);
    expect(replayRound(changed(round, 3, (fact) => fact)).ok).toBe(true);
  });

  test("without rows", () => {
    expect(replayRound([])).toEqual({ ok: false, error: { type: "empty" } });
  });

  test("with a gap, a duplicate row, or without its beginning", () => {
    const gap = { type: "gap", sequence: 5, expected: 4 };
    expect(replayRound(round.filter(({ sequence }) => sequence !== 4))).toEqual({ ok: false, error: gap });
    const twice = { type: "gap", sequence: 3, expected: 4 };
    expect(replayRound(round.flatMap((row) => (row.sequence === 3 ? [row, row] : [row])))).toEqual({
      ok: false,
      error: twice,
    });
    const headless = { type: "gap", sequence: 2, expected: 1 };
    expect(replayRound(round.slice(1))).toEqual({ ok: false, error: headless });
  });

  const malformed: readonly (readonly [name: string, path: string, damage: (type: string) => unknown])[] = [
    ["a field of another type", "fact.seat", () => ({ position: "3" })],
    ["a seat that is none", "fact.seat", () => ({ position: 0 })],
    ["a time that is none", "fact.atMs", () => ({ atMs: null })],
    ["an event of no known kind", "fact.type", () => ({ type: "?" })],
    ["an opening in the middle", "fact.type", () => ({ type: "opened" })],
  ];
  test.each(malformed)("with %s", (_name, path, damage) => {
    const sequence = sequenceOf("shared");
    const rows = changed(round, sequence, (fact) => ({ ...fact, ...(damage("shared") as object) }));
    expect(replayRound(rows)).toEqual({ ok: false, error: { type: "malformed", sequence, path } });
  });

  test("with a row that is empty or holds no fact", () => {
    for (const [event, path] of [
      [null, ""],
      ["{}", ""],
      [[], ""],
      [{}, "fact"],
      [{ fact: null }, "fact"],
      [{ version: 0, fact: {} }, "version"],
      [{ version: "2", fact: {} }, "version"],
    ] as const) {
      const rows = round.map((row) => (row.sequence === 2 ? { ...row, event } : row));
      expect(replayRound(rows)).toEqual({ ok: false, error: { type: "malformed", sequence: 2, path } });
    }
  });

  test("with a beginning of another kind", () => {
    expect(replayRun(round)).toMatchObject({ ok: false, error: { type: "malformed", sequence: 1 } });
    expect(replayRound(run)).toMatchObject({ ok: false, error: { type: "malformed", sequence: 1 } });
  });

  test("with an event that the machine refuses, or that changes nothing", () => {
    const sequence = sequenceOf("input-received");
    const early = changed(round, sequence, () => ({
      type: "confirmed",
      atMs: 1,
      attempt: 1,
      position: 1,
      signature: "",
    }));
    const refused = { type: "without-effect", sequence, event: "confirmed" };
    expect(replayRound(early)).toEqual({ ok: false, error: refused });
    const resumed = changed(run, 3, () => ({ type: "resume-asked", actor: "eve" }));
    const known = { type: "without-effect", sequence: 3, event: "resume-asked" };
    expect(replayRun(resumed)).toEqual({ ok: false, error: known });
  });

  test("with an event that contradicts what the machine takes for granted", () => {
    const [, split] = present(
      worlds.find(([name]) => name.startsWith("337262e, shards")),
      "a round that is split",
    );
    const rows = rowsOf(split, present(split.rounds[0], "a round").roundId);
    // Shards are drawn from the round's number as a u32, when recruiting ends.
    const { sequence } = present(
      rows.find(({ event }) => event.fact["type"] === "ticked"),
      "the end of recruiting",
    );
    const read = replayRound(changed(rows, 1, (fact) => ({ ...fact, round: 2 ** 40 })));
    const reason = expect.stringContaining("not a u32");
    expect(read).toMatchObject({ ok: false, error: { type: "impossible", sequence, reason } });
  });

  test("written by a later version", () => {
    const rows = round.map((row) =>
      row.sequence === 4 ? { ...row, event: { ...row.event, version: LOG_VERSION + 1 } } : row,
    );
    const error = { type: "newer", sequence: 4, version: LOG_VERSION + 1 };
    expect(replayRound(rows)).toEqual({ ok: false, error });
  });
});

test("[R1] a log begun by an earlier version and continued by this one replays as a whole", () => {
  const [, world] = present(
    worlds.find(([name]) => name.startsWith("79021b0, killed")),
    "a round that collects",
  );
  const id = present(world.rounds[0], "a round").roundId;
  const rows = rowsOf(world, id);
  const before = replayRound(rows);
  expect(before).toMatchObject({ ok: true, value: { phase: "collecting" } });
  const restart = { type: "restarted", atMs: 10_000_000, whole: true } as const;
  const after = replayRound([...rows, { sequence: rows.length + 1, event: logged(restart) }]);
  expect(after).toMatchObject({ ok: true, value: { phase: "collecting", nowMs: 10_000_000 } });
});

test("[R1] [E3] figures of each earlier shape become measures by name", () => {
  const measure = { value: 0.5, halfWidth95: 0.1, count: 20 };
  const [, world] = present(
    worlds.find(([name]) => name.startsWith("51f31f2, one goes")),
    "a run whose start brings figures",
  );
  const [launched, started] = rowsOf(world, present(world.runs[0], "a run").runId);
  assert(launched !== undefined && started !== undefined, "two rows");
  const modelHash = started.event.fact["modelHash"];
  const start = { type: "started", modelHash };
  const evaluated = { type: "evaluated", round: 0, modelHash, code: null };
  const measures = { accuracy: measure, loss: measure };
  const shapes = [
    [{ fact: { ...start, ...measures } }],
    [{ version: 2, fact: { ...start, ...measures } }],
    [{ fact: start }, { fact: { ...evaluated, measures } }],
    [
      { version: 2, fact: start },
      { version: 2, fact: { ...evaluated, measures } },
    ],
    [logged(start), logged({ ...evaluated, measures, reportHash: null })],
  ];
  for (const events of shapes) {
    const rows = events.map((event, index) => ({ sequence: index + 2, event }));
    const state = replayRun([launched, ...rows]);
    expect(state).toMatchObject({ ok: true, value: { curve: [{ round: 0, measures }], unevaluated: [] } });
  }
});
