import { expect, test } from "vitest";
import { everyItem } from "#coordinator/core/ports/every-item.ts";
import type { Page } from "#coordinator/core/ports/store.ts";

const list = async ({ limit, cursor = "0" }: Page) => {
  const from = Number(cursor);
  const items = Array.from({ length: Math.min(limit, 450 - from) }, (_, index) => from + index);
  const next = from + items.length;
  return { items, next: next < 450 ? String(next) : null };
};

test("all pages of a list are read, in order", async () => {
  expect(await everyItem(list)).toEqual(Array.from({ length: 450 }, (_, index) => index));
});

test("[A85] of a long list what is wanted is kept", async () => {
  expect(await everyItem(list, (item) => item % 200 === 1)).toEqual([1, 201, 401]);
});
