import { encodeInputs } from "#shared/data/encode-row.ts";
import { type Features, inputSize } from "#shared/task/features.ts";

/**
 * One row typed into a form, in the model's format.
 *
 * @param values  Text by column name.
 * Errors: a sentence that says what is wrong and what is expected.
 */
export function rowToInput(
  values: Readonly<Record<string, string>>,
  features: Extract<Features, { kind: "tabular" }>,
): { readonly ok: true; readonly value: Float32Array } | { readonly ok: false; readonly error: string } {
  const input = new Float32Array(inputSize(features));
  const cells = features.columns.map(({ name }) => (values[name] ?? "").trim());
  const encoded = encodeInputs(cells, features.columns, input);
  return encoded.ok ? { ok: true, value: input } : { ok: false, error: `The row ${encoded.error}.` };
}
