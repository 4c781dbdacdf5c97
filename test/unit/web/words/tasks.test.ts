import { expect, test } from "vitest";
import type { JoinTokenView } from "#shared/protocol/access-api.ts";
import type { TaskSlug } from "#shared/protocol/ids.ts";
import { archivedWords, placesSentence } from "#web/words/tasks.ts";

const NOW = Date.UTC(2026, 6, 10);
const SLUG = "readmission" as TaskSlug;
const token = (change: Partial<JoinTokenView>): JoinTokenView => ({
  ...{ tokenId: "t", shown: "7pq2", projectId: "ward", task: SLUG, siteId: null, madeBy: "k7f2" },
  ...{ uses: 1, used: 0, madeAt: "2026-07-01T00:00:00.000Z", endsAt: "2026-07-31T00:00:00.000Z" },
  ...{ isRevoked: false, devicesRemoved: false },
  ...change,
});

test("places of a task are counted over its tokens; only those that are still good are open", () => {
  const tokens = [
    token({ uses: 40, used: 40 }),
    token({ uses: 10, used: 1 }),
    token({ uses: 5, isRevoked: true }),
    token({ uses: 5, used: 2, endsAt: "2026-07-09T00:00:00.000Z" }),
    token({ uses: 100, task: "another" as TaskSlug }),
  ];
  expect(placesSentence(tokens, SLUG, NOW)).toBe(
    "60 places were made: 43 are taken, 9 are open, the last until 31 July. Which device took which is not kept.",
  );
  expect(placesSentence([token({ uses: 1, used: 1 })], SLUG, NOW)).toBe(
    "1 place was made: 1 is taken, 0 are open. Which device took which is not kept.",
  );
  expect(placesSentence([token({ task: null })], SLUG, NOW)).toContain("No join token names this task");
});

test("[V8] an archived task says when it was, by day, and by whom", () => {
  const words = (at: string) => archivedWords({ at, by: "k7f2" }, Date.parse("2026-08-04T10:00:00.000Z"));
  expect(words("2026-08-03T09:00:00.000Z")).toBe("Archived yesterday by k7f2");
  expect(words("2026-07-03T09:00:00.000Z")).toBe("Archived on 3 July by k7f2");
  expect(words("2025-07-03T09:00:00.000Z")).toBe("Archived on 3 July 2025 by k7f2");
});
