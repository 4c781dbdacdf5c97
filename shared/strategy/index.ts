import { unreachable } from "../kernel/assert.ts";
import type { StrategySpec } from "../task/task.ts";
import { fedAdam } from "./fedadam.ts";
import { fedAvg } from "./fedavg.ts";
import { fedAvgM } from "./fedavgm.ts";
import type { Strategy } from "./strategy.ts";

/** The strategy that a task asks for. */
export function strategyOf(spec: StrategySpec): Strategy {
  switch (spec.kind) {
    case "fedavg":
      return fedAvg(spec);
    case "fedavgm":
      return fedAvgM(spec);
    case "fedadam":
      return fedAdam(spec);
    default:
      return unreachable(spec);
  }
}
