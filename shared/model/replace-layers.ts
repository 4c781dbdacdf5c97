import { fieldsOf } from "./topology.ts";

/**
 * The text of a model's document with every layer of one class replaced by one of another, under the same name and with the
 * settings that are given.
 *
 * @param text  A document that `importModel` has read.
 * @returns Indented JSON.
 */
export function replaceLayers(text: string, from: string, to: string): string {
  let document: unknown = JSON.parse(text);
  // model.toJSON() is a text already, and JSON.stringify makes a text of that again.
  if (typeof document === "string") document = JSON.parse(document);
  // By hand, so that a document's depth is no matter.
  const open: unknown[] = [document];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value !== "object" || value === null) continue;
    if (fieldsOf(value)?.get("classname") === from) replaceLayer(value as Record<string, unknown>, to);
    open.push(...Object.values(value));
  }
  return JSON.stringify(document, null, 2);
}

function replaceLayer(layer: Record<string, unknown>, to: string): void {
  for (const key of Object.keys(layer)) {
    const folded = key.replaceAll("_", "").toLowerCase();
    if (folded === "classname") layer[key] = to;
    // Of the settings only the name stands for the same thing in both.
    if (folded === "config") layer[key] = { name: fieldsOf(layer[key])?.get("name") ?? layer["name"] };
  }
}
