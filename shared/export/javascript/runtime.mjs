// Predicts with the model below. Needs nothing else: works in browsers, Node and workers.
//
//   import { predict } from "./this-file.mjs";
//   predict({ age: 41, sex: "female" })   a table's row by its columns' names
//   predict(pixels)                       a picture's pixels as the task has them, row by row, channels last
//   predict(series)                       a series' numbers, step by step, channels last
//
// Answers { label, probabilities } or { prediction, unit }. Throws a TypeError that says what is wrong with the input.

/** Input as the task describes it, and the numbers that the model takes. */
const numberOf = (value, { name, range: [from, to], missing }) => {
  if (missing === "middle" && isMissing(value)) return (from + to) / 2;
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof number !== "number" || Number.isNaN(number)) throw new TypeError(`${name} must be a number`);
  if (number < from || number > to) throw new TypeError(`${name} must lie between ${from} and ${to}`);
  return number;
};
/** Nothing, or what programs write for it, such as NA. */
const isMissing = (value) =>
  value === undefined ||
  value === null ||
  Number.isNaN(value) ||
  (typeof value === "string" && model.missingWords.includes(value.trim()));
const scale = (value, { range: [from, to], scaling }) => {
  if (scaling?.kind === "standard") return (value - scaling.mean) / scaling.deviation;
  if (scaling?.kind === "log1p") {
    return (Math.log1p(value) - Math.log1p(from)) / (Math.log1p(to) - Math.log1p(from));
  }
  return (value - from) / (to - from);
};
const unscale = (value, { range: [from, to], scaling }) => {
  let number = from + value * (to - from);
  if (scaling?.kind === "standard") number = scaling.mean + value * scaling.deviation;
  if (scaling?.kind === "log1p") {
    number = Math.expm1(Math.log1p(from) + value * (Math.log1p(to) - Math.log1p(from)));
  }
  return Math.min(to, Math.max(from, number));
};
const encodeColumn = (row, column) => {
  const value = Object.hasOwn(row, column.name) ? row[column.name] : undefined;
  if (column.type === "numeric") return [scale(numberOf(value, column), column)];
  const { name, categories, other, missing } = column;
  const oneHot = new Array(categories.length + (missing === "category" ? 1 : 0)).fill(0);
  const word = value === undefined || value === null || Number.isNaN(value) ? "" : String(value);
  let index = categories.indexOf(word);
  if (index < 0 && missing === "category" && isMissing(word)) index = categories.length;
  if (index < 0 && word !== "" && other !== undefined) index = categories.indexOf(other);
  if (index < 0) throw new TypeError(`${name} must be one of ${categories.join(", ")}`);
  oneHot[index] = 1;
  return oneHot;
};
const encode = (input) => {
  const { features } = model;
  if (features.kind === "tabular") {
    if (typeof input !== "object" || input === null)
      throw new TypeError("a row must be an object of its columns");
    return features.columns.filter((column) => column.input).flatMap((column) => encodeColumn(input, column));
  }
  const numbers = Array.from(input).flat(Number.POSITIVE_INFINITY);
  const size = model.inputShape.reduce((product, length) => product * length, 1);
  if (numbers.length !== size) throw new TypeError(`needs ${size} numbers, not ${numbers.length}`);
  const scaledBy =
    features.kind === "image" ? [{ name: "a pixel", range: features.range }] : features.channels;
  return numbers.map((number, index) => {
    const by = scaledBy[index % scaledBy.length];
    return scale(numberOf(number, by), by);
  });
};

/** Tensors are { shape, data }, row-major, the batch axis first, of one row. */
const product = (shape) => shape.reduce((all, length) => all * length, 1);
const tensor = (shape, of) => ({
  shape,
  data: Float32Array.from({ length: product(shape) }, (_, index) => of(index)),
});
const each =
  (of) =>
  ([input]) =>
    tensor(input.shape, (index) => of(input.data[index]));
/** As NumPy broadcasts. */
const both =
  (of) =>
  ([left, right]) => {
    const rank = Math.max(left.shape.length, right.shape.length);
    const padded = ({ shape }) => [...new Array(rank - shape.length).fill(1), ...shape];
    const [a, b] = [padded(left), padded(right)];
    const shape = a.map((length, axis) => Math.max(length, b[axis]));
    const at = (sizes, index) => {
      let [offset, stride, rest] = [0, 1, index];
      for (let axis = rank - 1; axis >= 0; axis--) {
        if (sizes[axis] > 1) offset += (rest % shape[axis]) * stride;
        stride *= sizes[axis];
        rest = Math.floor(rest / shape[axis]);
      }
      return offset;
    };
    return tensor(shape, (index) => of(left.data[at(a, index)], right.data[at(b, index)]));
  };
const sumOver = ([input], { axes, keeps }) => {
  const kept = input.shape.map((length, axis) => (axes.includes(axis) ? 1 : length));
  const data = new Float64Array(product(kept));
  for (let index = 0; index < input.data.length; index++) {
    let [offset, stride, rest] = [0, 1, index];
    for (let axis = kept.length - 1; axis >= 0; axis--) {
      if (kept[axis] > 1) offset += (rest % input.shape[axis]) * stride;
      stride *= kept[axis];
      rest = Math.floor(rest / input.shape[axis]);
    }
    data[offset] += input.data[index];
  }
  const shape = keeps ? kept : kept.filter((_, axis) => !axes.includes(axis));
  return { shape, data: Float32Array.from(data) };
};
/** Walks a window over a picture [1, height, width, channels]; `take(offset in the window, y, x)` gets the places inside. */
const windows = (input, [height, width], strides, isSame, filters, of) => {
  const [, rows, columns] = input.shape;
  const along = [
    [rows, height, strides[0]],
    [columns, width, strides[1]],
  ].map(([length, size, stride]) => {
    const places = isSame ? Math.ceil(length / stride) : Math.floor((length - size) / stride) + 1;
    return {
      places,
      before: isSame ? Math.floor(Math.max((places - 1) * stride + size - length, 0) / 2) : 0,
    };
  });
  const shape = [1, along[0].places, along[1].places, filters];
  return tensor(shape, (index) => {
    const filter = index % filters;
    const place = Math.floor(index / filters);
    const top = Math.floor(place / shape[2]) * strides[0] - along[0].before;
    const left = (place % shape[2]) * strides[1] - along[1].before;
    const inside = [];
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        if (top + y < 0 || top + y >= rows || left + x < 0 || left + x >= columns) continue;
        inside.push([y * width + x, (top + y) * columns + left + x]);
      }
    }
    return of(filter, inside);
  });
};
const pool =
  (of) =>
  ([input], { size, strides }) => {
    const channels = input.shape[3];
    return windows(input, size, strides, false, channels, (channel, inside) =>
      of(inside.map(([, place]) => input.data[place * channels + channel])),
    );
  };
const softmax = ([input]) => {
  const size = input.shape.at(-1);
  const data = new Float32Array(input.data.length);
  for (let from = 0; from < data.length; from += size) {
    const row = input.data.subarray(from, from + size);
    const most = Math.max(...row);
    const powers = Array.from(row, (value) => Math.exp(value - most));
    const sum = powers.reduce((total, value) => total + value, 0);
    for (const [index, power] of powers.entries()) data[from + index] = power / sum;
  }
  return { shape: input.shape, data };
};
const OPERATIONS = {
  reshape: ([input], { shape }) => ({ shape, data: input.data }),
  add: both((a, b) => a + b),
  subtract: both((a, b) => a - b),
  multiply: both((a, b) => a * b),
  divide: both((a, b) => a / b),
  negate: each((value) => -value),
  square: each((value) => value * value),
  sqrt: each(Math.sqrt),
  exp: each(Math.exp),
  relu: each((value) => Math.max(value, 0)),
  tanh: each(Math.tanh),
  sigmoid: each((value) => 1 / (1 + Math.exp(-value))),
  softmax,
  logSoftmax: ([input]) => each(Math.log)([softmax([input])]),
  sum: sumOver,
  matMul: ([
    {
      shape: [rows, inner],
      data: left,
    },
    {
      shape: [, columns],
      data: right,
    },
  ]) =>
    tensor([rows, columns], (index) => {
      const [row, column] = [Math.floor(index / columns), index % columns];
      let sum = 0;
      for (let k = 0; k < inner; k++) sum += left[row * inner + k] * right[k * columns + column];
      return sum;
    }),
  conv2d: (
    [
      input,
      {
        shape: [height, width, channels, filters],
        data: kernel,
      },
    ],
    { strides, padding },
  ) =>
    windows(input, [height, width], [strides, strides], padding === "same", filters, (filter, inside) => {
      let sum = 0;
      for (const [offset, place] of inside) {
        for (let channel = 0; channel < channels; channel++) {
          sum +=
            input.data[place * channels + channel] * kernel[(offset * channels + channel) * filters + filter];
        }
      }
      return sum;
    }),
  depthwiseConv2d: (
    [
      input,
      {
        shape: [height, width, channels, n],
        data: kernel,
      },
    ],
    { strides, padding },
  ) =>
    windows(
      input,
      [height, width],
      [strides, strides],
      padding === "same",
      channels * n,
      (filter, inside) => {
        let sum = 0;
        for (const [offset, place] of inside) {
          sum +=
            input.data[place * channels + Math.floor(filter / n)] * kernel[offset * channels * n + filter];
        }
        return sum;
      },
    ),
  maxPool2d: pool((values) => Math.max(...values)),
  averagePool2d: pool((values) => values.reduce((sum, value) => sum + value, 0) / values.length),
};

/** The last step's result for one row. */
const run = (row) => {
  const values = [...weights(), { shape: [1, ...model.inputShape], data: Float32Array.from(row) }];
  for (const { op, inputs, ...options } of model.steps) {
    const operands = inputs.map((input) =>
      typeof input === "number" ? values[input] : { shape: [], data: [input.number] },
    );
    values.push(OPERATIONS[op](operands, options));
  }
  return values.at(-1).data;
};
let decoded = null;
const weights = () => {
  if (decoded !== null) return decoded;
  const bytes = Uint8Array.from(atob(model.weights), (character) => character.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  let offset = 0;
  decoded = model.shapes.map((shape) => {
    const values = tensor(shape, (index) => view.getFloat32(offset + 4 * index, true));
    offset += 4 * product(shape);
    return values;
  });
  return decoded;
};

/** The model's answer for one row. */
export function predict(input) {
  const outputs = run(encode(input));
  const { target } = model;
  if (target.kind === "number") return { prediction: unscale(outputs[0], target), unit: target.unit };
  const [logit] = outputs;
  const all =
    outputs.length === 1
      ? [1 / (1 + Math.exp(logit)), 1 / (1 + Math.exp(-logit))]
      : Array.from(softmax([{ shape: [1, outputs.length], data: outputs }]).data);
  return {
    label: target.classes[all.indexOf(Math.max(...all))],
    probabilities: Object.fromEntries(target.classes.map((name, index) => [name, all[index]])),
  };
}
