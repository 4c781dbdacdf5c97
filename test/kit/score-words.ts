import type { Picture, TextMark } from "#web/score/projection.ts";
import { textRise, textWidth } from "#web/ui/text-width.ts";

/* The words of a picture as boxes, to check that none meets another. */

interface Box {
  readonly text: string;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

export function wordsOf(picture: Pick<Picture, "axes" | "annotations" | "sumWords">): TextMark[] {
  const marks = [...picture.axes, ...picture.annotations, ...picture.sumWords];
  return marks.filter((mark) => mark.kind === "text");
}

function boxOf({ text, className, x, y, anchor }: TextMark): Box {
  const style = className.split(" ")[0];
  if (style !== "ink-note" && style !== "ink-text" && style !== "ink-strong")
    throw new Error(`no style in "${className}"`);
  const width = textWidth(text, style);
  const left = anchor === "end" ? x - width : anchor === "middle" ? x - width / 2 : x;
  const { above, below } = textRise(style);
  return { text, left, right: left + width, top: y - above, bottom: y + below };
}

/** Pairs of words that overlap, and words that leave the picture. */
export function meetings(words: readonly TextMark[], width: number, height: number): string[] {
  const boxes = words.map(boxOf);
  const outside = boxes
    .filter(
      (box) => box.left < -0.5 || box.right > width + 0.5 || box.top < -0.5 || box.bottom > height + 0.5,
    )
    .map(({ text }) => `"${text}" leaves the picture`);
  const pairs = boxes.flatMap((one, index) =>
    boxes
      .slice(index + 1)
      .filter(
        (other) =>
          one.left < other.right &&
          other.left < one.right &&
          one.top < other.bottom &&
          other.top < one.bottom,
      )
      .map((other) => `"${one.text}" meets "${other.text}"`),
  );
  return [...outside, ...pairs];
}
