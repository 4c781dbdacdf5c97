import { describe, expect, test } from "vitest";
import { present } from "#shared/kernel/assert.ts";
import { apiErrorSchema } from "#shared/protocol/api.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import { RUN_ID } from "#test/kit/fakes/fake-core.ts";
import { ManualClock } from "#test/kit/fakes/manual-clock.ts";
import { openShell } from "#test/kit/worlds/shell.ts";

/* What many reads over HTTP may cost. */

function codeOf(body: string): string {
  return apiErrorSchema.parse(JSON.parse(body)).error.code;
}

describe("many reads", () => {
  test("[W10] a few run at a time, a few wait, the others are told to come later, and writes pass", async () => {
    const own = await openShell();
    try {
      let running = 0;
      let runningMax = 0;
      let release = () => {};
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      own.core.listRuns = async () => {
        running += 1;
        runningMax = Math.max(runningMax, running);
        await released;
        running -= 1;
        return { items: [], next: null };
      };
      const busyCount = 40;
      const takenCount = LIMITS.readsAtOnce + LIMITS.readsWaitingPerAddress;
      const reads = Array.from({ length: takenCount + busyCount }, () =>
        fetch(`${own.url}/api/v1/runs?limit=1`),
      );
      let refused = 0;
      for (const read of reads) {
        void read.then(async (answer) => {
          if (answer.status !== 503) return;
          expect(answer.headers.get("retry-after")).toBe("1");
          expect(codeOf(await answer.text())).toBe("UNAVAILABLE");
          refused += 1;
        });
      }
      await expect.poll(() => refused).toBe(busyCount);
      const write = await fetch(`${own.url}/api/v1/runs/${RUN_ID}/pause`, { method: "POST" });
      expect(write.status).toBe(200);
      expect((await fetch(`${own.url}/api/v1/status`)).status).toBe(200);
      release();
      const statuses = (await Promise.all(reads)).map(({ status }) => status);
      expect(statuses.filter((status) => status === 200).length).toBe(takenCount);
      expect(runningMax).toBe(LIMITS.readsAtOnce);
    } finally {
      await own.close();
    }
  });

  test("[W10] reads have a rate per address, and a long list costs more than a short one", async () => {
    const own = await openShell();
    try {
      const untilRefused = async (query: string) => {
        for (let count = 0; ; count++) {
          const answer = await fetch(`${own.url}/api/v1/tasks?${query}`);
          if (answer.status === 200) continue;
          expect(answer.status).toBe(429);
          expect(codeOf(await answer.text())).toBe("RATE_LIMITED");
          return count;
        }
      };
      const cost = 1 + LIMITS.pageSizeMax / 10;
      const taken = await untilRefused(`limit=${LIMITS.pageSizeMax}`);
      expect(taken).toBeGreaterThanOrEqual(Math.floor(LIMITS.readsBurstPerAddress / cost));
      expect(taken).toBeLessThan((2 * LIMITS.readsBurstPerAddress) / cost);
    } finally {
      await own.close();
    }
  });

  test("[W10] a large answer costs what its bytes take", async () => {
    const own = await openShell({ clock: new ManualClock() });
    try {
      const costOfOne = 1 + 10;
      const view = present(await own.core.taskView("digits"), "the task");
      const dataCard = "x".repeat(10 * LIMITS.readByteCountPerCost);
      own.core.taskView = async () => ({ ...view, task: { ...view.task, dataCard } });
      let taken = 0;
      while ((await fetch(`${own.url}/api/v1/tasks/digits`)).status === 200) taken += 1;
      expect(taken).toBe(Math.ceil(LIMITS.readsBurstPerAddress / costOfOne));
    } finally {
      await own.close();
    }
  });

  test("[W10] pages, their files and operators' requests have rates; the liveness check has a much higher one", async () => {
    const clock = new ManualClock();
    const own = await openShell({ clock });
    const asked = async (path: string, count: number) => {
      let last = await fetch(`${own.url}${path}`);
      for (let index = 1; index < count; index++) {
        await last.arrayBuffer();
        last = await fetch(`${own.url}${path}`);
      }
      return last;
    };
    try {
      for (const [path, burst] of [
        ["/", LIMITS.pagesBurstPerAddress],
        ["/metrics", LIMITS.operationsBurstPerAddress],
      ] as const) {
        expect((await asked(path, burst)).status).not.toBe(429);
        const refused = await asked(path, 1);
        expect(refused.status).toBe(429);
        expect(refused.headers.get("retry-after")).toBe("1");
        expect(codeOf(await refused.text())).toBe("RATE_LIMITED");
      }
      expect((await asked("/_next/static/a.js", LIMITS.pagesBurstPerAddress + 1)).status).toBe(404);
      expect((await asked("/livez", LIMITS.operationsBurstPerAddress + 1)).status).toBe(200);
      // These are pages, whatever their names begin with.
      for (const path of ["/livezx", "/livez/x", "/readyzx", "/metrics/x"])
        expect((await asked(path, 1)).status, path).toBe(429);
      clock.advance(1_000);
      expect((await asked("/", LIMITS.pagesPerSecondPerAddress)).status).toBe(404);
    } finally {
      await own.close();
    }
  });
});
