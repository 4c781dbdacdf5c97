import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  endedWords,
  FIRST_WORDS,
  joinUrl,
  notOpenedWords,
  pageTitle,
  secureAddress,
} from "#web/words/opening.ts";

test("the join page's address has one slash, however its base ends", () => {
  for (const joinBaseUrl of ["https://a.example", "https://a.example/"])
    expect(joinUrl({ joinBaseUrl }, "digits")).toBe("https://a.example/join/digits");
});

test("a device that came over plain HTTP is sent to the address over HTTPS, if there is one", () => {
  const status = { joinBaseUrl: "https://a.example", secureContext: true };
  expect(secureAddress(status, "digits")).toBe("https://a.example/join/digits");
  expect(secureAddress({ ...status, secureContext: false }, "digits")).toBeNull();
  // This machine counts as secure over plain HTTP; no other device can go there.
  expect(secureAddress({ joinBaseUrl: "http://localhost:4400", secureContext: true }, "digits")).toBeNull();
  expect(secureAddress(undefined, "digits")).toBeNull();
});

test("only what may pass by itself offers another try", () => {
  const types = [
    "insecure-context",
    "unsupported",
    "other-version",
    "no-such-task",
    "offline",
    "busy",
  ] as const;
  expect(types.filter((type) => notOpenedWords(type).mayRetry)).toEqual(["offline", "busy"]);
  expect(new Set(types.map((type) => notOpenedWords(type).title)).size).toBe(types.length);
});

test("a page that never opened its storage does not claim to have kept anything", () => {
  expect(notOpenedWords("unsupported").kept).toBe("Nothing was stored and nothing was sent.");
  expect(notOpenedWords("offline").kept).toContain("What this browser keeps stays as it is.");
});

test("only a page that took part speaks of a round under way", () => {
  expect(endedWords("ended", true).kept).toContain("If a round was under way");
  expect(endedWords("ended", true).again).toBe("Start again and take part");
  expect(endedWords("ended", false).kept).not.toContain("round");
  expect(endedWords("ended", false).again).toBe("Start again");
});

test("[W22] after site data were cleared, a page does not claim that they are stored", () => {
  for (const tookPart of [true, false]) {
    expect(endedWords("cleared", tookPart).kept).toContain("may be gone from this browser");
    expect(endedWords("cleared", tookPart).kept).not.toMatch(/Nothing is lost|are stored/);
  }
});

test("[W20] the page's HTML says the same first words", () => {
  const html = readFileSync(new URL("../../../../web/join/index.html", import.meta.url), "utf8");
  const text = html.replaceAll(/\s+/g, " ");
  expect(text).toContain(FIRST_WORDS.title);
  expect(text).toContain(FIRST_WORDS.lead);
  expect(text).toContain("Taking part needs scripts");
});

test("a title names the page and the task", () => {
  expect(pageTitle({ page: "join", slug: "digits" })).toBe("Take part: digits. Chorus");
  expect(pageTitle({ page: "learnt", slug: "digits" })).toBe(
    "What the coordinator could learn: digits. Chorus",
  );
  expect(pageTitle(null)).toBe("Nothing here. Chorus");
});
