import { err, ok, type Result } from "../kernel/result.ts";
import type { Ops, Shape, Window } from "./ops.ts";

/** How many places a window of `size` takes along an axis of `length`. May be below 1 if the axis is too short. */
export function placesOf(length: number, size: number, { strides, padding }: Window): number {
  return padding === "same" ? Math.ceil(length / strides) : Math.floor((length - size) / strides) + 1;
}

/** The axes of a picture. Error: what the layer takes instead. */
export function pictureAxes(
  input: Shape,
): Result<{ readonly height: number; readonly width: number; readonly channels: number }, string> {
  const [height = 0, width = 0, channels = 0] = input;
  if (input.length === 3) return ok({ height, width, channels });
  return err(`takes a picture, not ${input.length === 2 ? "a series" : "a flat vector"}`);
}

/** The axes of a series. Error: what the layer takes instead. */
export function seriesAxes(
  input: Shape,
): Result<{ readonly length: number; readonly channels: number }, string> {
  const [length = 0, channels = 0] = input;
  if (input.length === 2) return ok({ length, channels });
  return err(`takes a series, not ${input.length === 3 ? "a picture" : "a flat vector"}`);
}

/** Series [rows, length, channels] as pictures of height 1. */
export function asPictures<Tensor extends object>(ops: Ops<Tensor>, series: Tensor): Tensor {
  return ops.reshape(series, pictureShape(ops.shapeOf(series)));
}

/** The shape of `asPictures`, with the batch axis. */
export function pictureShape([rows = 0, length = 0, channels = 0]: Shape): Shape {
  return [rows, 1, length, channels];
}

/** The inverse of `asPictures`. */
export function asSeries<Tensor extends object>(ops: Ops<Tensor>, pictures: Tensor): Tensor {
  const [rows = 0, , length = 0, channels = 0] = ops.shapeOf(pictures);
  return ops.reshape(pictures, [rows, length, channels]);
}
