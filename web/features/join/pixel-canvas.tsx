"use client";

import { useEffect, useRef } from "react";
import { useColourScheme } from "./use-colour-scheme.ts";

/** A square's colour and its strength, 0 to 1; null leaves the square empty. */
export type Paint = (cell: number) => { readonly you: boolean; readonly strength: number } | null;

/**
 * Squares of one colour each, `columns` across. Painted when the browser is idle, so that it never delays a tap. The
 * ink colour comes from `color`, the person's own from `caret-color`: both follow light and dark mode by themselves.
 */
export function PixelCanvas(props: {
  readonly columns: number;
  readonly rows: number;
  readonly paint: Paint;
  readonly label: string;
  readonly className?: string | undefined;
}) {
  const { columns, rows, paint, label, className = "" } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  const scheme = useColourScheme();
  // biome-ignore lint/correctness/useExhaustiveDependencies: a change of scheme changes what the two colours resolve to
  useEffect(() => {
    const cancel = whenIdle(() => {
      if (canvas.current !== null) paintCells(canvas.current, columns, rows, paint);
    });
    return cancel;
  }, [columns, rows, paint, scheme]);
  return (
    <canvas
      ref={canvas}
      width={columns}
      height={rows}
      role="img"
      aria-label={label}
      className={`block text-voice-3 caret-you [image-rendering:pixelated] ${className}`}
    />
  );
}

function paintCells(canvas: HTMLCanvasElement, columns: number, rows: number, paint: Paint): void {
  const context = canvas.getContext("2d");
  if (context === null) return;
  const { color, caretColor } = getComputedStyle(canvas);
  context.clearRect(0, 0, columns, rows);
  // One colour after the other: changing the colour costs more than filling a square.
  for (const you of [false, true]) {
    context.fillStyle = you ? caretColor : color;
    for (let cell = 0; cell < columns * rows; cell++) {
      const square = paint(cell);
      if (square === null || square.you !== you) continue;
      context.globalAlpha = square.strength;
      context.fillRect(cell % columns, Math.floor(cell / columns), 1, 1);
    }
  }
}

function whenIdle(run: () => void): () => void {
  // Safari has no requestIdleCallback.
  if (typeof requestIdleCallback === "undefined") {
    const timer = setTimeout(run, 1);
    return () => clearTimeout(timer);
  }
  const handle = requestIdleCallback(run, { timeout: 500 });
  return () => cancelIdleCallback(handle);
}

/** A small picture: `pixels` in [0, 1], row by row; grey, or red, green and blue of one pixel after the other. */
export function Picture(props: PictureProps) {
  const { pixels, height, width } = props;
  return pixels.length === 3 * height * width ? <ColourPicture {...props} /> : <GreyPicture {...props} />;
}

interface PictureProps {
  readonly pixels: Float32Array;
  readonly height: number;
  readonly width: number;
  readonly label: string;
  readonly className?: string | undefined;
}

/** As it is, in light and dark mode alike. */
function ColourPicture({ pixels, height, width, label, className = "" }: PictureProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(
    () =>
      whenIdle(() => {
        canvas.current?.getContext("2d")?.putImageData(new ImageData(coloursOf(pixels), width, height), 0, 0);
      }),
    [pixels, height, width],
  );
  return (
    <canvas
      ref={canvas}
      width={width}
      height={height}
      role="img"
      aria-label={label}
      className={`block [image-rendering:pixelated] ${className}`}
    />
  );
}

/** Red, green, blue and opacity of each pixel, 0 to 255. @param pixels  Red, green and blue in [0, 1]. */
export function coloursOf(pixels: Float32Array): Uint8ClampedArray<ArrayBuffer> {
  const colours = new Uint8ClampedArray((pixels.length / 3) * 4).fill(255);
  for (const [at, value] of pixels.entries()) colours[Math.floor(at / 3) * 4 + (at % 3)] = 255 * value;
  return colours;
}

function GreyPicture({ pixels, height, width, label, className }: PictureProps) {
  const latest = useRef<{ pixels: Float32Array; paint: Paint } | null>(null);
  if (latest.current?.pixels !== pixels) {
    // Empty squares keep a trace of ink, so that the size of the picture is visible.
    latest.current = {
      pixels,
      paint: (cell) => ({ you: false, strength: 0.05 + 0.95 * (pixels[cell] ?? 0) }),
    };
  }
  return (
    <PixelCanvas
      columns={width}
      rows={height}
      paint={latest.current.paint}
      label={label}
      className={className}
    />
  );
}
