/** Rows in the model's format. */
export interface Dataset {
  /** [count, ...inputShape], flat and scaled. */
  readonly inputs: Float32Array;
  /** [count]. Indices of the task's classes, or numbers in the label's unit. */
  readonly labels: Float32Array;
  readonly count: number;
}

/** Concatenates the rows of several sources. */
export function joinDatasets(parts: readonly Dataset[]): Dataset {
  const count = parts.reduce((sum, part) => sum + part.count, 0);
  const inputs = new Float32Array(parts.reduce((sum, part) => sum + part.inputs.length, 0));
  const labels = new Float32Array(count);
  let row = 0;
  let offset = 0;
  for (const part of parts) {
    inputs.set(part.inputs, offset);
    labels.set(part.labels, row);
    offset += part.inputs.length;
    row += part.count;
  }
  return { inputs, labels, count };
}

/** The rows at `indices`, in that order. */
export function pickRows(dataset: Dataset, indices: Uint32Array): Dataset {
  const width = dataset.count === 0 ? 0 : dataset.inputs.length / dataset.count;
  const inputs = new Float32Array(indices.length * width);
  const labels = new Float32Array(indices.length);
  for (let row = 0; row < indices.length; row++) {
    const from = indices[row] as number;
    inputs.set(dataset.inputs.subarray(from * width, (from + 1) * width), row * width);
    labels[row] = dataset.labels[from] as number;
  }
  return { inputs, labels, count: indices.length };
}
