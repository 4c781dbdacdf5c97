import { elementCount } from "../kernel/shape.ts";
import type { Shape } from "../layers/ops.ts";
import type { LayerSpec } from "../layers/table.ts";
import { type ModelSpec, modelSchema, modelTensors } from "../task/model.ts";
import { type Answer, answerFields, answerLayer } from "./answer.ts";

/** A model to begin with. */
export interface ModelTemplate {
  readonly id: "linear" | "small-dense" | "medium-dense" | "small-convolutional";
  readonly title: string;
  /** One sentence for people who choose. */
  readonly words: string;
  readonly model: ModelSpec;
}

/** Shorter axes leave a convolution nothing to look at. */
const CONVOLVED_LENGTH_MIN = 4;
/** Rows for each number to learn from which the larger dense template is proposed. */
const ROWS_PER_PARAMETER = 4;

/**
 * The models that fit a task's rows, simplest first.
 *
 * @param inputShape  Without the batch axis: [width], [length, channels] or [height, width, channels].
 */
export function modelTemplates(inputShape: Shape, answer: Answer): readonly ModelTemplate[] {
  const build = (layers: readonly LayerSpec[]) =>
    modelSchema.parse({
      format: "tfjs-layers",
      inputShape: [...inputShape],
      ...answerFields(answer),
      layers: [...layers, answerLayer(answer)],
    });
  const flat: readonly LayerSpec[] =
    inputShape.length === 1 ? [] : [{ className: "Flatten", name: "flatten" }];
  const width = hiddenWidth(inputShape, answer);
  const convolution = convolutional(inputShape);
  return [
    {
      id: "linear",
      title: "Linear",
      words: "One weight for each input, easy to explain. It misses what only shows in pairs of inputs.",
      model: build(flat),
    },
    {
      id: "small-dense",
      title: "Small, dense",
      words: "One hidden layer. It learns how inputs act together, and stays small.",
      model: build([...flat, dense("hidden", width)]),
    },
    {
      id: "medium-dense",
      title: "Medium, dense",
      words: "Two hidden layers, for many rows. With few rows it learns them by heart.",
      model: build([...flat, dense("hidden_1", 4 * width), dense("hidden_2", 2 * width)]),
    },
    ...(convolution === null
      ? []
      : [
          {
            id: "small-convolutional" as const,
            title: "Small, convolutional",
            words:
              inputShape.length === 2
                ? "Looks for the same short patterns all along the series."
                : "Looks for the same small patterns all over the picture.",
            model: build(convolution),
          },
        ]),
  ];
}

/**
 * The template that suits so many rows: the convolutional one if there is one, else the largest dense one that does not
 * have a number to learn for every few rows.
 */
export function proposedTemplate(templates: readonly ModelTemplate[], rowCount: number): ModelTemplate["id"] {
  if (templates.some(({ id }) => id === "small-convolutional")) return "small-convolutional";
  const fits = (id: ModelTemplate["id"]) =>
    templates.some(
      (template) =>
        template.id === id && ROWS_PER_PARAMETER * modelTensors(template.model).parameterCount <= rowCount,
    );
  if (fits("medium-dense")) return "medium-dense";
  return fits("small-dense") ? "small-dense" : "linear";
}

/** Wide enough that the classes do not share too few numbers. */
function hiddenWidth(inputShape: Shape, { classCount }: Answer): number {
  const least = elementCount(inputShape) >= 64 ? 32 : 16;
  let width = least;
  while (width < (classCount ?? 1) && width < 256) width *= 2;
  return width;
}

function dense(name: string, units: number): LayerSpec {
  return { className: "Dense", name, units, activation: "relu" };
}

/** The layers before the last one; null if the rows are no pictures or series, or too small. */
function convolutional(inputShape: Shape): readonly LayerSpec[] | null {
  const places = inputShape.slice(0, -1);
  if (places.length === 0 || places.some((length) => length < CONVOLVED_LENGTH_MIN)) return null;
  const window = { strides: 1, padding: "same", activation: "relu" } as const;
  const pool = { poolSize: 2, strides: 2 };
  if (places.length === 1) {
    const conv = (name: string, filters: number): LayerSpec => ({
      className: "Conv1D",
      name,
      filters,
      kernelSize: 5,
      ...window,
    });
    return [
      conv("conv_1", 8),
      { className: "MaxPooling1D", name: "pool_1", ...pool },
      conv("conv_2", 16),
      { className: "GlobalAveragePooling1D", name: "average" },
    ];
  }
  const conv = (name: string, filters: number): LayerSpec => ({
    className: "Conv2D",
    name,
    filters,
    kernelSize: 3,
    ...window,
  });
  return [
    conv("conv_1", 8),
    { className: "MaxPooling2D", name: "pool_1", ...pool },
    conv("conv_2", 16),
    { className: "MaxPooling2D", name: "pool_2", ...pool },
    { className: "Flatten", name: "flatten" },
  ];
}
