import { expect, test } from "vitest";
import { readingOf } from "#web/words/held-out.ts";

test("[D47] the bytes of a choice are read as its files are named", () => {
  const pair = (name: string) => [`${name}-images-idx3-ubyte.gz`, `${name}-labels-idx1-ubyte.gz`];
  expect(readingOf(pair("emnist-letters-test"), "pictures")).toEqual({
    format: "idx",
    layout: { isTransposed: true, firstLabel: 1 },
  });
  expect(readingOf(pair("emnist-balanced-test"), "pictures").layout).toEqual({
    isTransposed: true,
    firstLabel: 0,
  });
  expect(readingOf(pair("t10k"), "pictures").layout).toEqual({ isTransposed: false, firstLabel: 0 });
  expect(readingOf(["pictures.ZIP"], "pictures")).toEqual({ format: "zip" });
  expect(readingOf(["pixels.CSV"], "pictures")).toEqual({ format: "csv" });
  expect(readingOf(["rows.csv"], "table")).toEqual({ format: "csv" });
});
