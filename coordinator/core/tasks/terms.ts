import type { TensorLayout } from "#shared/codec/tensors.ts";
import { assert } from "#shared/kernel/assert.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import type { RoundRules } from "#shared/round/event.ts";
import { configHash, roundHash } from "#shared/secagg/attempt.ts";
import type { StrategySpec } from "#shared/strategy/index.ts";
import { strategyOf } from "#shared/strategy/index.ts";
import type { Strategy } from "#shared/strategy/strategy.ts";
import { type Authority, agreedConfigOf, NO_LOG_KEY } from "#shared/task/agreed-config.ts";
import type { AgreedConfig } from "#shared/task/config.ts";
import { modelTensors } from "#shared/task/model.ts";
import type { RoundParams } from "#shared/task/round-params.ts";
import type { Task } from "#shared/task/task.ts";
import { staysWithinPlan, type TrainingPlan } from "#shared/task/training-plan.ts";
import type { VectorLayout } from "#shared/vector/layout.ts";
import { layoutOf } from "#shared/vector/task-layout.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";

/** What a run's rounds need that follows from the task and the launch. */
export interface RunTerms {
  readonly task: Task;
  readonly config: AgreedConfig;
  readonly configHash: string;
  readonly roundParams: RoundParams;
  readonly roundHash: string;
  /** Rules of each round. Its shortest recruiting time follows when it opens. */
  readonly rules: Omit<RoundRules, "recruitingMinMs" | "seatsByArrival">;
  readonly layout: VectorLayout;
  readonly tensors: TensorLayout;
  readonly strategy: Strategy;
  readonly strategySpec: StrategySpec;
}

/** What follows from the coordinator itself. */
export type TermsPorts = Pick<
  CoordinatorPorts,
  "primitives" | "projectId" | "codeVersion" | "issuer" | "publicLog"
>;

/** Everything that devices agree to besides the task. */
export function authorityOf({
  projectId,
  codeVersion,
  issuer,
  publicLog,
}: Omit<TermsPorts, "primitives">): Authority {
  const issuerKey = bytesToHex(issuer.publicKey);
  if (publicLog == null) return { projectId, codeVersion, issuerKey, logKey: NO_LOG_KEY };
  const { publicKey, origin: logOrigin } = publicLog.key;
  return { projectId, codeVersion, issuerKey, logKey: bytesToHex(publicKey), logOrigin };
}

/** @param launch  Training plan and strategy of the launch, or the task's. */
export async function runTerms(
  ports: TermsPorts,
  task: Task,
  launch: { readonly training: TrainingPlan; readonly strategy: StrategySpec },
): Promise<RunTerms> {
  const config = await agreedConfigOf(ports.primitives, task, authorityOf(ports));
  const strategy = strategyOf(launch.strategy);
  const roundParams = strategy.clientPlan({ purpose: "train", training: launch.training });
  assert(
    staysWithinPlan(task.training, roundParams.training),
    "a strategy asks for no more than was agreed to",
  );
  const { goal, overSelection, cohortSizeMin, cohortSizeMax, securityModel, deadlines } = task.aggregation;
  return {
    task,
    config,
    configHash: bytesToHex(await configHash(ports.primitives, config)),
    roundParams,
    roundHash: bytesToHex(await roundHash(ports.primitives, roundParams)),
    rules: {
      goal,
      overSelection,
      cohortSizeMin,
      cohortSizeMax,
      securityModel,
      deadlines,
      graph: config.graph,
    },
    layout: layoutOf(task, roundParams.purpose, roundParams),
    tensors: modelTensors(task.model),
    strategy,
    strategySpec: launch.strategy,
  };
}
