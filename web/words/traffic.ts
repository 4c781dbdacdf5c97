import type { Traffic } from "#shared/protocol/api.ts";
import { formatCount } from "./format.ts";

interface StepWords {
  readonly name: string;
  /** What the bytes of the step are. */
  readonly what: string;
}

const STEPS: Record<Traffic["step"], StepWords> = {
  model: { name: "Model", what: "safetensors, the same file for everyone" },
  keys: { name: "Keys", what: "public keys, signed" },
  shares: { name: "Key shares", what: "each sealed for one other device" },
  input: { name: "Masked update", what: "numbers that mean nothing alone" },
  confirmation: { name: "Confirmation", what: "signatures over the same list" },
  opening: { name: "Opening", what: "shares that open the sum, then the outcome" },
};

/** @param vectorLength  Numbers in the masked update; null if not known. */
export function trafficWords(step: Traffic["step"], vectorLength: number | null): StepWords {
  const { name, what } = STEPS[step];
  return step === "input" && vectorLength !== null
    ? { name, what: `${formatCount(vectorLength)} ${what}` }
    : { name, what };
}
