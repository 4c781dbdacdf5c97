import { defineConfig } from "vitest/config";

/** Three projects: `fast` (no I/O to speak of), `integration` (processes, databases), `e2e` (a real Chromium). */
export default defineConfig({
  root: new URL("..", import.meta.url).pathname,
  test: {
    // A test on a shared machine must not fail because the machine is slow; speed is the benches' matter.
    testTimeout: 120_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 60_000 } },
    reporters: ["default"],
    // Vitest leaves one core idle by default, which is half of a machine with two.
    maxWorkers: "100%",
    projects: [
      {
        extends: true,
        test: { name: "fast", include: ["test/{unit,property,vectors,tidy}/**/*.test.{ts,tsx}"] },
      },
      {
        extends: true,
        test: {
          name: "integration",
          include: ["test/integration/**/*.test.ts"],
          pool: "forks",
          testTimeout: 300_000,
        },
      },
      {
        extends: true,
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          pool: "forks",
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
