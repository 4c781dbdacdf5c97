import { describe, expect, test } from "vitest";
import { present } from "#shared/kernel/assert.ts";
import { Federation } from "#test/kit/worlds/federation.ts";

/*
 * A round that is open while the coordinator is updated to a version that derives another config from the same task.
 */

describe("[R44] [S11] a round of an earlier version's config", () => {
  test.for(["collecting", "unmasking"] as const)(
    "is given up while %s, leaves nothing behind, and the run goes on",
    async (phase) => {
      const federation = await Federation.create({ devices: 4 });
      // Two devices keep the phase open.
      for (const device of federation.devices.slice(0, 2))
        device.goneBefore = phase === "collecting" ? "input" : "unmask";
      federation.connectAll();
      const runId = await federation.launch(1);
      const isThere = async () => (await federation.run(runId)).currentRound?.phase === phase;
      await federation.until(isThere, phase);
      await federation.inFlight.settle();
      const [open] = await federation.rounds(runId);
      const { roundId } = present(open, "a round");
      expect(federation.db.material.size).toBeGreaterThan(0);
      expect(federation.disk.spool.size).toBeGreaterThan(0);

      federation.crash();
      const { log } = federation.db;
      const first = log.findIndex(({ stream, sequence }) => stream.id === roundId && sequence === 1);
      const entry = present(log[first], "the round's opening");
      log[first] = { ...entry, body: entry.body.replace(/"configHash":"../, '"configHash":"00') };
      await federation.restart();
      await federation.until(
        async () => (await federation.rounds(runId))[0]?.code === "RESTARTED",
        "the round's end",
      );
      const [ended] = await federation.rounds(runId);
      expect(ended?.phase).toBe(phase === "collecting" ? "failed" : "voided");
      await federation.inFlight.settle();
      expect([federation.db.material.size, federation.disk.spool.size]).toEqual([0, 0]);

      for (const device of federation.devices) device.goneBefore = null;
      federation.connectAll();
      await federation.ended(runId);
      const run = await federation.run(runId);
      expect([run.state, run.roundsCommitted]).toEqual(["completed", 1]);
    },
  );
});
