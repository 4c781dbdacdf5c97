import { describe, expect, test } from "vitest";
import {
  decideRestore,
  lossSentence,
  type RestoreTarget,
  restoreRefusalSentence,
} from "#coordinator/commands/restore/decide-restore.ts";

const instance = "a".repeat(32);
const backup = { instance, position: 10 };
const used = (position: number | null, of: string | null = instance): RestoreTarget => ({
  kind: "used",
  instance: of,
  position,
});
const decide = (target: RestoreTarget, ...flags: readonly ("replace" | "older")[]) =>
  decideRestore(backup, target, { replace: flags.includes("replace"), older: flags.includes("older") });

describe("[O2] a restore", () => {
  test("goes ahead where there is nothing", () => {
    expect(decide({ kind: "free" })).toEqual({ ok: true, value: 0 });
  });

  test("replaces state only if told to", () => {
    for (const position of [0, 10, 11, null])
      expect(decide(used(position))).toEqual({ ok: false, error: { type: "in-use" } });
    for (const position of [0, 9, 10])
      expect(decide(used(position), "replace")).toEqual({ ok: true, value: 0 });
  });

  test("replaces newer state only if told so, too, and says how much is lost", () => {
    expect(decide(used(13), "replace")).toEqual({ ok: false, error: { type: "newer", lost: 3 } });
    expect(decide(used(13), "replace", "older")).toEqual({ ok: true, value: 3 });
    expect(decide(used(13), "older")).toEqual({ ok: false, error: { type: "in-use" } });
  });

  test("takes state that cannot be read for newer", () => {
    expect(decide(used(null, null), "replace")).toEqual({ ok: false, error: { type: "unknown" } });
    expect(decide(used(null, null), "replace", "older")).toEqual({ ok: true, value: null });
  });

  test("never replaces another installation", () => {
    const other = "b".repeat(32);
    expect(decide(used(0, other), "replace", "older")).toEqual({
      ok: false,
      error: { type: "other-installation", instance: other },
    });
  });

  test("says what to do", () => {
    expect(restoreRefusalSentence({ type: "in-use" }, "/d")).toMatch(/add --replace/);
    expect(restoreRefusalSentence({ type: "newer", lost: 3 }, "/d")).toMatch(
      /3 events would be lost.*devices remember them.*--replace --older/,
    );
    expect(restoreRefusalSentence({ type: "unknown" }, "/d")).toMatch(/--replace --older/);
    expect(restoreRefusalSentence({ type: "other-installation", instance }, "/d")).toMatch(/another folder/);
    expect(lossSentence(0)).toBeNull();
    expect(lossSentence(3)).toMatch(/^3 events are lost/);
    expect(lossSentence(null)).toMatch(/^Events may be lost/);
  });
});
