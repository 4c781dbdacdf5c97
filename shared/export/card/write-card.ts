import type { Bytes } from "../../kernel/bytes.ts";
import { utf8 } from "../../kernel/bytes.ts";
import { cyclonedxCard } from "./cyclonedx.ts";
import type { CardFormat } from "./formats.ts";
import { markdownCard } from "./markdown.ts";
import type { CardSource } from "./source.ts";

/** The card in a format. The same source gives the same bytes. */
export function writeCard(format: CardFormat, source: CardSource): Bytes {
  return utf8(format === "markdown" ? markdownCard(source) : cyclonedxCard(source));
}
