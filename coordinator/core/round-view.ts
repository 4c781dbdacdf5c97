import type { RoundDetail, RoundView, Traffic } from "#shared/protocol/api.ts";
import type { HashHex } from "#shared/protocol/ids.ts";
import { phaseDeadlineMs } from "#shared/round/deadline.ts";
import type { Publication } from "#shared/round/event.ts";
import { isLive, type RoundState, wasOpened } from "#shared/round/state.ts";
import type { RunTerms } from "./terms.ts";

/** What a round's row keeps for readers. */
export interface RoundViews {
  readonly view: RoundView;
  readonly detail: Omit<RoundDetail, keyof RoundView | "events">;
}

export interface RoundViewSource {
  readonly state: RoundState;
  /** Milliseconds since the round opened. */
  readonly nowMs: number;
  /** Wall time of the event that ended it; null while it lives. */
  readonly endedAtUnixMs: number | null;
  readonly traffic: readonly Traffic[];
  readonly terms: RunTerms;
  readonly runNumber: number;
  /** Of the newest attempt that has a roster. */
  readonly sid: string | null;
}

/** Counts, times and sums; never a device. */
export function roundViews(source: RoundViewSource): RoundViews {
  return { view: roundView(source), detail: roundDetail(source) };
}

function roundView({ state, nowMs, endedAtUnixMs, traffic }: RoundViewSource): RoundView {
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
    endedAt: ended && endedAtUnixMs !== null ? new Date(endedAtUnixMs).toISOString() : null,
    nowS: (ended ? state.nowMs : Math.max(nowMs, state.nowMs)) / 1_000,
    deadlineS: deadlineMs === null ? null : deadlineMs / 1_000,
    phaseEndsS,
    joined: counts?.joined ?? 0,
    trained: counts?.trained ?? 0,
    advertised: "roster" in state ? state.roster.length : null,
    shared: "u2" in state ? state.u2.length : null,
    survivors: "u3" in state ? state.u3.length : null,
    sent: "inputs" in state ? state.inputs.size : state.phase === "failed" ? (counts?.sent ?? 0) : 0,
    left: counts?.left ?? 0,
    ...openingCounts(state),
    threshold: "roster" in state ? state.thresholds.q : null,
    goal: facts.rules.goal,
    counts: [...state.counts],
    traffic: [...traffic],
    parentModelHash: facts.parentModelHash as RoundView["parentModelHash"],
    modelHash: (publication?.modelHash ?? null) as RoundView["modelHash"],
    accuracy: publication?.metrics.accuracy ?? null,
    loss: publication?.metrics.loss ?? null,
    deviceAccuracyBefore: publication?.metrics.deviceAccuracyBefore ?? null,
    deviceAccuracyAfter: publication?.metrics.deviceAccuracyAfter ?? null,
    updateNormL2: publication?.metrics.updateNormL2 ?? null,
  };
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

function roundDetail({ state, terms, runNumber, sid }: RoundViewSource): RoundViews["detail"] {
  const publication = state.phase === "committed" ? state.publication : null;
  const { facts } = state;
  return {
    task: terms.config.task,
    taskVersion: terms.config.taskVersion,
    runNumber,
    configHash: facts.configHash as RoundDetail["configHash"],
    roundHash: facts.roundHash as RoundDetail["roundHash"],
    sid: sid as RoundDetail["sid"],
    sumHash: (publication?.sumHash ?? null) as RoundDetail["sumHash"],
    sumByteCount: publication?.sumByteCount ?? null,
    weightSum: publication?.weightSum ?? null,
    inputsRoot: (publication?.inputsRoot ?? null) as RoundDetail["inputsRoot"],
    ...(publication === null ? {} : transcriptView(publication, terms)),
    aggregation: terms.task.aggregation,
  };
}

function transcriptView(
  { transcript, strategyStateHash }: Publication,
  { strategySpec }: RunTerms,
): Pick<RoundDetail, "transcript"> {
  if (transcript === undefined) return {};
  return {
    transcript: {
      hash: transcript.hash as HashHex,
      sessions: transcript.sessions.map(({ shard, hash }) => ({ shard, hash: hash as HashHex })),
      strategy: strategySpec,
      parentStateHash: transcript.parentStateHash as HashHex | null,
      strategyStateHash: strategyStateHash as HashHex | null,
    },
  };
}
