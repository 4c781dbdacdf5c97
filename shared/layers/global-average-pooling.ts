import { z } from "zod";
import { present } from "../kernel/assert.ts";
import { ok } from "../kernel/result.ts";
import { elementCount } from "../kernel/shape.ts";
import { layer, layerNameSchema } from "./layer.ts";
import type { Shape } from "./ops.ts";
import { pictureAxes, seriesAxes } from "./window.ts";

/** The mean of each channel over all places of a series, [channels]. */
export const globalAveragePooling1d = globalAverage("GlobalAveragePooling1D", seriesAxes);
/** The mean of each channel over all places of a picture, [channels]. */
export const globalAveragePooling2d = globalAverage("GlobalAveragePooling2D", pictureAxes);

function globalAverage<const Name extends string>(
  className: Name,
  axesOf: typeof seriesAxes | typeof pictureAxes,
) {
  return layer({
    schema: z.strictObject({ className: z.literal(className), name: layerNameSchema }),
    needs: [],
    words: () => ({ full: className, short: null }),
    outputShape(_, input) {
      const axes = axesOf(input);
      return axes.ok ? ok([axes.value.channels]) : axes;
    },
    tensors: () => [],
    forward(ops, _, input) {
      const places = placesOf(ops.shapeOf(input));
      const axes = places.map((__, index) => index + 1);
      return ops.divide(ops.sum(input, axes), elementCount(places));
    },
    weightGradients: () => ({}),
    inputGradient(ops, _, { input }, flow) {
      const shape = ops.shapeOf(input);
      const places = placesOf(shape);
      const count = elementCount(places);
      const rows = present(shape[0], "a batch has rows");
      const channels = present(shape.at(-1), "an input has channels");
      const spread = ops.constant(new Float32Array(count).fill(1 / count), [1, ...places, 1]);
      return ops.multiply(ops.reshape(flow, [rows, ...places.map(() => 1), channels]), spread);
    },
  });
}

/** The axes between batch and channels. */
function placesOf(shape: Shape): Shape {
  return shape.slice(1, -1);
}
