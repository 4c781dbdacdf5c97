import { expect, test } from "vitest";
import { connectionFault, readJoinAddress } from "#web/features/join/join-address.ts";

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

test.each([
  [
    "?at=https://chorus.example.org&task=digits",
    { page: "join", slug: "digits", at: "https://chorus.example.org" },
  ],
  [
    "?at=https://chorus.example.org:8443/&task=digits&page=learnt",
    { page: "learnt", slug: "digits", at: "https://chorus.example.org:8443" },
  ],
  ["?at=https://chorus.example.org", null],
  ["?task=digits", null],
  ["?at=https://chorus.example.org/path&task=digits", expect.stringContaining("has a path")],
  [
    "?at=https://user:secret@chorus.example.org&task=digits",
    expect.stringContaining("a user name or password"),
  ],
  ["?at=https://chorus.example.org?x&task=digits", expect.stringContaining("a query")],
  ["?at=javascript:alert(1)&task=digits", expect.stringContaining("not an http or https address")],
  ["?at=__proto__&task=digits", expect.stringContaining("not an http or https address")],
  ["?at=&task=digits", expect.stringContaining("not an http or https address")],
])("[A55] the link %s names coordinator and task", (search, expected) => {
  expect(readJoinAddress("/pages/join/", search)).toEqual(expected);
});

test("[A55] a page connects in plain text only from this machine to this machine", () => {
  expect(connectionFault("https://chorus.example.org", "pages.example.org")).toBeNull();
  expect(connectionFault("http://localhost:3000", "localhost")).toBeNull();
  expect(connectionFault("http://localhost:3000", "pages.example.org")).toContain("is not encrypted");
  expect(connectionFault("http://chorus.example.org", "localhost")).toContain("is not encrypted");
});
