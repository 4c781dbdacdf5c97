import { floatsToBytes } from "../../codec/vector-bytes.ts";
import { missingWords } from "../../data/match/words-match.ts";
import { type Bytes, bytesToBase64, utf8 } from "../../kernel/bytes.ts";
import { targetOf } from "../../task/target.ts";
import type { ModelSource } from "../source.ts";
import { stepsOf } from "../steps.ts";

/**
 * A module without dependencies that predicts with the model: the text of runtime.mjs, then the model as JSON.
 *
 * @param runtime  The text of runtime.mjs, which the platform's edge reads.
 */
export function predictorFile({ about, task, weights, metadata }: ModelSource, runtime: string): Bytes {
  const { model, features } = task;
  const { weights: specs, steps } = stepsOf(model);
  const document = {
    about,
    metadata,
    features,
    missingWords: missingWords(),
    target: targetOf(features),
    inputShape: model.inputShape,
    shapes: specs.map(({ shape }) => shape),
    steps,
    weights: bytesToBase64(floatsToBytes(Float32Array.from(weights))),
  };
  // A module is no HTML, but people paste it into pages, where a class's name must not end the script.
  const json = JSON.stringify(document, null, 1).replaceAll("<", "\\u003c");
  return utf8(`${runtime}\nexport const model = ${json};\n`);
}
