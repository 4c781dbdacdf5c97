import { ACTIVATIONS } from "../layers/activations/list.ts";
import { type Fields, fieldsOf, quoted, type WrittenLayer } from "./topology.ts";

/*
 * One layer of a tfjs document as a layer of a task. Whatever has no place there is either without effect (null, false, a
 * default), noted, or a fault with what would work.
 */

/** What a layer became: fields of its spec, still to be checked against the layer's schema. */
export interface ReadLayer {
  readonly fields: Readonly<Record<string, unknown>>;
  /** Each a part of a sentence that begins with the layer's name: "padding “causal” ..., use ...". */
  readonly faults: readonly string[];
  readonly notes: readonly string[];
}

type Reader = (config: Config) => Readonly<Record<string, unknown>>;

/** By class name. A reader takes the settings that it knows; those that remain must be without effect. */
const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ["Flatten", noFields],
  ["Dense", (config) => ({ units: config.take("units"), ...config.weighted() })],
  ["Conv1D", (config) => ({ ...config.filters(), ...config.window(1), ...config.weighted() })],
  ["Conv2D", (config) => ({ ...config.filters(), ...config.window(2), ...config.weighted() })],
  [
    "DepthwiseConv2D",
    (config) => ({
      depthMultiplier: config.take("depth_multiplier") ?? 1,
      ...config.window(2),
      ...config.weighted(),
    }),
  ],
  ["MaxPooling1D", (config) => config.pool(1)],
  ["AveragePooling1D", (config) => config.pool(1)],
  ["MaxPooling2D", (config) => config.pool(2)],
  ["AveragePooling2D", (config) => config.pool(2)],
  ["GlobalAveragePooling1D", noFields],
  ["GlobalAveragePooling2D", noFields],
  [
    "LayerNormalization",
    (config) => {
      config.must("center", true);
      config.must("scale", true);
      config.lastAxis();
      return { epsilon: config.take("epsilon") ?? 1e-3 };
    },
  ],
  [
    "Dropout",
    (config) => {
      if ((config.take("seed") ?? null) !== null)
        config.note("its seed is not taken; each training draws its own");
      return { rate: config.take("rate") };
    },
  ],
]);

/** Settings that every layer may have and that change nothing here. */
const WITHOUT_EFFECT = [
  "name",
  "batch_input_shape",
  "batch_shape",
  "input_shape",
  "batch_size",
  "ragged",
  "sparse",
  "seed",
  "implementation",
  "build_config",
  "input_dtype",
  "shared_object_id",
];

/**
 * @param rank  Axes of the layer's input without the batch axis; null if unknown, since an earlier layer has a fault.
 * @returns null if no reader knows the class.
 */
export function readLayer(layer: WrittenLayer, rank: number | null): ReadLayer | null {
  const reader = READERS.get(layer.className);
  if (reader === undefined) return null;
  const config = new Config(layer.config, rank);
  config.must("data_format", "channels_last");
  config.must("keepdims", false);
  const fields = reader(config);
  config.rest();
  return { fields, faults: config.faults, notes: config.notes };
}

/** Classes that the import knows, for the test that compares them with the layers of a task. */
export const READABLE_LAYERS: readonly string[] = [...READERS.keys()];

/** The name of an activation in either way that Keras writes it; null if there is none. */
export function activationNameOf(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value === "string") return value;
  const { name, className } = {
    name: fieldsOf(value)?.get("config"),
    className: fieldsOf(value)?.get("classname"),
  };
  const inner = typeof name === "string" ? name : className;
  return typeof inner === "string" ? inner.toLowerCase() : "?";
}

/** Null if a layer may have the activation, else what would work. */
export function activationFault(name: string): string | null {
  const names = ACTIVATIONS.map((activation) => activation.name);
  if (names.some((known) => known === name)) return null;
  return `activation ${quoted(name)} is not on the list, use ${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}

/** Takes settings out of a layer's config and collects what is wrong with them. */
class Config {
  readonly faults: string[] = [];
  readonly notes: string[] = [];
  readonly #left: Map<string, unknown>;

  readonly #rank: number | null;

  constructor(fields: Fields, rank: number | null) {
    this.#rank = rank;
    this.#left = new Map(fields);
    for (const name of WITHOUT_EFFECT) this.take(name);
  }

  take(name: string): unknown {
    const key = name.replaceAll("_", "");
    const value = this.#left.get(key);
    this.#left.delete(key);
    return value;
  }

  note(text: string): void {
    this.notes.push(text);
  }

  /** A setting that may be missing, but has only one value here. */
  must(name: string, only: string | boolean): void {
    const value = this.take(name);
    if (value !== undefined && value !== null && value !== only) {
      this.faults.push(`${name} ${printed(value)} is not taken, use ${printed(only)}`);
    }
  }

  filters(): { readonly filters: unknown } {
    this.#mustBeOnes("groups");
    return { filters: this.take("filters") };
  }

  window(axes: 1 | 2) {
    this.#mustBeOnes("dilation_rate");
    return {
      kernelSize: this.#side("kernel_size", axes),
      strides: this.#side("strides", axes) ?? 1,
      padding: this.#padding(["valid", "same"]),
    };
  }

  pool(axes: 1 | 2) {
    const poolSize = this.#side("pool_size", axes) ?? 2;
    this.#padding(["valid"]);
    return { poolSize, strides: this.#side("strides", axes) ?? poolSize };
  }

  /** The activation, and what must hold for a layer with kernel and bias. */
  weighted(): { readonly activation: unknown } {
    this.must("use_bias", true);
    const activation = activationNameOf(this.take("activation")) ?? "linear";
    const fault = activationFault(activation);
    if (fault === null) return { activation };
    this.faults.push(fault);
    return { activation: "linear" };
  }

  lastAxis(): void {
    const value = this.take("axis") ?? -1;
    // Positive axes count the batch.
    const isLast = (axis: unknown) => axis === -1 || this.#rank === null || axis === this.#rank;
    if (![value].flat().every(isLast) || [value].flat().length !== 1) {
      this.faults.push(`axis ${printed(value)} is not taken, use -1`);
    }
  }

  /** What no reader took: without effect, or a fault. */
  rest(): void {
    for (const [key, value] of this.#left) {
      if (key === "trainable") {
        if (value === false) this.faults.push("trainable false is not taken: every layer trains, use true");
      } else if (key === "dtype") {
        if (!isFloat32(value)) this.faults.push(`dtype ${printed(value)} is not taken, use float32`);
      } else if (key.endsWith("initializer")) {
        if (!isUsualInitializer(key, value)) {
          this.notes.push("its initializer is not taken; kernels begin Glorot uniform, biases at 0");
        }
      } else if (value !== null && value !== false) {
        this.faults.push(restFault(key, value));
      }
    }
  }

  /** A number, or a list of equal numbers for square windows. */
  #side(name: string, axes: 1 | 2): unknown {
    const value = this.take(name);
    if (!Array.isArray(value)) return value ?? undefined;
    if (value.length === axes && value.every((side) => side === value[0])) return value[0];
    this.faults.push(
      `${name} ${printed(value)} is not taken, use ${axes === 1 ? "one number" : "the same number twice"}`,
    );
    return 1;
  }

  #padding(allowed: readonly string[]): unknown {
    const value = this.take("padding") ?? "valid";
    const padding = typeof value === "string" ? value.toLowerCase() : null;
    if (padding !== null && allowed.includes(padding)) return padding;
    this.faults.push(`padding ${printed(value)} is not taken, use ${allowed.join(" or ")}`);
    return allowed[0];
  }

  #mustBeOnes(name: string): void {
    const value = this.take(name) ?? 1;
    if (![value].flat().every((rate) => rate === 1))
      this.faults.push(`${name} ${printed(value)} is not taken, use 1`);
  }
}

function noFields(): Readonly<Record<string, unknown>> {
  return {};
}

function restFault(key: string, value: unknown): string {
  if (key.endsWith("regularizer")) {
    return "a regularizer is not taken: leave it out, and use Dropout, or proximalMu in the rules";
  }
  if (key.endsWith("constraint"))
    return "a constraint on weights is not taken: leave it out, since the clip bounds each update";
  return `the setting ${quoted(key)} ${printed(value)} is not taken: leave it out`;
}

function isFloat32(value: unknown): boolean {
  const policy = fieldsOf(fieldsOf(value)?.get("config"))?.get("name");
  return value === null || value === "float32" || policy === "float32";
}

/** Those that the layers have here, and the default of tfjs, which differs from theirs only in the distribution. */
function isUsualInitializer(key: string, value: unknown): boolean {
  const name = typeof value === "string" ? value : fieldsOf(value)?.get("classname");
  const mode = fieldsOf(fieldsOf(value)?.get("config"))?.get("mode");
  const folded = (typeof name === "string" ? name : "").replaceAll("_", "").toLowerCase();
  if (value === null) return true;
  if (key.startsWith("gamma")) return folded === "ones";
  if (key.startsWith("bias") || key.startsWith("beta")) return folded === "zeros";
  if (folded === "variancescaling") return mode === "fan_avg" || mode === "fanAvg";
  return folded === "glorotuniform" || folded === "glorotnormal";
}

/** A value for a sentence. */
function printed(value: unknown): string {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value === "string") return quoted(value);
  if (Array.isArray(value) && value.length < 8 && value.every((item) => typeof item === "number")) {
    return `[${value.join(", ")}]`;
  }
  return "of this kind";
}
