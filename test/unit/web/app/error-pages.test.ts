import { createElement, type FunctionComponent } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, test } from "vitest";
import PageError from "#web/app/error.tsx";
import GlobalError from "#web/app/global-error.tsx";

type ErrorPage = FunctionComponent<{ error: Error & { digest?: string }; reset: () => void }>;

/** The page as a reader sees it: its elements' texts in order. */
function textsOf(page: ErrorPage, error: Error & { digest?: string }): string[] {
  const html = renderToStaticMarkup(createElement(page, { error, reset: () => {} }));
  return html
    .replace(/<svg.*?<\/svg>/gs, "")
    .split(/<[^>]*>/)
    .filter((text) => text !== "");
}

const TEXTS = [
  "This page failed",
  "The page hit an error and stopped. Runs go on; the error sent and lost nothing.",
  "Try again",
];

describe("a page that failed", () => {
  const error = new Error("it broke");
  const digested = Object.assign(new Error("it broke"), { digest: "1234567" });

  test("says what happened, what goes on, and what to do", () => {
    expect(textsOf(PageError, error)).toEqual(["Chorus", ...TEXTS, "Go to Runs", "it broke"]);
    expect(textsOf(GlobalError, error)).toEqual(["This page failed. Chorus", ...TEXTS, "it broke"]);
  });

  test("shows the digest of an error of the server instead of its message", () => {
    for (const page of [PageError, GlobalError]) {
      expect(textsOf(page, digested)).toContain("1234567");
      expect(textsOf(page, digested)).not.toContain("it broke");
    }
  });

  test("without the frame around it is a whole document, with a language and one main part", () => {
    const html = renderToStaticMarkup(createElement(GlobalError, { error, reset: () => {} }));
    expect(html).toMatch(/^<html lang="en">/);
    expect(html.match(/<main id="main"/g)).toHaveLength(1);
  });
});
