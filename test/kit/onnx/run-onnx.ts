import { env, InferenceSession, Tensor } from "onnxruntime-web";

env.wasm.numThreads = 1;

/** Inputs of a graph by name: rows of numbers with the shape of one row, or a word a row. */
export type Feeds = Readonly<
  Record<
    string,
    { readonly shape: readonly number[]; readonly rows: readonly (readonly number[])[] } | readonly string[]
  >
>;

/** Runs a model in onnxruntime, which is an oracle: it shares no code with our engine. @returns Outputs by name. */
export async function runOnnx(
  model: Uint8Array,
  feeds: Feeds,
): Promise<ReadonlyMap<string, readonly (number | string)[]>> {
  const session = await InferenceSession.create(model, { executionProviders: ["wasm"] });
  try {
    const tensors = Object.entries(feeds).map(([name, feed]) => [name, tensorOf(feed)] as const);
    const outputs = await session.run(Object.fromEntries(tensors));
    return new Map(
      Object.entries(outputs).map(([name, { data }]) => [
        name,
        Array.from(data as ArrayLike<number | string>),
      ]),
    );
  } finally {
    await session.release();
  }
}

function tensorOf(feed: Feeds[string]): Tensor {
  if (!("rows" in feed)) return new Tensor("string", [...feed], [feed.length]);
  return new Tensor("float32", Float32Array.from(feed.rows.flat()), [feed.rows.length, ...feed.shape]);
}
