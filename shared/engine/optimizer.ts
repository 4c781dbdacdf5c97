import * as tf from "@tensorflow/tfjs-core";
import type { TrainingPlan } from "../task/training-plan.ts";

/** Moves variables along their gradients. Holds tensors of its own until `dispose`. */
export interface Optimizer {
  /** Takes one gradient for each variable. Call it inside tf.tidy. */
  apply(variables: readonly tf.Variable[], gradients: readonly tf.Tensor[]): void;
  dispose(): void;
}

/** Momentum: v <- momentum v + g, w <- w - rate v. Adam: Kingma and Ba 2015 with beta 0.9 and 0.999. */
export function optimizerOf(plan: TrainingPlan): Optimizer {
  if (plan.optimizer.kind === "sgd") return sgd(plan.optimizer.learningRate, plan.optimizer.momentum);
  const adam = tf.train.adam(plan.optimizer.learningRate);
  return {
    apply: (variables, gradients) => {
      adam.applyGradients(
        variables.map(({ name }, index) => ({ name, tensor: gradients[index] as tf.Tensor })),
      );
    },
    dispose: () => adam.dispose(),
  };
}

/** Replaces the momentum optimizer of tfjs, which leaks one tensor on `dispose`. */
function sgd(learningRate: number, momentum: number): Optimizer {
  const velocities: tf.Variable[] = [];
  return {
    apply(variables, gradients) {
      for (const [index, variable] of variables.entries()) {
        const gradient = gradients[index] as tf.Tensor;
        if (momentum === 0) {
          variable.assign(tf.sub(variable, tf.mul(gradient, learningRate)));
          continue;
        }
        const velocity = velocities[index];
        if (velocity === undefined) velocities.push(tf.variable(gradient, false));
        else velocity.assign(tf.add(tf.mul(velocity, momentum), gradient));
        variable.assign(tf.sub(variable, tf.mul(velocities[index] as tf.Variable, learningRate)));
      }
    },
    dispose() {
      for (const velocity of velocities) velocity.dispose();
    },
  };
}
