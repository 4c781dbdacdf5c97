import type { RunView, TaskView } from "#shared/protocol/api.ts";
import { headlineFigure } from "./measures.ts";

/** The newest figure of a run, and whether it was measured on another held-out set than the one in use. */
export function runFigureWords(
  run: RunView,
  { heldOut }: Pick<TaskView, "heldOut">,
): { readonly words: string; readonly isOther: boolean } {
  const central = run.history.at(-1);
  if (central !== undefined) {
    const figure = headlineFigure(central.measures) ?? "none";
    const isOther =
      central.measuredOn !== undefined && heldOut != null && central.measuredOn !== heldOut.hash;
    return { words: isOther ? `${figure}, other held-out set` : figure, isOther };
  }
  const devices = run.deviceHistory?.at(-1);
  return devices === undefined
    ? { words: "none", isOther: true }
    : { words: `${headlineFigure(devices.measures) ?? "none"}, on devices`, isOther: false };
}
