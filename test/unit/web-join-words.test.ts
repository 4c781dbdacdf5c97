import { describe, expect, test } from "vitest";
import type { OutcomeView, RoundView as OwnRound, ParticipantView, TaskSlice } from "#client/index.ts";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { classSentence, missingClasses } from "#web/features/join/class-bars.tsx";
import { oddsSentence } from "#web/features/join/odds.tsx";
import { neededInSum, outcomeSentence, proofsOf, segmentWords } from "#web/words/contribution.ts";
import { engineNote } from "#web/words/engine.ts";
import { consentWords, leadSentence, stateLine, trainingWords } from "#web/words/join.ts";

const hash = "ab".repeat(32);
const digits = bundledTask("digits", 30, 3);

function sliceFor(clientCount: number): TaskSlice {
  const task = bundledTask("digits", clientCount, 3);
  return {
    task,
    taskHash: hash,
    othersMin: task.aggregation.cohortSizeMin - 1,
    parameterCount: 2_410,
    vectorLength: 2_441,
    maskedByteCount: 9_764,
    bitsPerWeight: 32,
    keysByteCountAbout: 4_848,
    segments: [
      { name: "update", length: 2_410 },
      { name: "weight", length: 1 },
      { name: "metrics", length: 26 },
      { name: "sentinels", length: 4 },
    ],
  };
}

const round: OwnRound = {
  runId: "cd".repeat(16),
  round: 9,
  attempt: 1,
  step: "training",
  stepsAt: {},
  deadlineAt: null,
  training: {
    epoch: 2,
    epochCount: 3,
    step: 5,
    stepCount: 9,
    epochLosses: [0.31],
    lossSoFar: 0.2,
    secondsLeft: 2.2,
  },
  download: null,
  upload: null,
  rosterSize: null,
  sharedCount: null,
  survivorCount: null,
  inputsNeeded: null,
  threshold: null,
  outcome: null,
};

const run = { state: "running" } as const;

const now = { now: 1_000_000, hiddenAt: null } as const;

const view: ParticipantView = {
  stage: "in-round",
  connection: { state: "online", since: 0, upByteCount: 0, downByteCount: 0 },
  task: sliceFor(8),
  consent: { version: 3, taskHash: hash, agreedAt: 0, current: true },
  data: {
    count: 40,
    countByClass: [0, 0, 5, 0, 4, 3, 1, 0, 21, 6],
    localCount: 8,
    examples: [],
    lastImport: null,
  },
  engine: { backend: "wasm", calibrating: false, table: [], losses: [] },
  round,
  contributions: [],
  latest: null,
  budget: { used: 8, limit: 15 },
  refusal: null,
  model: null,
};

const committedOutcome = {
  kind: "committed",
  survivorCount: 21,
  modelHash: hash,
  included: true,
  proof: { inputsRoot: hash, leafIndex: 0, path: [] },
  at: 0,
} as const satisfies OutcomeView;

describe("an engine that stops", () => {
  const loss = { backend: "webgl", cause: "context-lost", note: "", at: 1_000_000 } as const;
  const lostRound: OwnRound = {
    ...round,
    step: "ended",
    outcome: { kind: "refused-by-device", code: "ENGINE_LOST", sentence: "x", sent: false, at: 1_000_000 },
  };
  const wasm = { backend: "wasm", msPerStep: 4, note: null } as const;
  const engine = { backend: null, calibrating: true, table: [wasm], losses: [loss] } as const;

  test("[T3] is said in plain words: what happened, what it means, what the page does", () => {
    const mending = { ...view, stage: "mending", engine, round: lostRound } as const;
    expect(stateLine(mending, run, now)).toEqual({
      title: "WebGL has stopped; the next engine is being tried",
      detail:
        "The browser took its graphics context away, so this device left round 9. Nothing of yours was sent from it, and nothing is lost. Rounds go on without this device until an engine works here.",
      short: "Trying the next engine",
      progress: null,
    });
    const waiting = {
      ...mending,
      stage: "waiting",
      engine: { ...engine, backend: "wasm", calibrating: false },
    } as const;
    expect(stateLine(waiting, run, now)).toMatchObject({
      title: "Waiting for the next round",
      detail:
        "WebGL stopped in round 9, so this device left it. Nothing of yours was sent, and nothing is lost. This device goes on with WASM.",
    });
    expect(engineNote(waiting.engine)).toBe(
      "WebGL stopped at 00:16:40 UTC: the browser took its graphics context away. Training goes on with WASM, in the background.",
    );
  });

  test("between rounds it is no round that was left", () => {
    const line = stateLine({ ...view, stage: "mending", engine, round: null }, run, now);
    expect(line.title).toBe("WebGL has stopped");
    expect(line.detail).not.toContain("round 9");
    // Numbers that are none: no engine has stopped yet.
    const checked = stateLine({ ...view, stage: "mending", engine: { ...engine, losses: [] } }, run, now);
    expect(checked.title).toBe("The engine of this device is being checked");
  });

  test("[T2] where none is left the page says so, and what a person can do", () => {
    const none = { ...engine, calibrating: false };
    const line = stateLine({ ...view, stage: "ready", engine: none }, run, now);
    expect(line.title).toBe("No engine works on this device any more");
    expect(line.detail).toContain("Reload this page, or choose an engine in part 3");
    expect(engineNote(none)).toContain("None is left that works.");
    // Before the first timing nothing is known to be wrong.
    const fresh = { ...none, table: [], losses: [] };
    expect(stateLine({ ...view, stage: "ready", engine: fresh }, run, now).title).toBe("Ready when you are");
  });

  test("[T4] a download that was begun again says so", () => {
    const download = { doneByteCount: 1_000, byteCount: 10_000, tries: 2 };
    const line = stateLine({ ...view, round: { ...round, step: "downloading", download } }, run, now);
    expect(line.detail).toContain("The download stopped on the way; this is try 2.");
  });
});

describe("consent", () => {
  test("every number comes from the config: a demo of 8 needs 5, so there are at least 4 others", () => {
    const words = consentWords(sliceFor(8), true);
    expect(words.paragraph).toContain("until it is added to at least 4 others");
    expect(leadSentence(sliceFor(8))).toContain(
      "The masks cancel only once it is added to at least 4 others",
    );
    expect(words.box).toBe("I agree that this browser takes part in digits, version 3.");
    expect(words.leaves[0]).toContain("2,441 numbers, 9.8\u00a0kB");
  });

  test("a demo under ten devices says so; twenty-six devices do not", () => {
    const demo = "Demo: 8 devices. Too few to hide anyone; for trying out only.";
    expect(consentWords(sliceFor(8), true).warnings).toContain(demo);
    expect(consentWords(sliceFor(26), true).warnings.join(" ")).not.toContain("Demo");
    expect(consentWords(sliceFor(26), true).paragraph).toContain("at least 9 others");
  });

  test("a task without noise and a coordinator without a public log say so before one agrees", () => {
    expect(consentWords(sliceFor(8), true).warnings).toContain(
      "This task adds no noise. You are hidden by the others in the sum, not by mathematics.",
    );
    expect(consentWords(sliceFor(8), false).warnings.join(" ")).toContain("no public log");
    expect(consentWords(sliceFor(8), true).warnings.join(" ")).not.toContain("no public log");
    expect(consentWords(sliceFor(8), null).warnings.join(" ")).not.toContain("no public log");
  });
});

describe("the state line", () => {
  test("training names the pass, the rows that are trained on, the time, and that nothing has left", () => {
    const line = stateLine(view, run, now);
    expect(line.title).toBe("Round 9: this device is training");
    expect(line.detail).toBe(
      "Second of three passes over your 32 drawings, about 2\u00a0s left. Nothing has left this device in this round yet.",
    );
    expect(line.short).toBe("Training, pass 2 of 3");
    const parts = line.progress?.parts ?? [];
    expect(parts[0]).toBe(1);
    expect(parts[1]).toBeCloseTo(2 / 3);
    expect(parts[2]).toBe(0);
  });

  test("many passes are counted in digits, one is a pass", () => {
    const training = { ...(round.training as NonNullable<OwnRound["training"]>), secondsLeft: null };
    expect(trainingWords({ ...training, epoch: 7, epochCount: 20 }, view)).toBe(
      "Pass 7 of 20 over your 32 drawings.",
    );
    expect(trainingWords({ ...training, epoch: 1, epochCount: 1 }, view)).toBe(
      "First of one pass over your 32 drawings.",
    );
  });

  test("[R25] a run that waits is told plainly, whatever became of the last round", () => {
    const waiting = { since: "2026-07-08T13:46:00.000Z", ready: 2, needed: 5 };
    const line = stateLine({ ...view, stage: "waiting" }, { state: "waiting", waiting }, now);
    expect(line.title).toBe("Too few devices are here yet");
    expect(line.detail).toBe(
      "Waiting for devices: 2 are here, a round needs 5. Until then nothing is asked of this device; it stays checked in while this page is open.",
    );
  });

  test("offline wins over whatever the device does, and says since when", () => {
    const since = Date.parse("2026-07-08T14:36:20Z");
    const lost = { ...view, connection: { ...view.connection, state: "connecting", since } } as const;
    expect(stateLine(lost, run, { now: since + 1_000, hiddenAt: null }).title).toBe(
      "Round 9: this device is training",
    );
    const line = stateLine(lost, run, { now: since + 10_000, hiddenAt: null });
    expect(line.title).toBe("No connection since 14:36:20 UTC");
    expect(line.detail).toBe("Training goes on here; nothing is sent. Figures date from then.");
  });

  test("before one takes part a lost connection is not the news", () => {
    const line = stateLine(
      { ...view, stage: "consent", consent: null, connection: { ...view.connection, state: "offline" } },
      null,
      now,
    );
    expect(line.title).toBe("Nothing is agreed to yet");
  });

  test("the device's own limit is said when it is reached", () => {
    const line = stateLine({ ...view, stage: "waiting", budget: { used: 15, limit: 15 } }, null, now);
    expect(`${line.title}. ${line.detail}`).toBe(
      "This device has taken part 15 times, its own limit. It refuses further rounds.",
    );
  });

  test("every step of a round and every stage has a line of its own", () => {
    const steps = [
      "downloading",
      "training",
      "advertised",
      "shared",
      "masking",
      "uploading",
      "uploaded",
      "opened",
      "ended",
    ] as const;
    const titles = steps.map((step) => stateLine({ ...view, round: { ...round, step } }, run, now).title);
    expect(new Set(titles).size).toBe(steps.length);
    const stages = ["consent", "data", "ready", "locked", "connecting", "waiting", "paused", "left"] as const;
    expect(new Set(stages.map((stage) => stateLine({ ...view, stage }, run, now).title)).size).toBe(
      stages.length,
    );
  });

  test("until the masked list is in, each step says that the update is still here", () => {
    for (const step of ["downloading", "training", "advertised", "shared", "masking"] as const) {
      expect(stateLine({ ...view, round: { ...round, step } }, run, now).detail).toMatch(
        /Nothing has left|its update is not|still here|stays here/,
      );
    }
  });

  test("between rounds it says what became of the last one, and after a run that the run has ended", () => {
    const outcome = { ...committedOutcome, survivorCount: 9 };
    const waiting = { ...view, stage: "waiting", round: { ...round, step: "ended", outcome } } as const;
    expect(stateLine(waiting, run, now).detail).toBe("Round 9: you were one of 9 voices in one sum.");
    expect(stateLine(waiting, { ...run, state: "completed" }, now)).toMatchObject({
      title: "Waiting for the next run",
      detail: "The last run has ended.",
    });
    expect(stateLine(waiting, { ...run, state: "evaluating" }, now)).toMatchObject({
      title: "Waiting for the next run",
      detail: "The rounds of the last run are over.",
    });
  });

  test("a round that ended badly says its sentence", () => {
    const outcome: OutcomeView = {
      kind: "dropped",
      code: "ME_DROPPED",
      sentence: "This device's list came too late.",
      sent: false,
      at: 0,
    };
    const line = stateLine({ ...view, round: { ...round, step: "ended", outcome } }, run, now);
    expect(line.title).toBe("Round 9 went on without this device");
    expect(line.detail).toBe(outcome.sentence);
    const lost = {
      ...view,
      round: { ...round, step: "ended", outcome: { ...outcome, at: 9_000 }, stepsAt: { training: 5_000 } },
    } as const;
    const said = (hiddenAt: number | null) => stateLine(lost, run, { now: 9_500, hiddenAt }).detail;
    expect(said(7_000)).toMatch(
      /^This device lost the round when the tab was hidden\. Nothing of yours is in the sum\./,
    );
    expect(said(4_000)).toBe(outcome.sentence);
    expect(said(null)).toBe(outcome.sentence);
  });
});

describe("what became of it", () => {
  const known = { needed: 16, helped: true, logged: false, shown: null } as const;

  test("the sum, its version and how good it is", () => {
    const record = { accuracy: { value: 0.931, halfWidth95: 0.026, count: 360 } };
    expect(outcomeSentence({ round: 8 }, committedOutcome, record, digits)).toBe(
      "You were one of 21 voices. The sum became version 8, which is right for 93.1\u00a0% of drawings it has never seen, ± 2.6\u00a0points.",
    );
    expect(outcomeSentence({ round: 8 }, committedOutcome, null, digits)).toBe(
      "You were one of 21 voices. The sum became version 8.",
    );
    const graph = { kind: "shards", size: 96 } as const;
    const grouped = { ...digits, aggregation: { ...digits.aggregation, goal: 1_000, graph } };
    expect(outcomeSentence({ round: 8 }, committedOutcome, null, grouped)).toBe(
      "You were one of 21 voices of your group. The sums of the groups became version 8.",
    );
    // What had to be in is its own group's number, not the round's.
    expect(neededInSum(grouped, 96)).toBe(67);
    expect(neededInSum(digits, 30)).toBe(21);
    expect(neededInSum(digits, null)).toBeNull();
  });

  test("claims only what was checked: no inclusion without the path, no shares that were not given", () => {
    const all = proofsOf(committedOutcome, known).map(({ kind }) => kind);
    expect(all).toEqual(["done", "done", "done", "unknown"]);
    const missing = proofsOf({ ...committedOutcome, included: false }, { ...known, helped: false });
    expect(missing[0]?.kind).toBe("refused");
    expect(missing.map(({ statement }) => statement).join(" ")).not.toContain("helped");
    const tooFew = proofsOf({ ...committedOutcome, survivorCount: 15 }, known);
    expect(tooFew[1]?.kind).toBe("refused");
  });

  test("after a dropout it says whether the masked list had left", () => {
    const dropped = { kind: "dropped", code: "ME_DROPPED", sentence: "x", at: 0 } as const;
    expect(proofsOf({ ...dropped, sent: false }, known)[0]?.statement).toBe(
      "Nothing of your update left this device.",
    );
    expect(proofsOf({ ...dropped, sent: true }, known)[0]?.statement).toContain("had left");
  });

  test("the parts of the list in words", () => {
    expect(segmentWords(sliceFor(8))).toBe(
      "2,410 changes to the model, your number of drawings, how well the model did here, 4 check numbers",
    );
    const narrow = { ...sliceFor(8), task: bundledTask("digits", 8, 3, 16) };
    expect(segmentWords(narrow)).toContain("2,410 changes to the model, mixed, two in a number, your number");
  });
});

describe("data and model in words", () => {
  test("classes that are here and classes that are not", () => {
    const classes = ["0", "1", "2", "3"];
    expect(classSentence(classes, [0, 5, 6, 0], "drawings")).toBe(
      "Drawings by class: 1 has 5, 2 has 6; none of 0, 3.",
    );
    expect(missingClasses(classes, [0, 5, 6, 0])).toBe("No 0 or 3 yet: that is fine, others have them.");
    expect(missingClasses(classes, [1, 1, 1, 1])).toBe("");
  });

  test("the likeliest class, and never certainty", () => {
    expect(oddsSentence(["0", "1", "2"], Float32Array.of(0.1, 0.86, 0.04))).toBe(
      "It says 1, with 86\u00a0% confidence.",
    );
    expect(oddsSentence(["0", "1"], Float32Array.of(1, 0))).toBe("It says 0, with > 99\u00a0% confidence.");
  });
});
