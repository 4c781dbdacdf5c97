import { describe, expect, test } from "vitest";
import type { OutcomeView, OwnRound, ParticipantView } from "#client/index.ts";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { ERRORS } from "#shared/protocol/errors.ts";
import { taskSliceOf } from "#test/kit/web-views.ts";
import { neededInSum, outcomeSentence, proofsOf, segmentWords } from "#web/words/contribution.ts";
import { engineNote } from "#web/words/engine.ts";
import {
  askNote,
  consentText,
  consentWords,
  leadSentence,
  stateLine,
  trainingWords,
} from "#web/words/join.ts";

const hash = "ab".repeat(32);
const digits = bundledTask("digits", 30, 3);

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
  task: taskSliceOf(8),
  consent: { version: 3, taskHash: hash, agreedAt: 0, current: true },
  consents: [],
  data: {
    count: 40,
    countByGroup: [0, 0, 5, 0, 4, 3, 1, 0, 21, 6],
    localCount: 8,
    examples: [],
    lastImport: null,
  },
  reading: null,
  engine: { backend: "wasm", calibrating: false, table: [], losses: [] },
  round,
  contributions: [],
  latest: null,
  budget: { used: 8, limit: 15 },
  refusal: null,
  contradiction: null,
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
        "The browser took its graphics context away, so this device left round 9. Nothing was sent from this training, and nothing is lost. Rounds go on without this device until an engine works here.",
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

  test("between rounds leaves no round", () => {
    const line = stateLine({ ...view, stage: "mending", engine, round: null }, run, now);
    expect(line.title).toBe("WebGL has stopped");
    expect(line.detail).not.toContain("round 9");
    // Non-finite numbers: no engine has stopped yet.
    const checked = stateLine({ ...view, stage: "mending", engine: { ...engine, losses: [] } }, run, now);
    expect(checked.title).toBe("The engine of this device is being checked");
  });

  test("[T2] without a replacement: the page says so, and what a person can do", () => {
    const none = { ...engine, calibrating: false };
    const line = stateLine({ ...view, stage: "ready", engine: none }, run, now);
    expect(line.title).toBe("No engine works on this device any more");
    expect(line.detail).toContain("Reload this page, or choose an engine in part 3");
    expect(engineNote(none)).toContain("No other engine works here.");
    // Before the first timing nothing is known to be wrong.
    const fresh = { ...none, table: [], losses: [] };
    expect(stateLine({ ...view, stage: "ready", engine: fresh }, run, now).title).toBe("Ready when you are");
  });

  test("[T4] during a download that was restarted, the page says so", () => {
    const download = { doneByteCount: 1_000, byteCount: 10_000, tries: 2 };
    const line = stateLine({ ...view, round: { ...round, step: "downloading", download } }, run, now);
    expect(line.detail).toContain("The download stopped; this is try 2.");
  });
});

describe("consent", () => {
  test("every number comes from the config: a demo of 8 needs 5, so there are at least 4 others", () => {
    const words = consentWords(taskSliceOf(8), true);
    expect(words.paragraph).toContain("until it is added to at least 4 others");
    expect(leadSentence(taskSliceOf(8))).toContain(
      "The masks cancel only once it is added to at least 4 others",
    );
    expect(words.box).toBe("I agree that this browser takes part in digits, version 3.");
    expect(words.leaves[0]).toContain("2,441 numbers, 9.8\u00a0kB");
  });

  test("before the agreement nothing is sent; a newer version is named beside the one agreed to", () => {
    expect(askNote(null, 4)).toBe("Nothing is sent before you agree.");
    expect(askNote({ version: 3 }, 4)).toContain("You agreed to version 3. The task now has version 4:");
  });

  test("[W22] a task of fewer than ten devices says so, and not that it is a demo; twenty-six devices do not", () => {
    const few = "A sum may be of 5 devices: too few to hide anyone; for trying out only.";
    expect(consentWords(taskSliceOf(8), true).warnings).toContain(few);
    expect(consentWords(taskSliceOf(26), true).warnings.join(" ")).not.toMatch(/too few|Demo/);
    // The least sum hides people, not the number that a round aims at.
    const slice = taskSliceOf(26);
    const aggregation = { ...slice.task.aggregation, cohortSizeMin: 3 };
    expect(consentWords({ ...slice, task: { ...slice.task, aggregation } }, true).warnings).toContain(
      "A sum may be of 3 devices: too few to hide anyone; for trying out only.",
    );
    expect(consentWords(taskSliceOf(26), true).paragraph).toContain("at least 9 others");
  });

  test("[V19] what a first visit has to trust is said, with the log's key only if there is a log", () => {
    const said = (logged: boolean | null) =>
      consentWords(taskSliceOf(8), logged).warnings.filter((line) => line.startsWith("On a first visit"));
    expect(said(true)).toEqual([expect.stringContaining("and the key of the public log that it names")]);
    for (const logged of [false, null])
      expect(said(logged)).toEqual([expect.not.stringContaining("public log")]);
    expect(consentText(consentWords(taskSliceOf(8), true))).toContain(said(true)[0]);
  });

  test("a task without noise and a coordinator without a public log are mentioned before the agreement", () => {
    expect(consentWords(taskSliceOf(8), true).warnings).toContain(
      "This task adds no noise. You are hidden by the others in the sum, not by mathematics.",
    );
    expect(consentWords(taskSliceOf(8), false).warnings.join(" ")).toContain("no public log");
    expect(consentWords(taskSliceOf(8), true).warnings.join(" ")).not.toContain("no public log");
    expect(consentWords(taskSliceOf(8), null).warnings.join(" ")).not.toContain("no public log");
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

  test("many passes are written in digits, and one is a pass", () => {
    const training = { ...(round.training as NonNullable<OwnRound["training"]>), secondsLeft: null };
    expect(trainingWords({ ...training, epoch: 7, epochCount: 20 }, view)).toBe(
      "Pass 7 of 20 over your 32 drawings.",
    );
    expect(trainingWords({ ...training, epoch: 1, epochCount: 1 }, view)).toBe(
      "First of one pass over your 32 drawings.",
    );
  });

  test("[R25] a waiting run is reported plainly, whatever the outcome of the last round", () => {
    const waiting = { since: "2026-07-08T13:46:00.000Z", ready: 2, needed: 5 };
    const line = stateLine({ ...view, stage: "waiting" }, { state: "waiting", waiting }, now);
    expect(line.title).toBe("Too few devices are here yet");
    expect(line.detail).toBe(
      "Waiting for devices: 2 are here, a round needs 5. Until then this device has nothing to do; it stays checked in while this page is open.",
    );
  });

  test("being offline comes first, with its start time", () => {
    const since = Date.parse("2026-07-08T14:36:20Z");
    const lost = { ...view, connection: { ...view.connection, state: "connecting", since } } as const;
    expect(stateLine(lost, run, { now: since + 1_000, hiddenAt: null }).title).toBe(
      "Round 9: this device is training",
    );
    const line = stateLine(lost, run, { now: since + 10_000, hiddenAt: null });
    expect(line.title).toBe("No connection since 14:36:20 UTC");
    expect(line.detail).toBe("Training goes on here; nothing is sent. Figures date from then.");
  });

  test("a lost connection is not mentioned before one takes part", () => {
    const line = stateLine(
      { ...view, stage: "consent", consent: null, connection: { ...view.connection, state: "offline" } },
      null,
      now,
    );
    expect(line.title).toBe("You have not agreed to anything yet");
  });

  test("the device's own limit is mentioned when it is reached", () => {
    const line = stateLine({ ...view, stage: "waiting", budget: { used: 15, limit: 15 } }, null, now);
    expect(`${line.title}. ${line.detail}`).toBe(
      "This device has taken part 15 times, its own limit. It refuses further rounds.",
    );
  });

  test("every step of a round and every stage has its own line", () => {
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

  test("until the masked list has left, each step says that the update is still here", () => {
    for (const step of ["downloading", "training", "advertised", "shared", "masking"] as const) {
      expect(stateLine({ ...view, round: { ...round, step } }, run, now).detail).toMatch(
        /Nothing has left|its update is not|still here|stays here/,
      );
    }
  });

  test("between rounds it gives the outcome of the last one, and after a run it says that the run has ended", () => {
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

  test("a round that ended badly shows its sentence", () => {
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
    const record = { measures: { accuracy: { value: 0.931, halfWidth95: 0.026, count: 360 } } };
    expect(outcomeSentence({ round: 8 }, committedOutcome, record, digits)).toBe(
      "You were one of 21 voices. The sum became the model of round 8, which is right for 93.1\u00a0% of drawings it has never seen, ± 2.6\u00a0points.",
    );
    expect(outcomeSentence({ round: 8 }, committedOutcome, null, digits)).toBe(
      "You were one of 21 voices. The sum became the model of round 8.",
    );
    const graph = { kind: "shards", size: 96 } as const;
    const grouped = { ...digits, aggregation: { ...digits.aggregation, goal: 1_000, graph } };
    expect(outcomeSentence({ round: 8 }, committedOutcome, null, grouped)).toBe(
      "You were one of 21 voices of your group. The sums of the groups became the model of round 8.",
    );
    // The number needed is its own group's, not the round's.
    expect(neededInSum(grouped, 96)).toBe(67);
    expect(neededInSum(digits, 30)).toBe(21);
    expect(neededInSum(digits, null)).toBeNull();
  });

  test("claims only what was checked: no inclusion without the path, and only shares that were given", () => {
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
    expect(segmentWords(taskSliceOf(8))).toBe(
      "2,410 changes to the model, your number of drawings, how well the model did here, 4 check numbers",
    );
    const narrow = { ...taskSliceOf(8), task: bundledTask("digits", 8, 3, 16) };
    expect(segmentWords(narrow)).toContain("2,410 changes to the model, mixed, two in a number, your number");
  });
});

describe("[W22] what goes on, in words that hold", () => {
  const waiting = { ...view, stage: "waiting", round: null } as const;
  const lost = { ...view.connection, state: "silent", since: 999_000 } as const;

  test("[W21] a silent connection and one that the browser cut are named at once, a short gap is not", () => {
    for (const state of ["silent", "cut"] as const)
      expect(stateLine({ ...waiting, connection: { ...lost, state } }, run, now).title).toMatch(
        /^No connection since/,
      );
    const gap = { ...lost, state: "connecting" } as const;
    expect(stateLine({ ...waiting, connection: gap }, run, now).title).toBe("Waiting for the next round");
  });

  test("an archived task is told at once, with what stays", () => {
    const archived = {
      ...view,
      task: { ...view.task, archivedAt: Date.UTC(2026, 7, 3, 10, 12) },
      round: null,
    };
    for (const stage of ["consent", "data", "ready", "paused"] as const) {
      const line = stateLine({ ...archived, stage }, null, now);
      expect(line.title).toBe("This task is archived");
      expect(line.detail).toMatch(
        /^It takes no devices since .*10:12.*\. Nothing is sent, and its models stay\./,
      );
    }
    // A round that is under way when the task is archived ends first.
    expect(stateLine({ ...archived, stage: "in-round", round }, run, now).title).not.toContain("archived");
  });

  test("training goes on without a connection only if this device trains", () => {
    const line = (changed: Partial<ParticipantView>) =>
      stateLine({ ...view, ...changed, connection: lost }, run, now).detail;
    expect(line({})).toContain("Training goes on here; nothing is sent.");
    expect(line({ round: { ...round, step: "uploading" } })).not.toContain("nothing is sent");
    expect(line({ stage: "waiting" })).toBe(
      "Until it is back, no round can invite this device. Figures date from then.",
    );
  });

  test("no round is promised if no run is open, and no device is missing if enough are here", () => {
    expect(stateLine(waiting, { state: "none" }, now)).toMatchObject({
      title: "Waiting for the next run",
      detail: expect.stringContaining("No run of this task is open."),
    });
    const of = (ready: number) =>
      stateLine(
        waiting,
        { state: "waiting", waiting: { since: "2026-01-01T00:00:00Z", ready, needed: 5 } },
        now,
      ).title;
    expect([of(4), of(5)]).toEqual(["Too few devices are here yet", "Waiting for the next round"]);
  });

  test("a second attempt does not claim that no list has left", () => {
    const advertised = (attempt: number) =>
      stateLine({ ...view, round: { ...round, step: "advertised", attempt } }, run, now).detail;
    expect(advertised(1)).toContain("its update is not");
    expect(advertised(2)).toBe("The round starts over under fresh keys, with the same update.");
  });

  test("no code's fixed text says that nothing was sent", () => {
    for (const [code, [, sentence]] of Object.entries(ERRORS))
      expect(sentence, code).not.toMatch(/nothing (?:more |of \S+ )?was sent/i);
  });
});
