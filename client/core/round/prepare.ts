import { normL2 } from "#shared/codec/quantize.ts";
import { assert } from "#shared/kernel/assert.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { type ErrorCode, type WireError, wireError } from "#shared/protocol/errors.ts";
import type { CoordinatorMessageOf } from "#shared/protocol/messages/coordinator.ts";
import { acceptInvitation } from "#shared/secagg/client.ts";
import type { Idle } from "#shared/secagg/client-state.ts";
import { staysWithinPlan } from "#shared/task/training-plan.ts";
import type { LoadedModel } from "../model-cache.ts";
import { pause } from "../pause.ts";
import type { TrainError, Trained } from "../ports.ts";
import type { PartContext } from "./context.ts";
import { AGAIN_MS } from "./delivery.ts";
import { demandRound } from "./demand-log.ts";
import type { RoundProgress } from "./progress.ts";

export interface Prepared {
  readonly idle: Idle;
  readonly trained: Trained;
}

/**
 * Everything before R0: whether this device may take part at all, the model download, the check of the round's rules
 * against the agreed ones, and the training. This is the long part, and no masked set waits for it.
 *
 * Errors: `NOT_LOGGED`, `LOG_CONTRADICTED`, `BUDGET`, `REPLAY`, `ALREADY_REVEALED`, `CONFIG`, `NON_FINITE_UPDATE`, `ENGINE_LOST`, `NO_ENGINE`, or the
 * coordinator's refusal of the model; `retry` says whether this device may take part in another round.
 */
export async function prepareRound(
  context: PartContext,
  invite: CoordinatorMessageOf<"invite">,
  progress: RoundProgress,
  signal: AbortSignal,
): Promise<Result<Prepared, WireError>> {
  const { ports, task, data, expectedConfig, roundsMax } = context;
  const deadlineMs = ports.clock.nowMs() + invite.deadlineInMs;
  if ((await ports.memory.participations(task.slug)) >= roundsMax) return declineRound("BUDGET");
  // Check before training: a device that already took part in this attempt, before a reload, would train for nothing.
  const allowed = await ports.memory.check(
    { ...invite, noised: expectedConfig.dp !== null },
    invite.modelHash,
  );
  if (!allowed.ok) return declineRound(allowed.error);
  const { training } = invite.roundParams;
  if (!staysWithinPlan(task.training, training)) return declineRound("CONFIG");
  // Before anything is fetched: a coordinator that shows this device something else than its log gets nothing from it.
  const logged = await demandRound(context, invite);
  if (!logged.ok) return logged;
  const model = await download(context, invite, progress, signal);
  if (!model.ok) return model;
  const idle = await acceptInvitation(
    ports.primitives,
    invite,
    expectedConfig,
    model.value.hash,
    ports.signer.publicKey,
    logged.value,
  );
  if (!idle.ok) return declineRound(idle.error);
  const rows = await data();
  assert(rows.train.count > 0, "a device without rows does not check in");
  progress.enter("training");
  const shuffleSeed = new DataView(ports.random(4).buffer).getUint32(0);
  const job = { task, plan: training, weights: model.value.weights, ...rows, shuffleSeed, deadlineMs };
  const trained = await ports.trainer.train(job, progress.trainingReporter(training.epochs), signal);
  if (!trained.ok) return declineRound(TRAINING_CODES[trained.error.type]);
  if (!Number.isFinite(normL2(trained.value.delta))) return declineRound("NON_FINITE_UPDATE");
  return ok({ idle: idle.value, trained: trained.value });
}

const TRAINING_CODES = {
  cancelled: "STATE",
  "engine-lost": "ENGINE_LOST",
  "no-engine": "NO_ENGINE",
} as const satisfies Record<TrainError["type"], ErrorCode>;

function declineRound(code: ErrorCode): Result<never, WireError> {
  return err(wireError(code));
}

/** Retries until the part is over or the answer is final. */
async function download(
  { ports, models, online }: PartContext,
  { modelHash, modelByteCount }: CoordinatorMessageOf<"invite">,
  progress: RoundProgress,
  signal: AbortSignal,
): Promise<Result<LoadedModel, WireError>> {
  for (let tries = 1; ; tries++) {
    const onProgress = (doneByteCount: number) =>
      progress.show({ download: { doneByteCount, byteCount: modelByteCount, tries } });
    const model = await models.fetch(modelHash, onProgress, signal);
    if (model.ok) return model;
    if (model.error.type === "damaged") return declineRound("CONFIG");
    if (signal.aborted) return declineRound("UNAVAILABLE");
    // This model is refused for good, but another round has another model.
    if (model.error.type === "refused" && model.error.error.retry === "never")
      return err({ ...model.error.error, retry: "later" });
    progress.show({ download: { doneByteCount: 0, byteCount: modelByteCount, tries: tries + 1 } });
    await pause(ports.after, AGAIN_MS, signal);
    await online(signal);
  }
}
