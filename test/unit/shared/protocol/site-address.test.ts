import fc from "fast-check";
import { expect, test } from "vitest";
import { siteAddressFault } from "#shared/protocol/site-address.ts";

const faultOf = (text: string) => siteAddressFault("--public-url", URL.parse(text));

test.each([
  "https://chorus.example.org",
  "https://chorus.example.org/",
  "http://localhost:3000",
  "http://[::1]:3000/",
])("[W15] %s is the address of a site", (text) => {
  expect(faultOf(text)).toBeNull();
});

test.each([
  ["chorus.example.org", "is not an http or https address"],
  ["", "is not an http or https address"],
  ["*", "is not an http or https address"],
  ["null", "is not an http or https address"],
  ["ftp://chorus.example.org", "is not an http or https address"],
  ["https://chorus.example.org/lab", "has a path"],
  ["https://chorus.example.org//", "has a path"],
  ["https://chorus.example.org/?a=1", "has a query"],
  ["https://chorus.example.org/#top", "has a fragment"],
  ["https://ada@chorus.example.org", "has a user name or password"],
])("[W15] %j is refused with a sentence that says why", (text, why) => {
  expect(faultOf(text)).toMatch(new RegExp(`^--public-url ${why}.*https://chorus\\.example\\.org`));
});

test("[W15] nothing that is accepted loses a part when it is cut to its origin; a password is never repeated", () => {
  fc.assert(
    fc.property(
      fc.webUrl({ withFragments: true, withQueryParameters: true, validSchemes: ["http", "https", "ftp"] }),
      (text) => {
        const { href, origin } = new URL(text);
        const isOriginAlone = /^https?:/.test(text) && href === `${origin}/`;
        const isEmptyPart = /[?#]$/.test(href);
        if (!isEmptyPart) expect(faultOf(text) === null).toBe(isOriginAlone);
      },
    ),
  );
  expect(faultOf("https://ada:secret@chorus.example.org")).not.toContain("secret");
});
