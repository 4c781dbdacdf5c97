import {
  type BackendName,
  type EngineLoss,
  type EngineView,
  LOSS_WORDS,
  type OutcomeView,
  type ParticipantView,
} from "#client/index.ts";
import { capitalise, formatTimeUtc } from "./format.ts";

/* The participant page's words for the engines, and for one that has stopped. */

export const ENGINE_NAMES: Record<BackendName, string> = {
  webgpu: "WebGPU",
  webgl: "WebGL",
  wasm: "WASM",
  cpu: "Processor alone",
};
/** Names for use within a sentence. */
const ENGINES_IN_TEXT: Record<BackendName, string> = { ...ENGINE_NAMES, cpu: "the processor alone" };

const newest = ({ losses }: EngineView): EngineLoss | null => losses.at(-1) ?? null;
const subject = (loss: EngineLoss): string => capitalise(ENGINES_IN_TEXT[loss.backend]);

/** The text above the table of engines. */
export function engineNote(engine: EngineView): string {
  const loss = newest(engine);
  const before = loss === null ? "" : `${lossSentence(loss)} `;
  if (engine.calibrating) return `${before}The engines are being timed, at most a few seconds each.`;
  if (loss !== null) {
    const next = engine.backend;
    return `${before}${next === null ? "No other engine works here." : `Training goes on with ${ENGINES_IN_TEXT[next]}, in the background.`}`;
  }
  switch (engine.backend) {
    case "webgpu":
    case "webgl":
      return "On this device's own graphics chip, in the background.";
    case "wasm":
    case "cpu":
      return "On this device's own processor, in the background.";
    case null:
      return "On this device, in the background.";
  }
}

function lossSentence(loss: EngineLoss): string {
  const time = formatTimeUtc(new Date(loss.at).toISOString());
  return `${subject(loss)} stopped at ${time} UTC: ${LOSS_WORDS[loss.cause]}.`;
}

/** The state line while this device looks for another engine. */
export function mendingWords({ engine, round }: Pick<ParticipantView, "engine" | "round">) {
  const loss = newest(engine);
  const left = "Nothing was sent from this training, and nothing is lost.";
  const meanwhile = "Rounds go on without this device until an engine works here.";
  if (loss === null || round?.outcome?.kind !== "refused-by-device" || round.outcome.code !== "ENGINE_LOST") {
    return loss === null
      ? {
          title: "The engine of this device is being checked",
          detail: `Its last training gave results that are not numbers. ${left} ${meanwhile}`,
        }
      : {
          title: `${subject(loss)} has stopped`,
          detail: `${capitalise(LOSS_WORDS[loss.cause])}. ${meanwhile}`,
        };
  }
  return {
    title: `${subject(loss)} has stopped; the next engine is being tried`,
    detail: `${capitalise(LOSS_WORDS[loss.cause])}, so this device left round ${round.round}. ${left} ${meanwhile}`,
  };
}

/** Why a round was left, if an engine stopped in it; otherwise null. */
export function engineLossSentence(round: number, outcome: OutcomeView, engine: EngineView): string | null {
  const loss = newest(engine);
  if (outcome.kind === "committed" || outcome.code !== "ENGINE_LOST" || loss === null) return null;
  const next = engine.backend === null ? "" : ` This device goes on with ${ENGINES_IN_TEXT[engine.backend]}.`;
  return `${subject(loss)} stopped in round ${round}, so this device left it. Nothing of yours was sent, and nothing is lost.${next}`;
}

/** What to do if no engine works any more; null if one works or is still being tried. */
export function noEngineWords(
  engine: EngineView,
): { readonly title: string; readonly detail: string } | null {
  if (engine.backend !== null || engine.calibrating || engine.table.length === 0) return null;
  const title =
    engine.losses.length === 0
      ? "This device cannot train this task"
      : "No engine works on this device any more";
  return {
    title,
    detail:
      "Rounds go on without it, and what it keeps stays here. Reload this page, or choose an engine in part 3 to try it again.",
  };
}
