import { createHash } from "node:crypto";
import type { Counts, Phase, RoundDetail, RoundView, RunView, Traffic } from "#shared/protocol/api.ts";
import type { HashHex, RoundId, RunId } from "#shared/protocol/ids.ts";
import { TIMED_PHASES } from "#shared/round/phases.ts";
import { deviceMeasuresFrom, measuresFrom } from "#shared/task/measures/index.ts";
import type { Task } from "#shared/task/task.ts";

/* The rounds of made-up runs. The figures are smooth curves with seeded noise and mean nothing. */

export const hash = (text: string): HashHex => createHash("sha256").update(text).digest("hex") as HashHex;
export const runId = (text: string): RunId => hash(`run ${text}`).slice(0, 32) as RunId;

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

/** A round of `devices` devices, about `endS` seconds long. */
function script(seed: number, devices: number, endS: number, fails = false): Script {
  const random = seeded(seed);
  const sorted = (count: number, from: number, to: number) =>
    Array.from({ length: count }, () => from + ((to - from) * (random() + random())) / 2).toSorted(
      (a, b) => a - b,
    );
  const leavers = Math.round(devices * (fails ? 0.4 : 0.15) * random() + (fails ? devices * 0.2 : 0));
  const stay = devices - leavers;
  const least = Math.min(3, devices);
  const shared = Math.max(least, devices - Math.ceil(leavers / 2));
  const threshold = Math.max(Math.floor((2 * shared) / 3) + 1, least);
  const sentCount = fails ? Math.max(0, threshold - 2) : Math.max(threshold, stay);
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
    goal: Math.max(least, Math.floor(devices / 1.3)),
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

export interface Setup {
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
  /** The second at which a person stops the round after `done`. */
  readonly stopsAtS?: number;
  /** Freezes the live round at this second. */
  readonly atS?: number;
}

export const curve = (from: number, to: number, pace: number) => (round: number) =>
  to - (to - from) * Math.exp(-round / pace);

/** The made-up tasks put things into classes. */
export const CLASSES = { kind: "classes", classes: [..."0123456789"] } as const;

/** Sums over the rows of a model that is right for `share` of them. */
export function sumsOf(share: number, rows: number) {
  const loss = 2.4 * (1 - share);
  return {
    count: rows,
    correct: share * rows,
    lossSum: loss * rows,
    lossSquareSum: (loss ** 2 + 0.4) * rows,
  };
}

/** A round of a run at second `nowS`. */
export function roundView(run: Setup, round: number, atS: number): RoundView {
  const plan = script(round * 7 + run.number, run.devices, run.roundS, run.failsAt === round);
  const stopsAtS = round > run.done ? run.stopsAtS : undefined;
  const nowS = stopsAtS ?? atS;
  const phase = stopsAtS === undefined ? phaseAt(plan, nowS) : "failed";
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
  const agreed = Math.max(last.sent, run.devices - 1);
  const opened = new Date(Date.now() - nowS * 1_000).toISOString();
  return {
    roundId: hash(`round ${run.name} ${round}`).slice(0, 32) as RoundId,
    runId: runId(run.name),
    round,
    attempt: 1,
    phase,
    code: stopsAtS !== undefined ? "ABORTED_BY_OPERATOR" : phase === "failed" ? "U3_BELOW_T" : null,
    opened: committed,
    openedAt: opened,
    endedAt: ended ? new Date().toISOString() : null,
    nowS: ended && stopsAtS === undefined ? (plan.ends.unmasking ?? nowS) : nowS,
    deadlineS: ended ? null : (plan.ends[phase] ?? 0) + 20,
    phaseEndsS,
    joined: last.joined,
    trained: last.trained,
    advertised: past("advertising") ? agreed : null,
    shared: past("sharing") ? agreed : null,
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
    measures: committed ? measuresFrom(sumsOf(share, run.rows), CLASSES) : null,
    deviceMeasures: committed
      ? deviceMeasuresFrom(
          {
            before: sumsOf(run.accuracy(round - 1) * 0.98, run.devices * 16),
            after: sumsOf(Math.min(0.99, share * 1.02), run.devices * 16),
          },
          CLASSES,
        )
      : { before: {}, after: {} },
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

/** A large round in groups of about 96; in one of them too few shared keys. */
export function groups({ round }: RoundView): NonNullable<RoundDetail["shardList"]> {
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
