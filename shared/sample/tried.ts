import { canonicalJson, type Json } from "../codec/canonical-json.ts";
import type { Task } from "../task/task.ts";

/**
 * Equal for drafts that a trial cannot tell apart: the same model, training and numbers from the same rows. Words of the
 * task, its cohort and its deadlines do not matter.
 */
export function triedKey({ model, training, features }: Task): string {
  return canonicalJson({ model, training, features: withoutWords(features) } as unknown as Json);
}

function withoutWords(features: Task["features"]): object {
  if (features.kind === "image") return features;
  const { title: _t, description: _d, ...label } = features.label;
  if (features.kind === "series") {
    const channels = features.channels.map(({ title: _t, unit: _u, ...channel }) => channel);
    return { ...features, label, channels };
  }
  const columns = features.columns.map(
    ({ title: _t, description: _e, why: _w, protected: _p, example: _x, ...column }) => column,
  );
  return { ...features, label, columns };
}
