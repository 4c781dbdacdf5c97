import { modelFromBytes, modelToBytes } from "#shared/codec/model-bytes.ts";
import type { TensorLayout } from "#shared/codec/tensors.ts";
import { assert } from "#shared/kernel/assert.ts";
import { type Bytes, concatBytes, u32be } from "#shared/kernel/bytes.ts";
import type { Primitives } from "#shared/kernel/ports.ts";
import { release } from "#shared/kernel/release.ts";
import { strategyOf } from "#shared/strategy/index.ts";
import { initialModel } from "#shared/strategy/initialize.ts";
import { nextModel } from "#shared/strategy/next-model.ts";
import { strategyStateFromBytes, strategyStateToBytes } from "#shared/strategy/state-bytes.ts";
import type { Strategy, StrategyState } from "#shared/strategy/strategy.ts";
import { voidStep } from "#shared/strategy/void-step.ts";
import { modelTensors } from "#shared/task/model.ts";
import { layoutOf } from "#shared/vector/task-layout.ts";
import type { MadeModel, ModelJob, NextModelJob } from "../ports/model-job.ts";

export async function makeModel(primitives: Primitives, job: ModelJob): Promise<MadeModel> {
  const tensors = modelTensors(job.task.model);
  switch (job.kind) {
    case "initial": {
      const seed = concatBytes([new Uint8Array(28), u32be(job.seed)]);
      return made(modelToBytes(tensors, await initialModel(primitives, tensors, seed)));
    }
    case "void-step": {
      const weights = weightsOf(tensors, job.modelBytes);
      return made(modelToBytes(tensors, await voidStep(primitives, weights, job.runId, job.round)));
    }
    case "next":
      return makeNext(primitives, tensors, job);
  }
}

const made = (modelBytes: Bytes): MadeModel => ({ modelBytes, stateBytes: null, updateNormL2: 0 });

async function makeNext(
  primitives: Primitives,
  tensors: TensorLayout,
  job: NextModelJob,
): Promise<MadeModel> {
  const { task, stateBytes, modelBytes, runId, round, coordinateSum, weightSum } = job;
  const strategy = strategyOf(job.strategy);
  const layout = layoutOf(task, job.roundParams.purpose, job.roundParams);
  const before = stateOf(strategy, tensors, stateBytes);
  const parent = weightsOf(tensors, modelBytes);
  const sums = { runId, round, coordinateSum, weightSum };
  const next = await nextModel(primitives, layout, strategy, before, parent, sums);
  if (!next.model.every(Number.isFinite)) return { modelBytes: null, stateBytes: null, updateNormL2: 0 };
  const result: MadeModel = {
    modelBytes: modelToBytes(tensors, next.model),
    stateBytes: Object.keys(next.state).length === 0 ? null : strategyStateToBytes(strategy, next.state),
    updateNormL2: norm(next.mean),
  };
  release(parent, next.model, next.mean, ...Object.values(next.state));
  return result;
}

function weightsOf(tensors: TensorLayout, bytes: Bytes): Float32Array<ArrayBuffer> {
  const weights = modelFromBytes(tensors, bytes);
  assert(weights.ok, "a model has the tensors of its task");
  release(bytes);
  return weights.value;
}

function stateOf(strategy: Strategy, { parameterCount }: TensorLayout, bytes: Bytes | null): StrategyState {
  if (bytes === null) return strategy.initialState(parameterCount);
  const state = strategyStateFromBytes(strategy, parameterCount, bytes);
  assert(state.ok, `a state is one of ${strategy.name}`);
  return state.value;
}

function norm(values: Float64Array): number {
  let squares = 0;
  for (const value of values) squares += value * value;
  return Math.sqrt(squares);
}
