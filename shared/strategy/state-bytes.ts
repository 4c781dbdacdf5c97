import { decodeSafetensors, encodeSafetensors } from "../codec/safetensors.ts";
import { assert } from "../kernel/assert.ts";
import type { Bytes } from "../kernel/bytes.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import type { Strategy, StrategyState } from "./strategy.ts";

/** A strategy's state as canonical safetensors, with the strategy's name in the metadata. */
export function strategyStateToBytes(strategy: Strategy, state: StrategyState): Bytes {
  const tensors = new Map(
    Object.entries(state).map(([name, data]) => [name, { shape: [data.length], data }]),
  );
  return encodeSafetensors({ tensors, metadata: { strategy: strategy.name } });
}

/** Error: `wrong-state` if the bytes are not a state of this strategy for `parameterCount` weights. */
export function strategyStateFromBytes(
  strategy: Strategy,
  parameterCount: number,
  bytes: Bytes,
): Result<StrategyState, StateError> {
  assert(Number.isSafeInteger(parameterCount) && parameterCount >= 1, "a model has weights");
  const file = decodeSafetensors(bytes);
  if (!file.ok || file.value.metadata["strategy"] !== strategy.name) return err({ type: "wrong-state" });
  const { tensors } = file.value;
  const names = Object.keys(strategy.initialState(1));
  if (tensors.size !== names.length) return err({ type: "wrong-state" });
  const state: Record<string, Float32Array<ArrayBuffer>> = {};
  for (const name of names) {
    const data = tensors.get(name)?.data;
    if (data?.length !== parameterCount) return err({ type: "wrong-state" });
    state[name] = data;
  }
  return ok(state);
}

export type StateError = { readonly type: "wrong-state" };
