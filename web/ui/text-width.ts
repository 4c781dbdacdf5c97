/** Rough width of 12 px text, for leaving out labels that have no room. */
export const textWidth = (text: string): number => 6.4 * text.length;
