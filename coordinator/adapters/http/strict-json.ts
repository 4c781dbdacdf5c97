import { type JsonBounds, parseStrictText, type StrictJsonError } from "#shared/codec/strict-json.ts";
import { err, type Result } from "#shared/kernel/result.ts";

/**
 * Parses a body as `parseStrictText` does.
 *
 * @param bytes  UTF-8 without a byte order mark. The caller has bounded the length.
 * Errors: `bad-json` with a sentence for the sender.
 */
export function parseStrictJson(bytes: Uint8Array, bounds: JsonBounds): Result<unknown, StrictJsonError> {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return err({ type: "bad-json", sentence: "The body is not UTF-8." });
  }
  return parseStrictText(text, "The body", bounds);
}
