import * as tf from "@tensorflow/tfjs-core";
import type { TrainingPlan } from "../task/task.ts";

/** Moves variables along their gradients; holds tensors of its own until it is disposed of. */
export interface Optimizer {
  /** `grads` by variable name. Call it inside tf.tidy. */
  apply(variables: readonly tf.Variable[], grads: Record<string, tf.Tensor>): void;
  dispose(): void;
}

/** Momentum: v <- momentum v + g, w <- w - rate v. Adam: Kingma and Ba 2015 with beta 0.9 and 0.999. */
export function optimizerOf(plan: TrainingPlan): Optimizer {
  if (plan.optimizer.kind === "sgd") return sgd(plan.optimizer.learningRate, plan.optimizer.momentum);
  const adam = tf.train.adam(plan.optimizer.learningRate);
  return {
    apply: (_variables, grads) => {
      adam.applyGradients(Object.entries(grads).map(([name, tensor]) => ({ name, tensor })));
    },
    dispose: () => adam.dispose(),
  };
}

/** Own, since tfjs' momentum optimizer keeps one tensor when it is disposed of. */
function sgd(learningRate: number, momentum: number): Optimizer {
  const velocityByName = new Map<string, tf.Variable>();
  return {
    apply(variables, grads) {
      for (const variable of variables) {
        const gradient = grads[variable.name];
        if (gradient === undefined) continue;
        if (momentum === 0) {
          variable.assign(tf.sub(variable, tf.mul(gradient, learningRate)));
          continue;
        }
        let velocity = velocityByName.get(variable.name);
        if (velocity === undefined) {
          velocity = tf.variable(gradient, false);
          velocityByName.set(variable.name, velocity);
        } else {
          velocity.assign(tf.add(tf.mul(velocity, momentum), gradient));
        }
        variable.assign(tf.sub(variable, tf.mul(velocity, learningRate)));
      }
    },
    dispose() {
      for (const velocity of velocityByName.values()) velocity.dispose();
    },
  };
}
