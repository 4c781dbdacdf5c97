import type { TaskSlice } from "#client/index.ts";
import { bundledTask } from "#coordinator/data/tasks.ts";
import {
  type RoundView,
  type RunView,
  roundViewSchema,
  runViewSchema,
  type TaskView,
  taskViewSchema,
} from "#shared/protocol/api.ts";

/* API views for tests of pages: a complete one that the schema accepts, with a test's changes. */

const HASH = "ab".repeat(32);
const ID = "cd".repeat(16);

/** A round of 8 that was opened after 10 seconds, with 7 in the sum; 1 left. */
export function roundViewOf(change: Partial<Record<keyof RoundView, unknown>> = {}): RoundView {
  return roundViewSchema.parse({
    roundId: ID,
    runId: ID,
    round: 3,
    attempt: 1,
    phase: "committed",
    code: null,
    opened: true,
    openedAt: "2026-07-08T14:36:00.000Z",
    endedAt: "2026-07-08T14:36:12.000Z",
    nowS: 12,
    deadlineS: null,
    phaseEndsS: {
      recruiting: 2,
      training: 3,
      advertising: 5,
      sharing: 6,
      collecting: 10,
      confirming: 11,
      unmasking: 12,
    },
    joined: 8,
    trained: 7,
    advertised: 7,
    shared: 7,
    survivors: 7,
    sent: 7,
    left: 1,
    confirmed: 7,
    unmasked: 7,
    threshold: 6,
    goal: 8,
    counts: [
      { atS: 0, joined: 3, trained: 0, sent: 0, left: 0 },
      { atS: 2, joined: 8, trained: 0, sent: 0, left: 0 },
      { atS: 4, joined: 8, trained: 4, sent: 0, left: 1 },
      { atS: 5, joined: 8, trained: 7, sent: 0, left: 1 },
      { atS: 8, joined: 8, trained: 7, sent: 5, left: 1 },
      { atS: 10, joined: 8, trained: 7, sent: 7, left: 1 },
    ],
    traffic: [
      { step: "model", upByteCount: 0, downByteCount: 9_900 },
      { step: "input", upByteCount: 9_764, downByteCount: 60 },
    ],
    parentModelHash: HASH,
    modelHash: HASH,
    measures: {
      accuracy: { value: 0.681, halfWidth95: 0.008, count: 12_279 },
      loss: { value: 0.601, halfWidth95: 0.007, count: 12_279 },
    },
    deviceMeasures: { before: { accuracy: { value: 0.66, halfWidth95: 0.04, count: 700 } }, after: {} },
    updateNormL2: 0.5,
    ...change,
  });
}

/** Run 7 of digits, with three of fifteen rounds done and the fourth not yet open. */
export function runViewOf(change: Partial<Record<keyof RunView, unknown>> = {}): RunView {
  const accuracy = { value: 0.681, halfWidth95: 0.008, count: 12_279 };
  const loss = { value: 0.601, halfWidth95: 0.007, count: 12_279 };
  return runViewSchema.parse({
    runId: ID,
    number: 7,
    task: "digits",
    taskVersion: 3,
    state: "running",
    pausing: false,
    code: null,
    roundsPlanned: 15,
    roundsCommitted: 3,
    strategy: { kind: "fedavg", serverLearningRate: 1 },
    training: TRAINING,
    seed: 7,
    configHash: HASH,
    launchedBy: "someone",
    createdAt: "2026-07-08T14:00:00.000Z",
    startedAt: "2026-07-08T14:15:00.000Z",
    endedAt: null,
    currentRound: null,
    history: [
      { round: 0, measures: { accuracy: { ...accuracy, value: 0.1 }, loss: { ...loss, value: 2.3 } } },
      { round: 3, measures: { accuracy, loss } },
    ],
    modelHash: HASH,
    secondsLeft: 120,
    ...change,
  });
}

const TRAINING = {
  epochs: 2,
  batchSize: 16,
  optimizer: { kind: "sgd", learningRate: 0.15, momentum: 0 },
  proximalMu: 0,
};

/** The digits task, without devices and without a result. */
export function taskViewOf(change: Partial<Record<keyof TaskView, unknown>> = {}): TaskView {
  const phaseMs = 30_000;
  return taskViewSchema.parse({
    task: {
      slug: "digits",
      version: 3,
      invitation: "Help a model read handwriting",
      learns: "which digit is drawn",
      exampleNoun: { one: "drawing", many: "drawings" },
      dataCard: "UCI optical digits.",
      model: {
        format: "tfjs-layers",
        inputShape: [8, 8, 1],
        classCount: 10,
        layers: [
          { className: "Flatten", name: "flatten" },
          { className: "Dense", name: "output", units: 10, activation: "softmax" },
        ],
      },
      features: { kind: "image", height: 8, width: 8, range: [0, 16], classes: "0123456789".split("") },
      training: TRAINING,
      aggregation: {
        strategy: { kind: "fedavg", serverLearningRate: 1 },
        goal: 8,
        overSelection: 1,
        cohortSizeMin: 5,
        cohortSizeMax: 16,
        securityModel: "active",
        graph: "complete",
        deadlines: {
          recruitingMs: phaseMs,
          trainingMs: phaseMs,
          sharingMs: phaseMs,
          collectingMs: phaseMs,
          confirmingMs: phaseMs,
          unmaskingMs: phaseMs,
          graceMs: phaseMs,
        },
        clipNormL2: 1,
        weightCap: 1_000,
        ring: 32,
      },
      evaluation: { heldOutFraction: 0.2, localFraction: 0.2 },
    },
    taskHash: HASH,
    parameterCount: 650,
    vectorLength: 700,
    bitsPerWeight: 32,
    deviceCount: 0,
    activeRunId: null,
    measures: null,
    latestModelHash: null,
    createdAt: "2026-07-08T14:00:00.000Z",
    createdBy: "someone",
    ...change,
  });
}

/** The digits task for this many devices, as a participant's page has it. */
export function taskSliceOf(clientCount: number): TaskSlice {
  const task = bundledTask("digits", clientCount, 3);
  return {
    task,
    invitation: "Help a model read handwriting",
    taskHash: HASH,
    archivedAt: null,
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
