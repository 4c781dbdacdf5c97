import type { Expectation, Kind } from "./kinds.ts";

/* What takes the place of a good value, by kind. */

/** A cookie that no answer may set. */
export const PLANTED_COOKIE = "planted";

interface TextSpoils {
  readonly texts: readonly string[];
  readonly expect: Expectation;
}

/** For every text: some kinds are text like any other, as far as the schema allows it. */
export const TEXTS: Readonly<Partial<Record<Kind, TextSpoils>>> = {
  8: { texts: ["__proto__", "constructor", "toString"], expect: "harmless" },
  11: { texts: ["a\0b", "a\ud800b"], expect: "refused" },
  12: { texts: ["' OR 1=1 --", "%", "_", "x'); DROP TABLE runs;--", "\\"], expect: "harmless" },
  13: {
    texts: ["../../etc/passwd", "..\\..\\x", "/etc/passwd", "%2e%2e%2f", "file:///etc"],
    expect: "harmless",
  },
  14: { texts: [`a\r\nset-cookie: ${PLANTED_COOKIE}=1`, "a\nb", "a\rb"], expect: "refused" },
  15: { texts: ["<svg onload=alert(1)>", `"><script>alert(1)</script>`], expect: "harmless" },
  16: { texts: ['=HYPERLINK("http://evil.example")', "@SUM(1)", "+1+1"], expect: "harmless" },
};

/** Once in each body: it is read as far as the limit, whatever is in it. */
export const LONG_TEXT = "x".repeat(1_000_000);

/** For every number in JSON, as tokens. Infinity and NaN are not JSON, 1e400 is. */
export const NUMBER_TOKENS: Readonly<Partial<Record<Kind, readonly string[]>>> = {
  9: ["NaN", "Infinity", "-Infinity", "1e400", "-1e400"],
  10: ["9007199254740993", "-1", "1.5"],
  27: ["-1", "0", "1e-320", "2147483648", "4294967296", "1e15", "-1e15", "1e308"],
};

/** For every number in an address or a query. */
export const NUMBER_TEXTS: Readonly<Partial<Record<Kind, readonly string[]>>> = {
  9: ["NaN", "Infinity", "1e400", "1e1"],
  10: ["9007199254740993", "-1", "1.5", "01", "0x1"],
  27: ["2147483648", "999999999999999"],
};

/** Keys that reach a prototype, as they are written in JSON. */
export const PROTOTYPE_KEYS = ["__proto__", "constructor", "prototype", "\\u005f_proto__"] as const;

/** JSON that is no object, and what is not JSON. */
export const FORMLESS = ["null", "[]", "1", '"x"', "true", "{", "{}x", "\ufeff{}", "{'a':1}"] as const;

export const CONTENT_TYPES = [
  "text/plain",
  "application/x-www-form-urlencoded",
  "multipart/form-data; boundary=x",
  "application/xml",
  "application/octet-streams",
] as const;

/** Headers that a proxy or Next would trust. */
export const PROXY_HEADERS = {
  "x-middleware-subrequest": "middleware:middleware:middleware:middleware:middleware",
  "x-forwarded-for": "203.0.113.7",
  "x-forwarded-host": "evil.example",
  "x-forwarded-proto": "https",
  "x-original-url": "/admin",
  "x-rewrite-url": "/admin",
  "x-http-method-override": "DELETE",
  "next-action": "x",
  forwarded: "for=203.0.113.7;host=evil.example",
} as const;

/** An Ed25519 signature with R of small order and S = 0, and one with S above the group's order; in hex. */
export const WEAK_SIGNATURES = [`01${"00".repeat(63)}`, "ff".repeat(64)] as const;
/** Points of small order on Curve25519 and its twist. Source: RFC 7748 section 6.1; cr.yp.to/ecdh.html#validate. */
export const LOW_ORDER_POINTS = [
  "00".repeat(32),
  `01${"00".repeat(31)}`,
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  `ecff${"ff".repeat(29)}7f`,
] as const;
