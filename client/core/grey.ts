import type { GreyPicture } from "#shared/task/picture.ts";

/**
 * Luminance of a colour picture, laid on white where it is transparent.
 *
 * @param pixels    [height * width * channels], row by row; channels are 1 grey, 2 grey and alpha, 3 colours, 4 with alpha.
 * @param valueMax  255, or 65,535.
 * Source: ITU-R BT.601, luma of R'G'B'.
 */
export function toGrey(
  pixels: ArrayLike<number>,
  size: { readonly height: number; readonly width: number },
  channels: number,
  valueMax: number,
): GreyPicture {
  const { height, width } = size;
  const luminance = new Float32Array(height * width);
  for (let index = 0; index < luminance.length; index++) {
    const at = (channel: number) => (pixels[index * channels + channel] as number) / valueMax;
    const luma = channels < 3 ? at(0) : 0.299 * at(0) + 0.587 * at(1) + 0.114 * at(2);
    const alpha = channels === 2 || channels === 4 ? at(channels - 1) : 1;
    luminance[index] = Math.min(1, luma * alpha + 1 - alpha);
  }
  return { luminance, height, width };
}
