/*
 * Widths of text in drawings, so that labels can be placed without a browser. From web/fonts/metrics.py, in thousandths
 * of the font size, for 0x20 to 0x7e, with the figures of one width that all pages use.
 */

const REGULAR = widths(
  "212 306 452 527 527 873 646 264 321 321 443 527 264 330 264 371 527 527 527 527 527 527 527 527 527 527 264 264 527 527 527 450 898 576 623 605 652 559 524 654 691 279 508 614 515 771 686 704 600 704 603 566 568 684 546 833 544 505 571 321 371 321 527 530 575 534 586 483 588 526 310 534 577 261 262 525 270 879 580 575 588 588 368 444 358 577 495 762 473 495 450 321 255 321 527",
);
const SEMIBOLD = widths(
  "212 334 512 544 544 891 677 292 343 343 464 544 292 341 292 365 544 544 544 544 544 544 544 544 544 544 292 292 544 544 544 471 928 591 633 611 662 570 540 666 703 299 524 633 532 790 696 714 616 714 626 578 579 694 568 848 572 531 572 343 365 343 544 530 581 547 597 490 598 537 336 550 591 277 279 553 287 894 594 581 598 598 395 457 383 589 525 793 509 524 470 343 269 343 544",
);
const FIRST = 0x20;
/** For letters that the tables do not have: as wide as a figure. */
const OTHER = 540;

function widths(table: string): readonly number[] {
  return table.split(" ").map(Number);
}

/** The classes of text in drawings: size in pixels and weight, as in drawings.css. */
const STYLES = {
  "ink-note": { px: 12, bold: 0 },
  "ink-text": { px: 12, bold: 0.5 },
  "ink-strong": { px: 14, bold: 1 },
} as const;

export type TextStyle = keyof typeof STYLES;

/** Width of a text in a drawing in pixels, without kerning. Text in a fallback face differs by a few per cent. */
export function textWidth(text: string, style: TextStyle = "ink-note"): number {
  const { px, bold } = STYLES[style];
  let thousandths = 0;
  for (const letter of text) {
    // U+00A0 is as wide as a space.
    const index = (letter === "\u00a0" ? FIRST : (letter.codePointAt(0) ?? FIRST)) - FIRST;
    const regular = REGULAR[index] ?? OTHER;
    thousandths += regular + bold * ((SEMIBOLD[index] ?? OTHER) - regular);
  }
  return (px * thousandths) / 1_000;
}

/** Height of a line of such text above its baseline and below it, in pixels. */
export function textRise(style: TextStyle): { readonly above: number; readonly below: number } {
  const { px } = STYLES[style];
  return { above: 0.76 * px, below: 0.22 * px };
}
