/** What has left a device in a round. */
export interface WhatLeft {
  readonly anythingLeft: boolean;
  /** True once a whole masked list, or a part of one, has left. */
  readonly listLeft: boolean;
}

/** The end of every sentence about a round that did not commit: what became known elsewhere, as it was sent. */
export function sentWords({ anythingLeft, listLeft }: WhatLeft): string {
  if (listLeft) return "Your masked list had been sent; it means nothing alone.";
  return anythingLeft ? "Only keys and signatures were sent; your update stayed here." : "Nothing was sent.";
}
