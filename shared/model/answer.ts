import type { LayerSpec } from "../layers/table.ts";
import type { Features } from "../task/features.ts";

/** What a model is to answer: one of so many classes, or a number if `classCount` is null. */
export interface Answer {
  readonly classCount: number | null;
}

export function answerOf({ classes }: Pick<Features, "classes">): Answer {
  return { classCount: classes?.length ?? null };
}

/** The part of a model's spec that says so. */
export function answerFields({ classCount }: Answer): { readonly classCount?: number } {
  return classCount === null ? {} : { classCount };
}

/** The last layer of a model that answers. Two classes need one output only. */
export function answerLayer({ classCount }: Answer): LayerSpec {
  const [units, activation] =
    classCount === null
      ? ([1, "linear"] as const)
      : classCount === 2
        ? ([1, "sigmoid"] as const)
        : ([classCount, "softmax"] as const);
  return { className: "Dense", name: classCount === null ? "number" : "classes", units, activation };
}
