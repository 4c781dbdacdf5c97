/** Properties that classes give to a drawing; an exported file needs them as attributes. */
const INHERITED = [
  "fill",
  "stroke",
  "stroke-width",
  "stroke-dasharray",
  "stroke-linecap",
  "stroke-linejoin",
  "paint-order",
  "font-family",
  "font-size",
  "font-weight",
] as const;
const COLOURS = new Set<string>(["fill", "stroke"]);

/** The drawing as it looks now, as a file without a style sheet, on the page's background colour. */
export function svgToFile(svg: SVGSVGElement): string {
  const copy = svg.cloneNode(true) as SVGSVGElement;
  const originals = [svg, ...svg.querySelectorAll("*")];
  const copies = [copy, ...copy.querySelectorAll("*")];
  for (const [index, original] of originals.entries()) {
    const element = copies[index];
    if (element === undefined) continue;
    const style = getComputedStyle(original);
    // Skip what the parent already sets.
    const outer =
      index === 0 || original.parentElement === null ? null : getComputedStyle(original.parentElement);
    for (const name of INHERITED) {
      const value = style.getPropertyValue(name);
      if (value === outer?.getPropertyValue(name) || value.startsWith("url(")) continue;
      element.setAttribute(name, COLOURS.has(name) ? toHex(value) : value);
    }
    if (original.tagName === "stop") element.setAttribute("stop-color", toHex(style.stopColor));
    element.removeAttribute("class");
  }
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const paper = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  paper.setAttribute("width", "100%");
  paper.setAttribute("height", "100%");
  paper.setAttribute("fill", toHex(getComputedStyle(document.documentElement).backgroundColor));
  copy.prepend(paper);
  return new XMLSerializer().serializeToString(copy);
}

/** A computed colour as #rrggbb, because drawing programs do not read lab() and oklch(). */
function toHex(colour: string): string {
  if (colour === "none") return colour;
  const canvas = document.createElement("canvas");
  canvas.width = 1;
  canvas.height = 1;
  const context = canvas.getContext("2d");
  if (context === null) return colour;
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  const [red = 0, green = 0, blue = 0] = context.getImageData(0, 0, 1, 1).data;
  return `#${[red, green, blue].map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}

/** Saves a text as a file. */
export function download(fileName: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const anchor = document.createElement("a");
  anchor.href = url;
  anchor.download = fileName;
  anchor.click();
  URL.revokeObjectURL(url);
}
