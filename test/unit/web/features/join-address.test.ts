import { expect, test } from "vitest";
import { readJoinAddress } from "#web/features/join/join-address.ts";

test.each([
  ["/join/digits", { page: "join", slug: "digits" }],
  ["/join/digits/", { page: "join", slug: "digits" }],
  ["/join/digits/learnt", { page: "learnt", slug: "digits" }],
  ["/join/__proto__", { page: "join", slug: "__proto__" }],
  ["/join/a%2Fb", { page: "join", slug: "a/b" }],
  ["/join/learnt", { page: "join", slug: "learnt" }],
  ["/join", null],
  ["/join/", null],
  ["/join//learnt", null],
  ["/join/a/b", null],
  ["/join/a/learnt/b", null],
  ["/join/%ff", null],
])("[W19] %s names its page and task", (path, expected) => {
  expect(readJoinAddress(path)).toEqual(expected);
});
