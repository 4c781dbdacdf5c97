import { err, ok, type Result } from "../kernel/result.ts";

/*
 * The document that tfjs and Keras write of a model, as a plain chain of layers. All of these are read:
 *
 * | document                          | written by                                |
 * | --------------------------------- | ----------------------------------------- |
 * | { class_name, config }            | tfjs `model.toJSON()`, Keras `to_json()`  |
 * | { modelTopology, weightsManifest } | model.json, by tfjs                      |
 * | ... { model_config } inside that  | model.json, by the converter from Keras   |
 * | text that holds one of these      | JSON.stringify(model.toJSON())            |
 *
 * Keys are compared without underscores and case, because tfjs has both spellings. Nothing here calls itself, so depth is
 * no matter.
 */

/** A JSON object of a stranger, read by own keys only. */
export type Fields = ReadonlyMap<string, unknown>;

/** A layer as the document has it. */
export interface WrittenLayer {
  readonly className: string;
  /** May be any text. */
  readonly name: string;
  readonly config: Fields;
}

export interface Topology {
  readonly layers: readonly WrittenLayer[];
  /** The document comes with trained weights. */
  readonly hasWeights: boolean;
}

/** Layers in a document. A task may have fewer. */
const LAYERS_MAX = 1_000;

/** Error: what would work, as a sentence. */
export function readTopology(document: unknown): Result<Topology, string> {
  const outer = fieldsOf(document);
  const topology = fieldsOf(outer?.get("modeltopology")) ?? outer;
  const model = fieldsOf(topology?.get("modelconfig")) ?? topology;
  const hasWeights = Array.isArray(outer?.get("weightsmanifest"));
  const className = model?.get("classname");
  if (outer?.get("format") === "graph-model" || topology?.has("node") === true) {
    return err(
      "This is a graph model, which has no layers. Convert the Keras model to a layers model instead.",
    );
  }
  if (model === null || typeof className !== "string") {
    return err(
      "This is JSON, but no model: it has no class_name. Paste what model.toJSON() gives, or a model.json file.",
    );
  }
  const config = fieldsOf(model.get("config"));
  // Old Keras wrote the layers of a Sequential without anything around them.
  const written = Array.isArray(model.get("config")) ? model.get("config") : config?.get("layers");
  if (!Array.isArray(written) || written.length === 0) return err("The model has no list of layers.");
  if (written.length > LAYERS_MAX) return err(`The model has more than ${LAYERS_MAX} layers.`);
  const layers = written.map(writtenLayer);
  const bad = layers.indexOf(null);
  if (bad !== -1) return err(`Layer ${bad + 1} has no class_name and config.`);
  const all = layers as readonly WrittenLayer[];
  if (className === "Sequential") return ok({ layers: all, hasWeights });
  if (className !== "Functional" && className !== "Model") {
    return err(
      `A model of class ${quoted(className)} is not taken. Sequential is, and Functional if it is one chain.`,
    );
  }
  const chain = chainOf(written, all);
  return chain.ok ? ok({ layers: chain.value, hasWeights }) : chain;
}

/** A text of the document for a sentence, short and on one line. */
export function quoted(text: string): string {
  const line = text.replaceAll(/\s+/g, " ");
  return `“${line.length > 60 ? `${line.slice(0, 59)}…` : line}”`;
}

/** The object's own fields by their folded keys; null if it is no object. */
export function fieldsOf(value: unknown): Fields | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  return new Map(Object.entries(value).map(([key, inner]) => [key.replaceAll("_", "").toLowerCase(), inner]));
}

function writtenLayer(value: unknown): WrittenLayer | null {
  const layer = fieldsOf(value);
  const config = fieldsOf(layer?.get("config"));
  const className = layer?.get("classname");
  if (config === null || typeof className !== "string") return null;
  const name = [config.get("name"), layer?.get("name")].find((text) => typeof text === "string");
  return { className, name: String(name ?? className), config };
}

/** A functional model's layers from its input to its output, if they are one chain. */
function chainOf(
  written: readonly unknown[],
  layers: readonly WrittenLayer[],
): Result<readonly WrittenLayer[], string> {
  const nextBySource = new Map<string, WrittenLayer>();
  let input: WrittenLayer | null = null;
  for (const [index, layer] of layers.entries()) {
    const nodes = fieldsOf(written[index])?.get("inboundnodes");
    const sources = Array.isArray(nodes) ? nodes.flatMap(sourcesOf) : [];
    const [source] = sources;
    if (sources.length > 1) {
      return err(
        `${quoted(layer.name)} has ${sources.length} inputs. Only one chain of layers is taken: leave branches out.`,
      );
    }
    if (source === undefined) {
      if (input !== null)
        return err(`${quoted(layer.name)} is a second input. Only one chain of layers is taken.`);
      input = layer;
      continue;
    }
    const other = nextBySource.get(source);
    if (other !== undefined) {
      return err(
        `${quoted(source)} feeds ${quoted(other.name)} and ${quoted(layer.name)}. Only one chain of layers is taken: leave branches out.`,
      );
    }
    nextBySource.set(source, layer);
  }
  const chain: WrittenLayer[] = [];
  for (let layer = input; layer !== null; layer = nextBySource.get(layer.name) ?? null) {
    if (chain.length === layers.length) break;
    chain.push(layer);
  }
  return chain.length === layers.length ? ok(chain) : err("The layers are not connected to one chain.");
}

/**
 * Names of the layers that one inbound node takes: [["conv", 0, 0, {}], ...] of tfjs and Keras 2, and the tensors of
 * Keras 3, { args: [{ config: { keras_history: ["conv", 0, 0] } }] }.
 */
function sourcesOf(node: unknown): readonly string[] {
  const args = fieldsOf(node)?.get("args");
  const items = Array.isArray(node) ? node : Array.isArray(args) ? args : [];
  const flat = typeof items[0] === "string" ? [items] : items;
  return flat.flatMap((item: unknown) => {
    const history = fieldsOf(fieldsOf(item)?.get("config"))?.get("kerashistory");
    const triple: unknown = Array.isArray(item) && !Array.isArray(item[0]) ? item : history;
    const name: unknown = Array.isArray(triple) ? triple[0] : null;
    return typeof name === "string" ? [name] : [];
  });
}
