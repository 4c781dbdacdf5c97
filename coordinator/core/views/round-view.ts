import type { Seat } from "#shared/kernel/places.ts";
import type { RoundDetail, RoundView, Traffic } from "#shared/protocol/api.ts";
import type { HashHex } from "#shared/protocol/ids.ts";
import { phaseDeadlineMs } from "#shared/round/deadline.ts";
import type { Publication } from "#shared/round/event.ts";
import type { evaluationOf } from "#shared/round/run.ts";
import { byShard, keptShards, neededInputs } from "#shared/round/shards.ts";
import { isLive, type RoundState, type Seated, wasOpened } from "#shared/round/state.ts";
import type { Measures } from "#shared/stats/measure.ts";
import { STANDING } from "../devices/standing.ts";
import type { RoundViews } from "../ports/store.ts";
import type { RunTerms } from "../tasks/terms.ts";

/** Null until the evaluation has ended, and for a round that has not committed. */
export type RoundEvaluation = ReturnType<typeof evaluationOf>;

export interface RoundViewSource {
  readonly state: RoundState;
  /** Milliseconds since the round opened. */
  readonly nowMs: number;
  /** Wall time of the event that ended the round; null while it lives. */
  readonly endedAtUnixMs: number | null;
  readonly traffic: readonly Traffic[];
  readonly terms: RunTerms;
  readonly runNumber: number;
  readonly evaluation: RoundEvaluation;
  /** Of its model; null if there is none or it is not known yet. */
  readonly version: number | null;
  /** Sessions of the newest attempt with rosters, in order of shard. */
  readonly sids: readonly string[];
}

/** Counts, times and sums, never a single device. */
export function roundViews(source: RoundViewSource): RoundViews {
  return { view: roundView(source), detail: roundDetail(source) };
}

/**
 * Figures of a round's model from central evaluation.
 *
 * @param published  Measures that publications in older logs hold themselves.
 */
export function figuresOf(
  published: Measures | null,
  evaluation: RoundEvaluation,
): Pick<RoundView, "measures" | "measuredOn" | "reportHash" | "notEvaluated"> {
  const { measuredOn, reportHash } = evaluation?.code === null ? evaluation : {};
  return {
    measures: evaluation?.measures ?? published,
    ...(measuredOn !== undefined && { measuredOn: measuredOn as HashHex }),
    ...(reportHash !== undefined && { reportHash: reportHash as HashHex }),
    notEvaluated: evaluation?.code ?? null,
  };
}

function roundView({
  state,
  nowMs,
  endedAtUnixMs,
  traffic,
  evaluation,
  version,
}: RoundViewSource): RoundView {
  const { facts } = state;
  const deadlineMs = phaseDeadlineMs(state);
  const counts = state.counts.at(-1);
  const publication = state.phase === "committed" ? state.publication : null;
  const ended = !isLive(state);
  const phaseEndsS: Record<string, number> = {};
  for (const [phase, endMs] of Object.entries(state.phaseEndsMs)) phaseEndsS[phase] = endMs / 1_000;
  return {
    roundId: facts.roundId as RoundView["roundId"],
    runId: facts.runId as RoundView["runId"],
    round: facts.round,
    attempt: state.attempt,
    phase: state.phase,
    code: state.phase === "voided" || state.phase === "failed" ? state.code : null,
    opened: wasOpened(state),
    openedAt: new Date(facts.openedAtUnixMs).toISOString(),
    // The wall clock may have been set back since.
    endedAt:
      ended && endedAtUnixMs !== null
        ? new Date(Math.max(endedAtUnixMs, facts.openedAtUnixMs)).toISOString()
        : null,
    nowS: (ended ? state.nowMs : Math.max(nowMs, state.nowMs)) / 1_000,
    deadlineS: deadlineMs === null ? null : deadlineMs / 1_000,
    phaseEndsS,
    joined: counts?.joined ?? 0,
    ...askedLast(state),
    trained: counts?.trained ?? 0,
    advertised: "roster" in state ? state.roster.length : null,
    shared: "u2" in state ? state.u2.length : null,
    survivors: "u3" in state ? state.u3.length : null,
    sent: "inputs" in state ? state.inputs.size : state.phase === "failed" ? (counts?.sent ?? 0) : 0,
    left: counts?.left ?? 0,
    ...openingCounts(state),
    threshold: "shards" in state ? neededInputs(state) : null,
    ...shardCounts(state),
    goal: facts.rules.goal,
    counts: [...state.counts],
    traffic: [...traffic],
    parentModelHash: facts.parentModelHash as RoundView["parentModelHash"],
    modelHash: (publication?.modelHash ?? null) as RoundView["modelHash"],
    ...(version !== null && { version }),
    ...figuresOf(publication?.metrics.measures ?? null, evaluation),
    deviceMeasures: publication?.metrics.deviceMeasures ?? { before: {}, after: {} },
    updateNormL2: publication?.metrics.updateNormL2 ?? null,
  };
}

function askedLast({ members }: RoundState): Pick<RoundView, "askedLast"> {
  let devices = 0;
  members.forEach((member) => {
    if (member.askedLast) devices++;
  });
  const { departures, minutes } = STANDING;
  return devices === 0 ? {} : { askedLast: { devices, departures, minutes } };
}

function shardCounts(state: RoundState): Pick<RoundView, "shards"> {
  if (state.shardCount === 1) return {};
  const leftOut = "shards" in state ? state.shardCount - keptShards(state).length : 0;
  return { shards: { count: state.shardCount, leftOut } };
}

function shardList(
  state: Extract<RoundState, Seated>,
  sids: readonly string[],
): NonNullable<RoundDetail["shardList"]> {
  const within = (name: "u2" | "u3") => {
    const bySet = new Map<number, number>();
    const seats =
      name in state ? (state as Readonly<Partial<Record<"u2" | "u3", readonly Seat[]>>>)[name] : null;
    for (const { shard, seats: own } of byShard(state, seats ?? [])) bySet.set(shard.shard, own.length);
    return (shard: number) => (seats == null ? null : (bySet.get(shard) ?? null));
  };
  const [shared, survivors] = [within("u2"), within("u3")];
  return Array.from({ length: state.shardCount }, (_, number) => {
    const index = state.shards.findIndex(({ shard }) => shard === number);
    const shard = state.shards[index];
    return {
      shard: number,
      sid: (sids[index] ?? null) as RoundDetail["sid"],
      advertised: shard?.thresholds.rosterSize ?? null,
      shared: shared(number),
      survivors: survivors(number),
      threshold: shard?.thresholds.q ?? null,
      leftOut: shard === undefined ? "COHORT_TOO_SMALL" : shard.leftOut,
    };
  });
}

function openingCounts(state: RoundState): { readonly confirmed: number; readonly unmasked: number } {
  switch (state.phase) {
    case "confirming":
      return { confirmed: state.confirmations.size, unmasked: 0 };
    case "unmasking":
      return { confirmed: state.confirmations.size, unmasked: state.responses.size };
    case "committed":
    case "voided":
      return { confirmed: state.confirmedCount, unmasked: state.unmaskedCount };
    default:
      return { confirmed: 0, unmasked: 0 };
  }
}

function roundDetail({ state, terms, runNumber, sids }: RoundViewSource): RoundViews["detail"] {
  const publication = state.phase === "committed" ? state.publication : null;
  const { facts } = state;
  return {
    task: terms.config.task,
    taskVersion: terms.config.taskVersion,
    runNumber,
    configHash: facts.configHash as RoundDetail["configHash"],
    roundHash: state.facts.roundHash as RoundDetail["roundHash"],
    sid: (sids[0] ?? null) as RoundDetail["sid"],
    sumHash: (publication?.sumHash ?? null) as RoundDetail["sumHash"],
    sumByteCount: publication?.sumByteCount ?? null,
    weightSum: publication?.weightSum ?? null,
    inputsRoot: (publication?.inputsRoot ?? null) as RoundDetail["inputsRoot"],
    ...(publication === null ? {} : transcriptView(publication, terms)),
    ...("shards" in state && state.shardCount > 1 ? { shardList: shardList(state, sids) } : {}),
    aggregation: terms.task.aggregation,
  };
}

function transcriptView(
  { transcript, strategyStateHash, inputsRoot, shards }: Publication,
  { strategySpec }: RunTerms,
): Pick<RoundDetail, "transcript"> {
  if (transcript === null) return {};
  return {
    transcript: {
      hash: transcript.hash as HashHex,
      sessions: transcript.sessions.map(({ shard, hash }) => {
        const root = shards?.find((one) => one.shard === shard)?.inputsRoot ?? inputsRoot;
        return { shard, hash: hash as HashHex, inputsRoot: root as HashHex };
      }),
      strategy: strategySpec,
      parentStateHash: transcript.parentStateHash as HashHex | null,
      strategyStateHash: strategyStateHash as HashHex | null,
    },
  };
}
