/**
 * Text from UTF-8, or `undefined` where the bytes are not well-formed: overlong forms, surrogates, values above
 * U+10FFFF and cut sequences are refused, never replaced.
 *
 * Source: RFC 3629 section 4; Unicode 16, table 3-7.
 */
export function utf8ToText(bytes: Uint8Array): string | undefined {
  let text = "";
  let index = 0;
  while (index < bytes.length) {
    const lead = bytes[index] as number;
    const extra = continuationCount(lead);
    if (extra === undefined || index + extra >= bytes.length) return undefined;
    let code = extra === 0 ? lead : lead & (0x3f >> extra);
    for (let step = 1; step <= extra; step++) {
      const next = bytes[index + step] as number;
      if ((next & 0xc0) !== 0x80) return undefined;
      code = (code << 6) | (next & 0x3f);
    }
    if (code < (SMALLEST_BY_EXTRA[extra] as number) || code > 0x10ffff) return undefined;
    if (code >= 0xd800 && code <= 0xdfff) return undefined;
    text += String.fromCodePoint(code);
    index += extra + 1;
  }
  return text;
}

/** The smallest code point that needs so many continuation bytes. */
const SMALLEST_BY_EXTRA = [0, 0x80, 0x800, 0x10000];

function continuationCount(lead: number): number | undefined {
  if (lead < 0x80) return 0;
  if (lead >= 0xc2 && lead < 0xe0) return 1;
  if (lead >= 0xe0 && lead < 0xf0) return 2;
  if (lead >= 0xf0 && lead < 0xf5) return 3;
  return undefined;
}
