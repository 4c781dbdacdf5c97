import { type JsonBounds, parseStrictText } from "../codec/strict-json.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import { elementCount } from "../kernel/shape.ts";
import { LAYERS } from "../layers/list.ts";
import type { Shape } from "../layers/ops.ts";
import { layerRefusal, REFUSED_LAYERS } from "../layers/refused.ts";
import { type LayerSpec, layerOf, layerSpecSchema } from "../layers/table.ts";
import { type ModelSpec, modelSchema } from "../task/model.ts";
import { type Answer, answerFields } from "./answer.ts";
import { activationFault, activationNameOf, readLayer } from "./layer-config.ts";
import { quoted, readTopology, type WrittenLayer } from "./topology.ts";

/*
 * A model that someone made with tfjs or Keras, as the model of a task. The document is a stranger's: nothing of it is
 * used that the allow-list of layers does not know.
 */

/** Characters of a document: 64 layers take about 60,000. */
const TEXT_LENGTH_MAX = 1_000_000;
const JSON_BOUNDS: JsonBounds = { entryCountMax: 50_000 };

export interface ImportedModel {
  readonly model: ModelSpec;
  /** What was done with the document and changes nothing that it says, each a sentence. */
  readonly notes: readonly string[];
}

export interface ImportFault {
  /** The layer's name in the document; null if the fault is of the whole. */
  readonly layer: string | null;
  /** What is wrong and what would work. */
  readonly sentence: string;
  /** A layer that does the same work and is taken; see `replaceLayers`. */
  readonly replacement?: { readonly from: string; readonly to: string };
}

/**
 * Reads pasted JSON: `model.toJSON()`, a model.json file, or what Keras writes.
 *
 * @param inputShape  Of the task's features, without the batch axis.
 * Errors: every fault, so that a person can mend all of them at once.
 */
export function importModel(
  text: string,
  inputShape: Shape,
  answer: Answer,
): Result<ImportedModel, readonly ImportFault[]> {
  const whole = (sentence: string) => err([{ layer: null, sentence }]);
  if (text.length > TEXT_LENGTH_MAX) {
    return whole(
      `The text has more than ${TEXT_LENGTH_MAX / 1e6} million characters. Paste the topology without weights.`,
    );
  }
  const document = parseDocument(text);
  if (!document.ok) return whole(document.error);
  const topology = readTopology(document.value);
  if (!topology.ok) return whole(topology.error);
  const reading = new Reading(inputShape);
  for (const layer of topology.value.layers) reading.read(layer);
  if (topology.value.hasWeights) {
    reading.notes.push("Its trained weights are not taken: a run begins with weights drawn from its seed.");
  }
  return reading.finish(answer);
}

function parseDocument(text: string): Result<unknown, string> {
  if (text.trim() === "") return err("Paste what model.toJSON() gives, or the text of a model.json file.");
  if (/^\s*(?:import|from|model\s*=|tf\.|const|let)\b/.test(text)) {
    return err("This is code. Run it, and paste what model.toJSON() (Python: model.to_json()) gives.");
  }
  const once = parseStrictText(text, "The text", JSON_BOUNDS);
  if (!once.ok) return err(once.error.sentence);
  // model.toJSON() is a text already, and JSON.stringify makes a text of that again.
  if (typeof once.value !== "string") return once;
  const twice = parseStrictText(once.value, "The text", JSON_BOUNDS);
  return twice.ok ? twice : err(twice.error.sentence);
}

/** Layers that only say what the model takes. */
const INPUT_LAYERS: ReadonlySet<string> = new Set(["InputLayer", "Input"]);
/** Layers that are an activation, which the layer before them gets. */
const ACTIVATION_LAYERS: ReadonlyMap<string, string> = new Map([
  ["ReLU", "relu"],
  ["Softmax", "softmax"],
]);

/** The chain of layers as far as it has been read. */
class Reading {
  readonly notes: string[] = [];
  readonly #faults: ImportFault[] = [];
  readonly #inputShape: Shape;
  readonly #layers: LayerSpec[] = [];
  readonly #renamed: string[] = [];
  /** Of the next layer's input; null after a fault that leaves it unknown. */
  #shape: Shape | null;

  constructor(inputShape: Shape) {
    this.#inputShape = inputShape;
    this.#shape = inputShape;
  }

  read(layer: WrittenLayer): void {
    const { className } = layer;
    if (this.#layers.length === 0) this.#checkInput(layer);
    if (INPUT_LAYERS.has(className)) return;
    const activation =
      className === "Activation" ? layer.config.get("activation") : ACTIVATION_LAYERS.get(className);
    if (activation !== undefined) {
      this.#fold(layer, activationNameOf(activation) ?? "linear");
      return;
    }
    if (className === "Dropout" && layer.config.get("rate") === 0) {
      this.notes.push(`${quoted(layer.name)} drops nothing and was left out.`);
      return;
    }
    const read = readLayer(layer, this.#shape?.length ?? null);
    if (read === null) {
      this.#fault(layer, unknownLayer(className), REFUSED_LAYERS.get(className)?.replacement);
      this.#shape = null;
      return;
    }
    for (const fault of read.faults) this.#fault(layer, fault);
    for (const note of read.notes) this.notes.push(`${quoted(layer.name)}: ${note}.`);
    const name = this.#nameFor(layer.name);
    const spec = layerSpecSchema.safeParse({ className, name, ...read.fields });
    if (spec.success) this.#add(layer, spec.data);
    else {
      for (const { path, message } of spec.error.issues) this.#fault(layer, `${path.join(".")}: ${message}`);
      this.#shape = null;
    }
  }

  finish(answer: Answer): Result<ImportedModel, readonly ImportFault[]> {
    if (this.#faults.length > 0) return err(this.#faults);
    if (this.#layers.length === 0)
      return err([{ layer: null, sentence: "The model has no layer that computes." }]);
    if (this.#renamed.length > 0) {
      const [first = ""] = this.#renamed;
      const others = this.#renamed.length - 1;
      this.notes.push(`Names are lower case here: ${first}${others === 0 ? "" : `, and ${others} more`}.`);
    }
    const model = modelSchema.safeParse({
      format: "tfjs-layers",
      inputShape: [...this.#inputShape],
      ...answerFields(answer),
      layers: this.#layers,
    });
    if (model.success) return ok({ model: model.data, notes: this.notes });
    return err(model.error.issues.map(({ message }) => ({ layer: null, sentence: sentenceOf(message) })));
  }

  /** The document's own input shape, which must be the task's. */
  #checkInput({ name, config }: WrittenLayer): void {
    const written = config.get("batchinputshape") ?? config.get("batchshape");
    if (!Array.isArray(written)) return;
    const shape: readonly unknown[] = written.slice(1);
    if (shape.join() === this.#inputShape.join()) return;
    const isFlat = shape.length === 1 && shape[0] === elementCount(this.#inputShape);
    if (isFlat) {
      if (this.#inputShape.length === 1) return;
      const flatten = { className: "Flatten", name: this.#nameFor("flatten_input") } as const;
      this.#layers.push(flatten);
      this.#shape = [elementCount(this.#inputShape)];
      this.notes.push(`It takes [${this.#shape.join(", ")}], so a Flatten layer was put before it.`);
      return;
    }
    this.#faults.push({
      layer: name,
      sentence: `${quoted(name)} takes [${shape.map((size) => (typeof size === "number" ? size : "any")).join(", ")}], but the task’s rows are [${this.#inputShape.join(", ")}]. Build the model with that input shape.`,
    });
  }

  #fold(layer: WrittenLayer, activation: string): void {
    const before = this.#layers.at(-1);
    const fault = activationFault(activation);
    if (fault !== null) {
      this.#fault(layer, fault);
    } else if (
      layer.className === "ReLU" &&
      [...layer.config].some(([key, value]) => isReluLimit(key, value))
    ) {
      this.#fault(layer, "a limit or slope is not taken, use a plain ReLU");
    } else if (before === undefined || !("activation" in before) || before.activation !== "linear") {
      if (activation === "linear" || this.#shape === null) return;
      this.#fault(layer, "an activation must follow a layer that has weights and no activation of its own");
    } else {
      const folded = layerSpecSchema.parse({ ...before, activation });
      this.#layers.splice(-1, 1, folded);
      this.notes.push(`${quoted(layer.name)} became the activation of ${quoted(before.name)}.`);
    }
  }

  #add(layer: WrittenLayer, spec: LayerSpec): void {
    this.#layers.push(spec);
    if (this.#shape === null) return;
    const output = layerOf(spec).outputShape(spec, this.#shape);
    const size = output.ok ? output.value : [];
    if (!output.ok) this.#fault(layer, output.error);
    else if (size.some((length) => length < 1)) this.#fault(layer, "nothing is left of its input");
    this.#shape = output.ok && size.every((length) => length >= 1) ? size : null;
  }

  #fault({ name, className: from }: WrittenLayer, fault: string, to?: string): void {
    const replacement = to === undefined ? {} : { replacement: { from, to } };
    this.#faults.push({ layer: name, sentence: `${quoted(name)}: ${fault}.`, ...replacement });
  }

  /** A free name that a task's layer may have, as close to the written one as possible. */
  #nameFor(written: string): string {
    const taken = new Set(this.#layers.map(({ name }) => name));
    const letters = written
      .toLowerCase()
      .replaceAll(/[^a-z0-9_]/g, "_")
      .replace(/^[^a-z]+/, "");
    const base = (letters === "" ? "layer" : letters).slice(0, 28);
    let name = base;
    for (let count = 2; taken.has(name); count++) name = `${base}_${count}`;
    if (name !== written && written !== "flatten_input") this.#renamed.push(`${quoted(written)} is ${name}`);
    return name;
  }
}

/** `max_value`, `negative_slope` and `threshold` of Keras; without effect if null or 0. */
function isReluLimit(key: string, value: unknown): boolean {
  return ["maxvalue", "negativeslope", "threshold"].includes(key) && value !== null && value !== 0;
}

function unknownLayer(className: string): string {
  const refused = layerRefusal(className);
  if (refused !== null) return refused;
  if (className === "Sequential" || className === "Functional" || className === "Model") {
    return "a model inside a model is not taken: put its layers here one after the other";
  }
  const known = LAYERS.map(({ schema }) => schema.shape.className.value);
  const near = known.find((name) => name.toLowerCase() === className.toLowerCase());
  if (near !== undefined) return `the class is written ${near}`;
  return `${quoted(className)} is not on the list of layers: ${known.slice(0, -1).join(", ")} and ${known.at(-1)}`;
}

/** A message of the model's schema as a sentence. */
function sentenceOf(message: string): string {
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}${message.endsWith(".") ? "" : "."}`;
}
