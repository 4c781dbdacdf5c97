/* Names, values and counts of a person's file as sentences quote them. */

export function some(names: readonly string[]): string {
  const shown = names.slice(0, 8).map(clipped);
  return names.length > 9
    ? `${shown.join(", ")}, ... ${clipped(names.at(-1) ?? "")} (${names.length} in all)`
    : names.map(clipped).join(", ");
}

export function quoted(text: string): string {
  return `“${clipped(text)}”`;
}

function clipped(text: string): string {
  const characters = Array.from(text);
  return characters.length > 40 ? `${characters.slice(0, 40).join("")}...` : text;
}

export function inWords(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}
