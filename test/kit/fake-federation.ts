import { createHash } from "node:crypto";
import type {
  Counts,
  EventView,
  Phase,
  RoundDetail,
  RoundView,
  RunView,
  Status,
  TaskView,
  Traffic,
} from "#shared/protocol/api.ts";
import { TIMED_PHASES } from "#shared/protocol/api.ts";
import type { HashHex, RoundId, RunId, TaskSlug } from "#shared/protocol/ids.ts";
import { type Task, taskSchema } from "#shared/task/task.ts";

/*
 * Made-up runs for looking at pages. Figures are smooth curves with seeded noise; they stand for nothing.
 */

const hash = (text: string): HashHex => createHash("sha256").update(text).digest("hex") as HashHex;
const runId = (text: string): RunId => hash(`run ${text}`).slice(0, 32) as RunId;

/** mulberry32, so that every start shows the same pictures. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface Script {
  readonly joined: number[];
  readonly trained: number[];
  readonly sent: number[];
  readonly left: number[];
  readonly ends: Partial<Record<Phase, number>>;
  readonly threshold: number;
  readonly goal: number;
  readonly endS: number;
  readonly fails: boolean;
}

/** One round of `devices`, about `endS` seconds long. */
function script(seed: number, devices: number, endS: number, fails = false): Script {
  const random = seeded(seed);
  const sorted = (count: number, from: number, to: number) =>
    Array.from({ length: count }, () => from + ((to - from) * (random() + random())) / 2).toSorted(
      (a, b) => a - b,
    );
  const leavers = Math.round(devices * (fails ? 0.4 : 0.15) * random() + (fails ? devices * 0.2 : 0));
  const stay = devices - leavers;
  const shared = Math.max(3, devices - Math.ceil(leavers / 2));
  const threshold = Math.max(Math.floor((2 * shared) / 3) + 1, 3);
  const sentCount = fails ? threshold - 2 : Math.max(threshold, stay);
  const at = (share: number) => Math.round(share * endS * 10) / 10;
  return {
    joined: sorted(devices, 0, at(0.09)).map((time) => Math.min(time, at(0.08))),
    trained: sorted(Math.max(sentCount, devices - 2), at(0.14), at(0.4)),
    sent: sorted(sentCount, at(0.48), at(0.98)),
    left: sorted(leavers, at(0.15), at(0.95)),
    ends: {
      recruiting: at(0.08),
      training: at(0.15),
      advertising: at(0.42),
      sharing: at(0.47),
      collecting: at(1),
      confirming: at(1.02),
      unmasking: at(1.05),
    },
    threshold,
    goal: Math.max(3, Math.floor(devices / 1.3)),
    endS,
    fails,
  };
}

function countsOf(plan: Script, nowS: number): Counts[] {
  const rows: Counts[] = [];
  const until = Math.min(nowS, plan.ends.collecting ?? plan.endS);
  const upTo = (times: number[], atS: number) => times.filter((time) => time <= atS).length;
  for (let atS = 0; atS <= Math.ceil(until); atS += 1) {
    const second = Math.min(atS, until);
    rows.push({
      atS: second,
      joined: upTo(plan.joined, second),
      trained: upTo(plan.trained, second),
      sent: upTo(plan.sent, second),
      left: upTo(plan.left, second),
    });
  }
  return rows;
}

function phaseAt(plan: Script, nowS: number): Phase {
  for (const phase of TIMED_PHASES) {
    if (plan.fails && phase === "confirming") break;
    if (nowS < (plan.ends[phase] ?? 0)) return phase;
  }
  return plan.fails ? "failed" : "committed";
}

interface Setup {
  readonly name: string;
  readonly task: Task;
  readonly number: number;
  readonly devices: number;
  readonly roundS: number;
  readonly planned: number;
  readonly done: number;
  readonly state: RunView["state"];
  readonly accuracy: (round: number) => number;
  readonly rows: number;
  readonly failsAt?: number;
  readonly code?: RunView["code"];
}

const curve = (from: number, to: number, pace: number) => (round: number) =>
  to - (to - from) * Math.exp(-round / pace);

function measureOf(share: number, rows: number) {
  return { value: share, halfWidth95: 1.96 * Math.sqrt((share * (1 - share)) / rows), count: rows };
}

/** A round of a run at second `nowS`. */
function roundView(run: Setup, round: number, nowS: number): RoundView {
  const plan = script(round * 7 + run.number, run.devices, run.roundS, run.failsAt === round);
  const phase = phaseAt(plan, nowS);
  const ended = phase === "committed" || phase === "failed";
  const counts = countsOf(plan, nowS);
  const last = counts.at(-1) ?? { atS: 0, joined: 0, trained: 0, sent: 0, left: 0 };
  const phaseEndsS: RoundView["phaseEndsS"] = {};
  for (const timed of TIMED_PHASES) {
    const atS = plan.ends[timed];
    if (
      atS !== undefined &&
      atS <= nowS &&
      !(plan.fails && (timed === "confirming" || timed === "unmasking"))
    )
      phaseEndsS[timed] = atS;
  }
  const past = (timed: Phase) => phaseEndsS[timed] !== undefined;
  const committed = phase === "committed";
  const share = run.accuracy(round);
  const opened = new Date(Date.now() - nowS * 1_000).toISOString();
  return {
    roundId: hash(`round ${run.name} ${round}`).slice(0, 32) as RoundId,
    runId: runId(run.name),
    round,
    attempt: 1,
    phase,
    code: phase === "failed" ? "U3_BELOW_T" : null,
    opened: committed,
    openedAt: opened,
    endedAt: ended ? new Date().toISOString() : null,
    nowS: ended ? (plan.ends.unmasking ?? nowS) : nowS,
    deadlineS: ended ? null : (plan.ends[phase] ?? 0) + 20,
    phaseEndsS,
    joined: last.joined,
    trained: last.trained,
    advertised: past("advertising") ? run.devices - 1 : null,
    shared: past("sharing") ? run.devices - 1 : null,
    survivors: past("collecting") && !plan.fails ? last.sent : null,
    sent: last.sent,
    left: last.left,
    confirmed: past("confirming") ? last.sent : 0,
    unmasked: past("unmasking") ? last.sent : 0,
    threshold: past("advertising") ? plan.threshold : null,
    goal: plan.goal,
    counts,
    traffic: trafficOf(run),
    parentModelHash: hash(`model ${run.name} ${round - 1}`),
    modelHash: committed ? hash(`model ${run.name} ${round}`) : null,
    accuracy: committed ? measureOf(share, run.rows) : null,
    loss: committed ? { value: 2.4 * (1 - share), halfWidth95: 0.03, count: run.rows } : null,
    deviceAccuracyBefore: committed ? measureOf(run.accuracy(round - 1) * 0.98, run.devices * 16) : null,
    deviceAccuracyAfter: committed ? measureOf(Math.min(0.99, share * 1.02), run.devices * 16) : null,
    updateNormL2: committed ? 1.4 * Math.exp(-round / 8) : null,
  };
}

function trafficOf(run: Setup): Traffic[] {
  const others = run.devices;
  const step = (name: Traffic["step"], upByteCount: number, downByteCount: number): Traffic => ({
    step: name,
    upByteCount,
    downByteCount,
  });
  return [
    step("model", 0, 9_900),
    step("keys", 210, 220 * others),
    step("shares", 170 * others, 170 * others),
    step("input", 9_764, 60),
    step("confirmation", 100, 90 * others),
    step("opening", 33 * others, 1_050),
  ];
}

/** A large round in groups of about 96, one of which shared too few keys. */
function groups({ round }: RoundView): NonNullable<RoundDetail["shardList"]> {
  return Array.from({ length: 14 }, (_, shard) => {
    const isOut = shard === 5;
    return {
      shard,
      sid: hash(`sid ${round} ${shard}`) as HashHex,
      advertised: 86 + ((shard * 7) % 19),
      shared: isOut ? null : 82 + ((shard * 7) % 19),
      survivors: isOut ? null : 79 + ((shard * 7) % 19),
      threshold: 60 + ((shard * 7) % 13),
      leftOut: isOut ? "U2_BELOW_T" : null,
    };
  });
}

export class FakeFederation {
  readonly #setups: Setup[];
  readonly #tasks: Task[];
  readonly #startedMs = Date.now();
  readonly #atS: number | null;
  readonly #baseUrl: string;
  readonly #acts = new Map<string, Partial<RunView>>();

  constructor(options: { readonly atS: number | null; readonly empty: boolean; readonly baseUrl: string }) {
    this.#atS = options.atS;
    this.#baseUrl = options.baseUrl;
    this.#tasks = TASKS;
    const [digits, hmda, fashion] = TASKS;
    if (!digits || !hmda || !fashion) throw new Error("three tasks");
    this.#setups = options.empty
      ? []
      : [
          {
            name: "live",
            task: hmda,
            number: 7,
            devices: 64,
            roundS: 75,
            planned: 40,
            done: 14,
            state: "running",
            accuracy: curve(0.507, 0.69, 4),
            rows: 12_279,
          },
          {
            name: "demo",
            task: digits,
            number: 3,
            devices: 8,
            roundS: 9,
            planned: 15,
            done: 6,
            state: "running",
            accuracy: curve(0.1, 0.95, 3),
            rows: 360,
          },
          {
            name: "paused",
            task: fashion,
            number: 2,
            devices: 12,
            roundS: 40,
            planned: 20,
            done: 5,
            state: "paused",
            accuracy: curve(0.1, 0.86, 4),
            rows: 10_000,
          },
          {
            name: "ended",
            task: digits,
            number: 2,
            devices: 8,
            roundS: 9,
            planned: 15,
            done: 15,
            state: "completed",
            accuracy: curve(0.1, 0.95, 3),
            rows: 360,
          },
          {
            name: "few",
            task: digits,
            number: 1,
            devices: 26,
            roundS: 46,
            planned: 15,
            done: 2,
            state: "failed",
            accuracy: curve(0.1, 0.95, 6),
            rows: 360,
            failsAt: 3,
            code: "U3_BELOW_T",
          },
          {
            name: "waiting",
            task: hmda,
            number: 9,
            devices: 16,
            roundS: 75,
            planned: 40,
            done: 14,
            state: "waiting",
            accuracy: curve(0.507, 0.69, 4),
            rows: 12_279,
          },
          {
            name: "queued",
            task: hmda,
            number: 10,
            devices: 16,
            roundS: 75,
            planned: 20,
            done: 0,
            state: "queued",
            accuracy: curve(0.507, 0.69, 4),
            rows: 12_279,
          },
        ];
  }

  #second(run: Setup): { round: number; nowS: number } {
    const pauseS = 5;
    const length = run.roundS * 1.05 + pauseS;
    const elapsedS = this.#atS ?? (Date.now() - this.#startedMs) / 1_000;
    const past = this.#atS === null ? Math.floor(elapsedS / length) : 0;
    return {
      round: Math.min(run.planned, run.done + 1 + past),
      nowS: Math.round((elapsedS - past * length) * 10) / 10,
    };
  }

  #run(setup: Setup): RunView {
    const live = setup.state === "running";
    const { round, nowS } = this.#second(setup);
    const current = live ? roundView(setup, round, nowS) : roundView(setup, setup.failsAt ?? setup.done, 1e6);
    const waits = setup.state === "waiting" || setup.state === "queued";
    const committed = live ? round - (current.phase === "committed" ? 0 : 1) : setup.done;
    const { task } = setup;
    return {
      runId: runId(setup.name),
      number: setup.number,
      task: task.slug,
      taskVersion: task.version,
      state: setup.state,
      pausing: false,
      code: setup.code ?? null,
      roundsPlanned: setup.planned,
      roundsCommitted: committed,
      strategy: task.aggregation.strategy,
      training: task.training,
      seed: 7,
      configHash: hash(setup.name),
      launchedBy: "researcher k7f2",
      createdAt: new Date(this.#startedMs - 3_600_000).toISOString(),
      startedAt: new Date(this.#startedMs - 3_500_000).toISOString(),
      endedAt:
        live || waits || setup.state === "paused"
          ? null
          : new Date(this.#startedMs - 60_000 * setup.number).toISOString(),
      currentRound: waits ? null : current,
      waiting:
        setup.state === "waiting"
          ? { since: new Date(this.#startedMs - 720_000).toISOString(), ready: 12, needed: 16 }
          : null,
      waitUntil: setup.state === "waiting" ? new Date(this.#startedMs + 14_400_000).toISOString() : null,
      queuedBehind:
        setup.state === "queued" ? { runId: runId("waiting"), number: 9, state: "waiting" } : null,
      history: Array.from({ length: committed + 1 }, (_, index) => ({
        round: index,
        accuracy: measureOf(setup.accuracy(index), setup.rows),
        loss: {
          value: 2.4 * (1 - setup.accuracy(index)),
          halfWidth95: 0.02 + 0.002 * index,
          count: setup.rows,
        },
      })),
      modelHash: committed > 0 ? hash(`model ${setup.name} ${committed}`) : null,
      secondsLeft: live ? (setup.planned - committed) * setup.roundS : null,
      ...this.#acts.get(runId(setup.name)),
    };
  }

  #rounds(setup: Setup): RoundView[] {
    const run = this.#run(setup);
    const rounds = Array.from({ length: run.roundsCommitted }, (_, index) =>
      roundView(setup, index + 1, 1e6),
    );
    const current = run.currentRound;
    return current === null || rounds.some(({ round }) => round === current.round)
      ? rounds
      : [...rounds, current];
  }

  #events(setup: Setup): EventView[] {
    const rounds = this.#rounds(setup).slice(-3).toReversed();
    let sequence = 1_000_000;
    const event = (round: RoundView, kind: string, sentence: string): EventView => ({
      sequence: sequence--,
      at: round.openedAt,
      roundId: round.roundId,
      kind,
      sentence,
      details: { round: round.round },
    });
    return rounds.flatMap((round) => [
      ...(round.phase === "committed"
        ? [
            event(
              round,
              "model.published",
              `Version ${round.round} published: right for ${(100 * (round.accuracy?.value ?? 0)).toFixed(1)} % of held-out rows.`,
            ),
            event(
              round,
              "round.unmasked",
              `The sum of round ${round.round} was opened, once: ${round.survivors} voices.`,
            ),
          ]
        : []),
      event(
        round,
        "round.collecting",
        `${round.shared ?? 0} devices shared their keys. At least ${round.threshold ?? 0} of them must send, or nothing is opened.`,
      ),
      event(round, "round.opened", `Round ${round.round} opened. ${round.joined} devices joined.`),
    ]);
  }

  #detail(setup: Setup, round: RoundView): RoundDetail {
    const shut = round.phase !== "committed";
    return {
      ...round,
      task: setup.task.slug,
      taskVersion: setup.task.version,
      runNumber: setup.number,
      configHash: hash(setup.name),
      roundHash: hash(`rules ${round.round}`),
      sid: round.threshold === null ? null : (hash(`sid ${round.round}`) as HashHex),
      sumHash: shut ? null : hash(`sum ${round.round}`),
      sumByteCount: shut ? null : 9_764,
      weightSum: shut ? null : 1_024,
      inputsRoot: shut ? null : hash(`inputs ${round.round}`),
      ...(setup.task.slug === "hmda" ? { shardList: groups(round) } : {}),
      aggregation: setup.task.aggregation,
      events: this.#events(setup).filter(({ roundId }) => roundId === round.roundId),
    };
  }

  #task(task: Task): TaskView {
    const setup = this.#setups.find((one) => one.task === task && one.state === "running");
    const run = setup && this.#run(setup);
    return {
      task,
      taskHash: hash(task.slug),
      parameterCount: 2_410,
      vectorLength: 2_441,
      bitsPerWeight: 32,
      deviceCount: setup?.devices ?? 0,
      activeRunId: run?.runId ?? null,
      accuracy: run?.history.at(-1)?.accuracy ?? null,
      latestModelHash: run?.modelHash ?? null,
      createdAt: new Date(this.#startedMs).toISOString(),
      createdBy: "demo",
    };
  }

  #status(): Status {
    return {
      product: "chorus",
      version: "0.1.0",
      codeVersion: hash("code"),
      projectId: "default",
      database: "embedded",
      startedAt: new Date(this.#startedMs).toISOString(),
      joinBaseUrl: this.#baseUrl,
      secureContext: false,
      issuerKey: hash("issuer"),
      logKey: hash("log"),
    };
  }

  /** The body of a route's answer, or null where there is nothing under `path`. */
  answer(method: string, path: string, body: string): unknown {
    const list = (items: readonly unknown[]) => ({ items, next: null });
    const parts = path.split("/").slice(1);
    const [collection, id, part] = parts;
    if (collection === "status") return this.#status();
    if (collection === "tasks") {
      if (id === undefined) return list(this.#tasks.map((task) => this.#task(task)));
      const task = this.#tasks.find(({ slug }) => slug === id);
      return task ? this.#task(task) : null;
    }
    if (collection === "runs" && id === undefined) {
      const first = this.#setups[0];
      if (method === "POST")
        return first ? { ...this.#run(first), number: 8, launch: JSON.parse(body) } : null;
      return list(this.#setups.map((setup) => this.#run(setup)));
    }
    const setup = this.#setups.find(({ name }) => runId(name) === id);
    if (collection === "runs" && setup) {
      if (part === "rounds") return list(this.#rounds(setup));
      if (part === "events") return list(this.#events(setup));
      this.#act(setup, part);
      return this.#run(setup);
    }
    if (collection === "rounds") {
      for (const one of this.#setups) {
        const round = this.#rounds(one).find(({ roundId }) => roundId === id);
        if (round) return this.#detail(one, round);
      }
    }
    return null;
  }

  /** What a run's buttons do: a round that is open ends first, a run without one is paused or ends at once (R16). */
  #act(setup: Setup, part: string | undefined): void {
    const hasRound = setup.state === "running";
    const idle = { currentRound: null, waiting: null, queuedBehind: null, secondsLeft: null } as const;
    const acts: Readonly<Record<string, Partial<RunView>>> = {
      pause: hasRound ? { pausing: true } : { ...idle, state: "paused" },
      stop: hasRound
        ? { state: "stopping" }
        : { ...idle, state: "failed", code: "ABORTED_BY_OPERATOR", endedAt: new Date().toISOString() },
      resume: { state: "running", pausing: false },
    };
    const change = acts[part ?? ""];
    if (change !== undefined) this.#acts.set(runId(setup.name), change);
  }

  /** What the socket says this second. */
  tick(): [string, unknown][] {
    if (this.#atS !== null) return [];
    return this.#setups
      .filter(({ state }) => state === "running")
      .flatMap((setup): [string, unknown][] => {
        const run = this.#run(setup);
        return [
          ["run", run],
          ["round", run.currentRound],
        ];
      });
  }
}

const DEADLINES = {
  recruitingMs: 60_000,
  trainingMs: 120_000,
  sharingMs: 30_000,
  collectingMs: 60_000,
  confirmingMs: 30_000,
  unmaskingMs: 30_000,
  graceMs: 30_000,
};
const aggregation = (goal: number, cohortSizeMin: number) => ({
  strategy: { kind: "fedavg", serverLearningRate: 1 },
  goal,
  overSelection: 1,
  cohortSizeMin,
  cohortSizeMax: goal + 8,
  securityModel: "active",
  graph: "complete",
  deadlines: DEADLINES,
  clipNormL2: 1,
  weightCap: 1_000,
  ring: 32,
});
const dense = (name: string, units: number, activation: string) => ({
  className: "Dense",
  name,
  units,
  activation,
});
const training = {
  epochs: 2,
  batchSize: 16,
  optimizer: { kind: "sgd", learningRate: 0.15, momentum: 0 },
  proximalMu: 0,
};
const evaluation = { heldOutFraction: 0.2, localFraction: 0.2 };
const digitNames = Array.from({ length: 10 }, (_, digit) => String(digit));

const TASKS: Task[] = [
  {
    slug: "digits" as TaskSlug,
    version: 3,
    invitation: "Help a model read handwriting, and keep yours to yourself",
    learns: "which digit is drawn",
    exampleNoun: { one: "drawing", many: "drawings" },
    dataCard: "UCI optical digits, 8x8, 1,797 rows.",
    model: {
      format: "tfjs-layers",
      inputShape: [8, 8, 1],
      classCount: 10,
      layers: [
        { className: "Flatten", name: "flatten" },
        dense("hidden", 32, "relu"),
        dense("output", 10, "softmax"),
      ],
    },
    features: { kind: "image", height: 8, width: 8, range: [0, 16], classes: digitNames },
    training,
    aggregation: aggregation(8, 5),
    evaluation,
  },
  {
    slug: "hmda" as TaskSlug,
    version: 4,
    invitation: "Help a model learn who gets a mortgage",
    learns: "whether a loan is denied",
    exampleNoun: { one: "application", many: "applications" },
    dataCard: "Boston HMDA, 2,380 rows.",
    model: {
      format: "tfjs-layers",
      inputShape: [2],
      classCount: 2,
      layers: [dense("hidden", 16, "relu"), dense("output", 2, "softmax")],
    },
    features: {
      kind: "tabular",
      columns: [
        { name: "pirat", type: "numeric", range: [0, 3] },
        { name: "lvrat", type: "numeric", range: [0, 2] },
      ],
      label: { name: "deny" },
      classes: ["no", "yes"],
    },
    training,
    aggregation: aggregation(50, 20),
    evaluation,
  },
  {
    slug: "fashion-mnist" as TaskSlug,
    version: 1,
    invitation: "Help a model tell garments apart",
    learns: "which garment is shown",
    exampleNoun: { one: "picture", many: "pictures" },
    dataCard: "Fashion-MNIST, MIT licence.",
    model: {
      format: "tfjs-layers",
      inputShape: [28, 28, 1],
      classCount: 10,
      layers: [
        { className: "Flatten", name: "flatten" },
        dense("hidden", 128, "relu"),
        dense("output", 10, "softmax"),
      ],
    },
    features: { kind: "image", height: 28, width: 28, range: [0, 255], classes: digitNames },
    training,
    aggregation: aggregation(10, 10),
    evaluation,
  },
].map((task) => taskSchema.parse(task));
