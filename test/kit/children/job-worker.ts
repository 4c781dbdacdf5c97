import { answerJobs } from "#coordinator/adapters/answer-jobs.ts";

/* Does what it is told: answers, beats for a while, fails, loops, waits forever, or exits. */

export type TestJob = "answer" | "beat" | "fail" | "loop" | "never" | "exit";

answerJobs(async (job: TestJob, beat): Promise<number> => {
  switch (job) {
    case "answer":
      return 1;
    case "beat":
      for (let beats = 0; beats < 30; beats++) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        beat();
      }
      return 30;
    case "fail":
      throw new Error("as it was told");
    case "loop":
      for (;;);
    case "never":
      return new Promise<number>(() => setInterval(() => undefined, 1_000));
    case "exit":
      return process.exit(3);
  }
});
