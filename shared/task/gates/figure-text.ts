import type { Figure } from "./evidence.ts";

/** A figure for people: "93.6 %", "0.214", "512 kB". */
export function figureText({ value, unit }: Pick<Figure, "value" | "unit">): string {
  switch (unit) {
    case "share":
      return `${(100 * value).toFixed(1)} %`;
    case "bytes":
      return value < 1e6 ? `${(value / 1e3).toFixed(1)} kB` : `${(value / 1e6).toFixed(1)} MB`;
    case "devices":
      return `${value} ${value === 1 ? "device" : "devices"}`;
    case "none":
      return rounded(value);
    default:
      return `${rounded(value)} ${unit}`;
  }
}

/** How far a figure is from another, without its sign: "3.3 points", "0.021". */
export function changeText({ value, unit }: Pick<Figure, "value" | "unit">): string {
  const size = Math.abs(value);
  return unit === "share" ? `${(100 * size).toFixed(1)} points` : figureText({ value: size, unit });
}

function rounded(value: number): string {
  return String(Number(value.toPrecision(3)));
}
