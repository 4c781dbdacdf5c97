import { describe, expect, test } from "vitest";
import type { AccessStore, NewEnrolment } from "#coordinator/core/ports/access-store.ts";
import type { EventLog, StoreRecord } from "#coordinator/core/ports/store.ts";
import { newHash, newRunId, type Opened, withLeaves } from "./rows.ts";

export function accessContract(opened: Opened<EventLog & AccessStore>): void {
  const write = (records: readonly StoreRecord[], id = newRunId()) =>
    opened.store.appendNext({ kind: "access", id }, { at: 1, event: { fact: {} } }, withLeaves(records));
  const rowsOf = async (...ids: string[]) =>
    (await opened.store.listAccessRows()).filter(({ id }) => ids.includes(id));
  const enrolment = (change: Partial<NewEnrolment> = {}): NewEnrolment => ({
    identity: newHash(),
    projectId: "default",
    task: null,
    siteId: null,
    enrolledAt: 1000,
    ...change,
  });

  describe("access", () => {
    test("[X1] a row is written with its event, replaced and deleted, each kind by itself", async () => {
      const [id, other] = [newRunId(), newRunId()];
      const row = (kind: "site" | "person", body: unknown, rowId = id): StoreRecord => ({
        type: "access-row",
        kind,
        id: rowId,
        body,
      });
      await write([row("site", { name: "one" }), row("person", { name: "ada" }), row("site", {}, other)]);
      await write([row("site", { name: "'; drop table access_row; --\u0000" })]);
      expect(await rowsOf(id)).toEqual([
        { kind: "person", id, body: { name: "ada" } },
        { kind: "site", id, body: { name: "'; drop table access_row; --\u0000" } },
      ]);
      await write([row("site", null)]);
      expect(await rowsOf(id, other)).toEqual([
        { kind: "person", id, body: { name: "ada" } },
        { kind: "site", id: other, body: {} },
      ]);
    });

    test("[X65] when a site was last seen replaces its row, and makes none", async () => {
      const [siteId, other] = [newRunId(), newRunId()];
      await write([{ type: "access-row", kind: "site", id: siteId, body: { lastSeenAt: null } }]);
      await write([{ type: "access-row", kind: "person", id: siteId, body: { name: "ada" } }]);
      await opened.store.noteSite(siteId, { lastSeenAt: 7 });
      await opened.store.noteSite(other, { lastSeenAt: 7 });
      expect(await rowsOf(siteId, other)).toEqual([
        { kind: "person", id: siteId, body: { name: "ada" } },
        { kind: "site", id: siteId, body: { lastSeenAt: 7 } },
      ]);
    });

    test("[X1] a row of a failed write is not there", async () => {
      const id = newRunId();
      const record: StoreRecord = { type: "access-row", kind: "site", id, body: {} };
      const impossible: StoreRecord = { type: "model-opened", modelHash: newHash(), sid: newHash() };
      const stream = { kind: "access", id: newRunId() } as const;
      const failing = opened.store.appendNext(stream, { at: 1, event: {} }, withLeaves([record, impossible]));
      await expect(failing).rejects.toThrow(/offered/);
      expect(await rowsOf(id)).toEqual([]);
      expect(await opened.store.readStream(stream)).toEqual([]);
      // The same row alone is written.
      await write([record]);
      expect(await rowsOf(id)).toHaveLength(1);
    });

    test("[X2] a join token enrols as many devices as it has uses, whoever else comes at the same time", async () => {
      const tokenId = newRunId();
      const comers = Array.from({ length: 8 }, () => enrolment());
      const answers = await Promise.all(comers.map((comer) => opened.store.enrol(tokenId, 3, comer)));
      expect(answers.filter((answer) => answer === "enrolled")).toHaveLength(3);
      expect(answers.filter((answer) => answer === "spent")).toHaveLength(5);
      expect((await opened.store.countJoins()).get(tokenId)).toBe(3);
      const found = await Promise.all(comers.map(({ identity }) => opened.store.findEnrolments(identity)));
      expect(found.map((rows) => rows.length)).toEqual(
        answers.map((answer) => (answer === "enrolled" ? 1 : 0)),
      );
      expect(await opened.store.enrol(newRunId(), 1, comers[0] ?? enrolment())).toBe("enrolled");
    });

    test("[X2] a device that comes again uses nothing, not even twice at once or after the last use", async () => {
      const tokenId = newRunId();
      const [first, second] = [enrolment(), enrolment()];
      const answers = await Promise.all(
        [first, first, first].map((one) => opened.store.enrol(tokenId, 2, one)),
      );
      expect(answers).toEqual(["enrolled", "enrolled", "enrolled"]);
      expect((await opened.store.countJoins()).get(tokenId)).toBe(1);
      expect(await opened.store.enrol(tokenId, 2, second)).toBe("enrolled");
      expect(await opened.store.enrol(tokenId, 2, enrolment())).toBe("spent");
      expect(await opened.store.enrol(tokenId, 2, { ...first, enrolledAt: 9 })).toBe("enrolled");
      expect(await opened.store.findEnrolments(first.identity)).toEqual([{ ...first, tokenId }]);
      expect((await opened.store.countJoins()).has(newRunId())).toBe(false);
    });

    test("[X2] enrolments of an identity, a site or a join token go, and the uses that they took stay taken", async () => {
      const [tokenId, siteToken, siteId] = [newRunId(), newRunId(), newRunId()];
      const device = enrolment({ task: "digits", enrolledAt: 2 });
      const site = enrolment({ siteId, enrolledAt: 1 });
      await opened.store.enrol(tokenId, 1, device);
      await opened.store.enrol(siteToken, 1, site);
      await opened.store.enrol(newRunId(), 1, { ...device, task: "other", enrolledAt: 1 });
      const tasks = (await opened.store.findEnrolments(device.identity)).map(({ task }) => task);
      expect(tasks).toEqual(["other", "digits"]);
      await opened.store.deleteEnrolments({ identity: device.identity });
      expect(await opened.store.findEnrolments(device.identity)).toEqual([]);
      expect(await opened.store.findEnrolments(site.identity)).toEqual([{ ...site, tokenId: siteToken }]);
      await opened.store.deleteEnrolments({ siteId });
      expect(await opened.store.findEnrolments(site.identity)).toEqual([]);
      const shared = newRunId();
      const joined = [enrolment(), enrolment()] as const;
      for (const one of joined) await opened.store.enrol(shared, 2, one);
      await opened.store.enrol(newRunId(), 1, joined[1]);
      await opened.store.deleteEnrolments({ tokenId: shared });
      const left = await Promise.all(joined.map(({ identity }) => opened.store.findEnrolments(identity)));
      expect(left.map((rows) => rows.length)).toEqual([0, 1]);
      expect((await opened.store.countJoins()).get(shared)).toBe(2);
      expect(await opened.store.enrol(tokenId, 1, device)).toBe("spent");
      expect((await opened.store.countJoins()).get(siteToken)).toBe(1);
    });
  });
}
