import { expect, test } from "vitest";
import { projectSentence } from "#shared/project/sentences.ts";
import type { TaskSlug } from "#shared/protocol/ids.ts";
import type { TaskSettingChanges } from "#shared/task/settings.ts";
import { taskViewOf } from "#test/kit/web-views.ts";
import { publishEntry } from "#web/words/workshop-preview.ts";

const slug = "digits" as TaskSlug;

test.each([
  [{ joining: "public" }, "k7f2 opened digits to anyone with the address."],
  [{ joining: "invitation" }, "k7f2 closed digits to all but those invited."],
  [{ invitation: "Draw a digit." }, "k7f2 changed the heading of digits."],
  [{ invitation: null }, "k7f2 changed the heading of digits."],
  [
    { joining: "public", invitation: "Draw a digit." },
    "k7f2 opened digits to anyone with the address and changed its heading.",
  ],
  [{ promotion: null }, "k7f2 changed the gates of digits: none."],
  [
    { promotion: { gates: [{ kind: "cohort", devicesMin: 5 }], promoteByItself: false } },
    "k7f2 changed the gates of digits: 1.",
  ],
  [
    { joining: "public", promotion: { gates: [{ kind: "cohort", devicesMin: 5 }], promoteByItself: true } },
    "k7f2 opened digits to anyone with the address and changed its gates: 1, and a version that passes is put in use by itself.",
  ],
] satisfies readonly (readonly [TaskSettingChanges, string])[])(
  "[X91] a change of settings, %j",
  (changes, sentence) => {
    expect(projectSentence({ type: "task-settings-changed", slug, changes, actor: "k7f2" })).toBe(sentence);
  },
);

test("[X91] publishing a version says so, and that an archived task is taken up again", () => {
  const { task } = taskViewOf({});
  const start = `k7f2 published version ${task.version} of ${task.slug}`;
  expect(publishEntry(task, "k7f2", false)).toBe(`${start}.`);
  expect(publishEntry(task, "k7f2", true)).toBe(`${start}, which takes the task up again.`);
});
