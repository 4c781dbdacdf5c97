import type { PictureSize } from "../pictures/fit.ts";
import type { ReadPicture } from "../pictures/read-picture.ts";
import { inWords } from "./words.ts";

/** Counts what was done to the pictures of a set, and says it. */
export class PictureNotes {
  readonly #size: PictureSize;
  readonly #byFit = { kept: 0, ink: 0, photo: 0 };
  #turned = 0;
  #laidOnWhite = 0;
  #madeGrey = 0;

  /** @param size  The task's. */
  constructor(size: PictureSize) {
    this.#size = size;
  }

  add({ fit, isTurned, isLaidOnWhite, isMadeGrey }: ReadPicture): void {
    this.#byFit[fit] += 1;
    this.#turned += Number(isTurned);
    this.#laidOnWhite += Number(isLaidOnWhite);
    this.#madeGrey += Number(isMadeGrey);
  }

  sentences(): string[] {
    const { height, width } = this.#size;
    const { kept, ink, photo } = this.#byFit;
    const brought = `brought to ${height} by ${width} pixels`;
    return [
      ...said(ink, `${brought}: cropped to what stands out of the background, which became 0`),
      ...said(photo, `${brought}: the middle was taken`),
      ...said(this.#madeGrey, "in colour and made grey"),
      ...said(this.#laidOnWhite, "transparent in parts and laid on white"),
      ...said(this.#turned, "turned upright, as the file says"),
      ...(kept > 0 && ink > 0
        ? [
            `${pictures(kept)} had ${height} by ${width} pixels and kept the background, which became 0 in the others. A model can learn to tell the two kinds of files apart: give all pictures in one size.`,
          ]
        : []),
    ];
  }
}

function said(count: number, what: string): string[] {
  return count === 0 ? [] : [`${pictures(count)} ${count === 1 ? "was" : "were"} ${what}.`];
}

function pictures(count: number): string {
  return `${inWords(count)} ${count === 1 ? "picture" : "pictures"}`;
}
