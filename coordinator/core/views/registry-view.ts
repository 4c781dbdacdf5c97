import { ALIASES } from "#shared/protocol/aliases.ts";
import type { TaskView } from "#shared/protocol/api.ts";
import { type WireError, wireError } from "#shared/protocol/errors.ts";
import type { HashHex } from "#shared/protocol/ids.ts";
import type { InUse } from "#shared/protocol/in-use.ts";
import type { AliasView, Decision, GateReport, ModelVersionView } from "#shared/protocol/registry.ts";
import type { RegistryEvent } from "#shared/registry/log.ts";
import { registrySentence, shutReasons } from "#shared/registry/sentences.ts";
import { allOpen, type GateResult } from "#shared/task/gates/index.ts";
import type { AliasRow, JudgedVersion, ModelInUse, NumberedModel } from "../ports/registry-store.ts";
import type { NewestModel } from "../ports/store.ts";

/** What a task's view says of the model that its devices predict with. */
export function servedView(
  newest: NewestModel | null,
  inUse: ModelInUse | null,
): Pick<TaskView, "inUse" | "measures" | "measuredOn" | "latestModelHash"> {
  const shown: InUse | null = inUse && { ...madeView(inUse.model), alias: inUse.alias };
  // The newest model has no figures for a while after its round, and those of the one before it still tell something.
  const { measures = null, measuredOn } = (shown?.alias === null ? newest : shown) ?? {};
  return {
    inUse: shown,
    measures,
    ...(measuredOn !== undefined && { measuredOn: measuredOn as HashHex }),
    latestModelHash: ((shown ?? newest)?.modelHash as HashHex | null | undefined) ?? null,
  };
}

export function modelVersionView(model: NumberedModel, aliases: readonly AliasRow[]): ModelVersionView {
  const { task, number, parentHash, metrics, isCandidate, runState, madeAt } = model;
  return {
    ...madeView(model),
    task: task as ModelVersionView["task"],
    parentModelHash: parentHash as HashHex | null,
    aliases: ALIASES.filter((alias) => aliases.some((row) => row.alias === alias && row.number === number)),
    isCandidate,
    runState,
    cohortSize: metrics?.survivors ?? null,
    deviceMeasures: metrics?.deviceMeasures ?? { before: {}, after: {} },
    updateNormL2: metrics?.updateNormL2 ?? null,
    ...(metrics?.reportHash !== undefined && { reportHash: metrics.reportHash }),
    madeAt: new Date(madeAt).toISOString(),
  };
}

/** Every alias, in the order of the list. */
export function aliasViews(rows: readonly AliasRow[]): AliasView[] {
  return ALIASES.map((alias) => {
    const row = rows.find((one) => one.alias === alias);
    if (row === undefined) return { alias, version: null, movedAt: null, movedBy: null };
    const { number, movedAt, movedBy } = row;
    return { alias, version: number, movedAt: new Date(movedAt).toISOString(), movedBy };
  });
}

function madeView({
  number,
  taskVersion,
  runId,
  runNumber,
  round,
  modelHash,
  metrics,
}: NumberedModel): Omit<InUse, "alias"> {
  return {
    version: number,
    taskVersion: taskVersion as InUse["taskVersion"],
    runId: runId as InUse["runId"],
    runNumber,
    round,
    modelHash: modelHash as HashHex,
    measures: metrics?.measures ?? null,
    ...(metrics?.measuredOn !== undefined && { measuredOn: metrics.measuredOn }),
  };
}

export function gateReportView({ version, champion, rules, gates }: JudgedVersion): GateReport {
  return {
    version,
    champion,
    open: allOpen(gates),
    promoteByItself: rules.promoteByItself,
    gates: shutFirst(gates),
  };
}

/** Shut gates first, then those that cannot be told. */
function shutFirst(gates: readonly GateResult[]): GateResult[] {
  const order: readonly GateResult["state"][] = ["shut", "cannot-tell", "open"];
  return gates
    .toSorted((one, other) => order.indexOf(one.state) - order.indexOf(other.state))
    .map((gate) => ({ ...gate }));
}

/** What an event decided about a version; null if it is about another, or moved a free alias. */
export function decisionView(event: RegistryEvent, at: number, version: number): Decision | null {
  if (event.type === "alias-moved" || event.to !== version) return null;
  return {
    at: new Date(at).toISOString(),
    outcome: event.type,
    from: event.from,
    sentence: registrySentence(event),
    gates: event.type === "rolled-back" ? [] : shutFirst(event.gates),
  };
}

/** The refusal of a promotion, with each gate that is not open. */
export function gatesShut({ version, gates }: JudgedVersion): WireError {
  const shut = gates.flatMap(({ state, reason }, index) =>
    state === "open" ? [] : [{ path: `gates.${index}`, sentence: reason }],
  );
  const message = `Version ${version} is not put in use, and the one in use stays. ${shutReasons(gates)} Two admins together can decide otherwise.`;
  return { ...wireError("GATES_SHUT", message), fields: shut };
}
