import { describe, expect, test } from "vitest";
import type { EventLog, RunStore, SettingStore } from "#coordinator/core/ports/store.ts";
import { appendTo, newHash, newRunId, newSlug, type Opened, runRecord, runStream, viewLike } from "./rows.ts";

export function settingContract(opened: Opened<EventLog & RunStore & SettingStore>): void {
  const append = appendTo(opened);

  describe("settings", () => {
    test("[D7] a setting keeps its first value", async () => {
      const name = `setting-${newSlug()}`;
      expect(await opened.store.getSetting(name)).toBeNull();
      const values = await Promise.all(
        ["a", "b", "c"].map((value) => opened.store.putSettingOnce(name, value)),
      );
      expect(new Set(values).size).toBe(1);
      expect(await opened.store.putSettingOnce(name, "d")).toBe(values[0]);
      expect(await opened.store.getSetting(name)).toBe(values[0]);
    });

    test("[D7] a device may be noted again, and only those that were noted are known", async () => {
      const identity = newHash();
      expect(await opened.store.hasDevice(identity)).toBe(false);
      await opened.store.noteDevice(identity, 1);
      await opened.store.noteDevice(identity, 2);
      expect(await opened.store.hasDevice(identity)).toBe(true);
      expect(await opened.store.hasDevice(newHash())).toBe(false);
    });

    test("[D7] characters that mean something to SQL are only characters", async () => {
      const text = "x'; drop table event; -- %_\\ \"";
      await opened.store.putSettingOnce(text, text);
      expect(await opened.store.getSetting(text)).toBe(text);
      const runId = newRunId();
      await append(runStream(runId), 1, [runRecord(runId, { actor: text, view: viewLike({ text }) })]);
      expect(await opened.store.findRun(runId)).toMatchObject({ actor: text, view: { text } });
    });
  });
}
