import { err, ok, type Result } from "#shared/kernel/result.ts";
import type { RunView } from "#shared/protocol/api.ts";
import { type WireError, wireError } from "#shared/protocol/errors.ts";
import type { RunEvent } from "#shared/round/run-event.ts";
import type { Coordinator, Runs } from "./coordinator.ts";
import { createDeviceDesk } from "./device-desk.ts";
import { Launcher } from "./launcher.ts";
import { Lobby } from "./lobby.ts";
import type { CoordinatorPorts } from "./ports.ts";
import { Publisher } from "./publisher.ts";
import { Readers } from "./readers.ts";
import { RunDesk } from "./run-desk.ts";
import { createTaskDesk } from "./task-desk.ts";
import { sweepTranscripts } from "./transcript.ts";
import { createUploads } from "./upload-desk.ts";

/** The whole core: runs, rounds and devices over the given ports. Nothing happens before `lifecycle.start`. */
export function createCoordinator(ports: CoordinatorPorts): Coordinator {
  let running = false;
  const isRunning = () => running;
  const lobby = new Lobby(ports.clock, (task) => desk.readinessChanged(task));
  const publisher = new Publisher(ports);
  const desk: RunDesk = new RunDesk(ports, lobby, publisher);
  const readers = new Readers(ports.store, {
    lobby,
    run: (runId) => desk.run(runId),
    round: (roundId) => desk.round(roundId),
    activeRun: (task) => desk.activeRun(task),
  });
  return {
    lifecycle: {
      start: async () => {
        await sweepTranscripts(ports);
        await desk.start();
        running = true;
      },
      stop: async () => {
        running = false;
        await desk.close();
        publisher.close();
      },
      interrupt: (reason) => desk.interrupt(reason),
    },
    tasks: createTaskDesk(ports, readers),
    runs: runsOf(ports, desk, readers, isRunning),
    rounds: {
      listRounds: (runId, page) => readers.listRounds(runId, page),
      roundDetail: (roundId) => readers.roundDetail(roundId),
      publishedSumHash: (roundId) => readers.publishedSumHash(roundId),
    },
    devices: createDeviceDesk(ports, { lobby, desk, isRunning }),
    uploads: createUploads(ports, { desk, isRunning }),
  };
}

function runsOf(ports: CoordinatorPorts, desk: RunDesk, readers: Readers, isRunning: () => boolean): Runs {
  const launcher = new Launcher(ports, desk);
  const act = async (
    runId: string,
    event: RunEvent,
    contradiction: string,
  ): Promise<Result<RunView, WireError>> => {
    if (!isRunning()) return err(wireError("UNAVAILABLE"));
    const run = desk.run(runId);
    if (run === null) {
      const known = await ports.store.findRun(runId);
      return err(known === null ? wireError("NOT_FOUND") : wireError("CONFLICT", contradiction));
    }
    const code = await run.submit(event);
    if (code !== null) return err(wireError(code, code === "CONFLICT" ? contradiction : undefined));
    return ok(run.view());
  };
  return {
    launch: async (launch) => (isRunning() ? launcher.launch(launch) : err(wireError("UNAVAILABLE"))),
    pause: (runId, actor) => act(runId, { type: "pause-asked", actor }, "Only a running run can be paused."),
    resume: (runId, actor) =>
      act(runId, { type: "resume-asked", actor }, "Only a paused run can be resumed."),
    stopRun: (runId, actor) =>
      act(runId, { type: "stop-asked", actor }, "This run has ended or is stopping already."),
    runView: (runId) => readers.runView(runId),
    listRuns: (filter, page) => readers.listRuns(filter, page),
    listEvents: (runId, page) => readers.listEvents(runId, page),
  };
}
