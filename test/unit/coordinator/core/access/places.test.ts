import { expect, test } from "vitest";
import { Places } from "#coordinator/core/access/places.ts";
import type { Place } from "#coordinator/core/ports/store.ts";

test("[X33] a place is looked up once for many askers, and again after seconds or a change of settings", async () => {
  let nowMs = 0;
  let joining: Place["joining"] = "public";
  const asked: string[] = [];
  const places = new Places({
    clock: { nowMs: () => nowMs },
    store: {
      findPlaces: async ({ id }) => {
        asked.push(id);
        return id === "there" ? [{ projectId: "ward", slug: "small", joining }] : [];
      },
    },
  });
  const of = (id: string) => places.of({ type: "model", id });
  await Promise.all(Array.from({ length: 100 }, () => of("there")));
  expect(asked).toEqual(["there"]);
  joining = "invitation";
  places.forget();
  expect(await of("there")).toMatchObject([{ joining: "invitation" }]);
  nowMs += 5_000;
  await of("there");
  expect(asked).toEqual(["there", "there", "there"]);
  await of("absent");
  await of("absent");
  expect(asked.slice(3)).toEqual(["absent", "absent"]);
});
