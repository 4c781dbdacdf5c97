/** The formats of a model's card. */
export const CARD_FORMATS = ["markdown", "cyclonedx"] as const;
export type CardFormat = (typeof CARD_FORMATS)[number];

/** How a card's file is called after the model's name, and its media type. */
export const CARD_FILES: Readonly<
  Record<CardFormat, { readonly ending: string; readonly mediaType: string }>
> = {
  markdown: { ending: "-card.md", mediaType: "text/markdown; charset=utf-8" },
  cyclonedx: { ending: ".cdx.json", mediaType: "application/vnd.cyclonedx+json; version=1.6" },
};
