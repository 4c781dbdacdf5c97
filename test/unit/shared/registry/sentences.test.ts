import { expect, test } from "vitest";
import { taskSlugSchema } from "#shared/protocol/ids.ts";
import { loggedInRegistry, registryFactOf } from "#shared/registry/log.ts";
import { registrySentence } from "#shared/registry/sentences.ts";

const gates: never[] = [];
const of = { slug: taskSlugSchema.parse("digits"), actor: "ada" };

test("[G2] an act on a model has one sentence, which says what it takes the place of", () => {
  expect(registrySentence({ type: "alias-moved", alias: "shadow", from: null, to: 5, ...of })).toBe(
    "ada made version 5 of digits @shadow.",
  );
  expect(registrySentence({ type: "alias-moved", alias: "challenger", from: 4, to: 5, ...of })).toBe(
    "ada made version 5 of digits @challenger, in place of version 4.",
  );
  expect(registrySentence({ type: "alias-moved", alias: "shadow", from: 4, to: null, ...of })).toBe(
    "ada removed @shadow from version 4 of digits.",
  );
  expect(registrySentence({ type: "promoted", from: null, to: 5, gates, ...of })).toBe(
    "ada promoted version 5 of digits: it is in use.",
  );
  expect(registrySentence({ type: "promoted", from: 3, to: 5, gates, ...of })).toBe(
    "ada promoted version 5 of digits: it is in use, in place of version 3.",
  );
  expect(registrySentence({ type: "rolled-back", from: 5, to: 3, ...of })).toBe(
    "ada went back to version 3 of digits: it is in use, in place of version 5.",
  );
});

test("[G2] the log of the registry reads what it wrote, and nothing of a later program", () => {
  const fact = { type: "promoted", from: null, to: 5, gates, ...of } as const;
  const event = loggedInRegistry(fact);
  expect(registryFactOf({ sequence: 1, event })).toEqual({ ok: true, value: fact });
  expect(registryFactOf({ sequence: 1, event: { ...event, version: 2 } })).toMatchObject({
    error: { type: "newer", version: 2 },
  });
  expect(registryFactOf({ sequence: 1, event: { fact: { ...fact, to: 0 } } })).toMatchObject({
    error: { type: "malformed", path: "fact.to" },
  });
  const champion = { type: "alias-moved", alias: "champion", from: null, to: 5, ...of };
  expect(registryFactOf({ sequence: 1, event: { fact: champion } }).ok).toBe(false);
});
