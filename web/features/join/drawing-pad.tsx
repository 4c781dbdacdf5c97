"use client";

import {
  type KeyboardEvent,
  type PointerEvent,
  useCallback,
  useEffect,
  useId,
  useRef,
  useState,
} from "react";
import { undoneSentence } from "../../words/drawing.ts";
import type { PadPoint, Stroke } from "./drawing.ts";
import { movePen, PEN_AT_START, type Pen, pointOf } from "./pen.ts";
import { useColourScheme } from "./use-colour-scheme.ts";

/** Width of the pen, as a fraction of the pad's side. */
const PEN_WIDTH_SHARE = 0.06;

/**
 * A square to draw on: with pointer or touch, or with arrows and space. Backspace removes the last line.
 *
 * Controlled: `strokes` is what is drawn; `onStrokes` is called after each finished line.
 */
export function DrawingPad(props: {
  readonly strokes: readonly Stroke[];
  readonly onStrokes: (strokes: readonly Stroke[]) => void;
  readonly label: string;
}) {
  const { strokes, onStrokes, label } = props;
  const helpId = useId();
  const canvas = useRef<HTMLCanvasElement>(null);
  const drawn = useRef<PadPoint[] | null>(null);
  const [pen, setPen] = useState<Pen | null>(null);
  const [said, setSaid] = useState("");
  const repaint = usePadPainter(canvas, strokes, drawn, pen);
  const pointer = usePointer(drawn, {
    onStart: () => setPen(null),
    onMove: repaint,
    onStroke: (stroke) => onStrokes([...strokes, stroke]),
  });
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    if (event.key === "Backspace" || event.key === "Delete") {
      event.preventDefault();
      onStrokes(strokes.slice(0, -1));
      setSaid(undoneSentence(strokes.length));
      return;
    }
    const move = movePen(pen ?? PEN_AT_START, event.key);
    if (move === null) return;
    event.preventDefault();
    setPen(move.pen);
    setSaid(move.said);
    if (move.finished !== null) onStrokes([...strokes, move.finished]);
  };

  return (
    <div>
      <div
        role="application"
        aria-roledescription="drawing pad"
        aria-label={label}
        aria-describedby={helpId}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: an application takes the keys, here arrows and space
        tabIndex={0}
        className="aspect-square w-full touch-none cursor-crosshair select-none rounded-sm border border-edge bg-sheet"
        {...pointer}
        onKeyDown={onKeyDown}
        onFocus={(event) => {
          if (event.currentTarget.matches(":focus-visible")) setPen((was) => was ?? PEN_AT_START);
        }}
      >
        <canvas ref={canvas} className="block h-full w-full text-voice-3 caret-focus" />
      </div>
      <p id={helpId} className="note mt-1.5">
        Draw with finger, pen or mouse. Or by keyboard: arrows move, space puts the pen down and lifts it,
        backspace removes the last line.
      </p>
      <p className="sr-only" aria-live="polite">
        {said}
      </p>
    </div>
  );
}

/** Position of a pointer on the pad, from 0 to 1 in both directions. */
function pointAt(event: { clientX: number; clientY: number }, target: Element): PadPoint {
  const box = target.getBoundingClientRect();
  const share = (offset: number, size: number) => Math.min(1, Math.max(0, offset / size));
  return { x: share(event.clientX - box.left, box.width), y: share(event.clientY - box.top, box.height) };
}

/** Collects a pointer's points in `drawn` until it is lifted. */
function usePointer(
  drawn: { current: PadPoint[] | null },
  on: { onStart: () => void; onMove: () => void; onStroke: (stroke: Stroke) => void },
) {
  const onPointerDown = (event: PointerEvent<HTMLDivElement>) => {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    drawn.current = [pointAt(event, event.currentTarget)];
    on.onStart();
    on.onMove();
  };
  const onPointerMove = (event: PointerEvent<HTMLDivElement>) => {
    if (drawn.current === null) return;
    const path = event.nativeEvent.getCoalescedEvents?.() ?? [];
    for (const point of path.length > 0 ? path : [event])
      drawn.current.push(pointAt(point, event.currentTarget));
    on.onMove();
  };
  const onPointerUp = () => {
    if (drawn.current === null) return;
    const stroke = drawn.current;
    drawn.current = null;
    on.onStroke(stroke);
  };
  return { onPointerDown, onPointerMove, onPointerUp, onPointerCancel: onPointerUp };
}

/**
 * Paints the lines, the current line and the keyboard's pen. Repaints at every size, so it is sharp on every screen.
 */
function usePadPainter(
  canvas: { readonly current: HTMLCanvasElement | null },
  strokes: readonly Stroke[],
  drawn: { readonly current: readonly PadPoint[] | null },
  pen: Pen | null,
): () => void {
  const scheme = useColourScheme();
  const repaint = useCallback(() => {
    const element = canvas.current;
    const context = element?.getContext("2d");
    if (element === null || context === null || context === undefined) return;
    const side = Math.round(element.clientWidth * devicePixelRatio);
    if (element.width !== side || element.height !== side) {
      element.width = side;
      element.height = side;
    }
    const { color, caretColor } = getComputedStyle(element);
    context.clearRect(0, 0, side, side);
    context.lineCap = "round";
    context.lineJoin = "round";
    context.lineWidth = PEN_WIDTH_SHARE * side;
    context.strokeStyle = color;
    for (const stroke of [...strokes, drawn.current ?? [], pen?.stroke ?? []])
      strokePath(context, stroke, side);
    if (pen !== null) {
      const at = pointOf(pen);
      context.lineWidth = 2 * devicePixelRatio;
      context.strokeStyle = caretColor;
      context.beginPath();
      context.arc(at.x * side, at.y * side, (pen.stroke === null ? 0.045 : 0.03) * side, 0, 2 * Math.PI);
      context.stroke();
    }
  }, [canvas, drawn, strokes, pen]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a change of scheme changes the colours
  useEffect(repaint, [repaint, scheme]);
  useEffect(() => {
    const element = canvas.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(repaint);
    observer.observe(element);
    return () => observer.disconnect();
  }, [canvas, repaint]);
  return repaint;
}

/** A smooth curve through the midpoints of the steps; a single point becomes a dot. */
function strokePath(context: CanvasRenderingContext2D, stroke: readonly PadPoint[], side: number): void {
  const first = stroke[0];
  if (first === undefined) return;
  context.beginPath();
  context.moveTo(first.x * side, first.y * side);
  for (const [index, point] of stroke.entries()) {
    const next = stroke[index + 1] ?? point;
    context.quadraticCurveTo(
      point.x * side,
      point.y * side,
      ((point.x + next.x) / 2) * side,
      ((point.y + next.y) / 2) * side,
    );
  }
  context.stroke();
}
