import { err, ok, type Result } from "#shared/kernel/result.ts";
import type { RunView } from "#shared/protocol/api.ts";
import { type WireError, wireError } from "#shared/protocol/errors.ts";
import type { RunEvent } from "#shared/round/run-event.ts";
import { Places } from "./access/places.ts";
import type { Coordinator, Runs } from "./coordinator.ts";
import { createDeviceDesk } from "./desks/device-desk.ts";
import { HeldOutDesk } from "./desks/held-out-desk.ts";
import { createProjectDesk } from "./desks/project-desk.ts";
import { Readers } from "./desks/readers.ts";
import { createTaskDesk } from "./desks/task-desk.ts";
import { createUploads } from "./desks/upload-desk.ts";
import { Lobby } from "./devices/lobby.ts";
import { Exports } from "./models/exports.ts";
import { HeldOutSets } from "./models/held-out-sets.ts";
import type { CoordinatorPorts } from "./ports/ports.ts";
import { sweepTranscripts } from "./rounds/transcript.ts";
import { Launcher } from "./runs/launcher.ts";
import { Publisher } from "./runs/publisher.ts";
import { RunDesk } from "./runs/run-desk.ts";

/**
 * The whole core over the given ports: runs, rounds and devices. Nothing happens before `lifecycle.start`.
 */
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
  const heldOut = new HeldOutSets(ports);
  const heldOutDesk = new HeldOutDesk(ports, heldOut);
  const launcher = new Launcher(ports, desk, heldOut);
  const places = new Places(ports);
  return {
    lifecycle: {
      start: async () => {
        await sweepTranscripts(ports);
        await heldOut.adoptAll();
        await desk.start();
        running = true;
      },
      stop: async () => {
        running = false;
        await desk.close();
        publisher.close();
        heldOutDesk.close();
      },
      interrupt: (reason) => desk.interrupt(reason),
    },
    tasks: createTaskDesk(ports, { readers, places, heldOut, runs: desk }),
    heldOut: heldOutDesk,
    runs: runsOf(ports, { desk, launcher, readers, isRunning }),
    rounds: {
      listRounds: (runId, page) => readers.listRounds(runId, page),
      roundDetail: (roundId) => readers.roundDetail(roundId),
      publishedSumHash: (roundId) => readers.publishedSumHash(roundId),
    },
    exports: new Exports(ports, readers),
    devices: createDeviceDesk(ports, { lobby, desk, isRunning }),
    uploads: createUploads(ports, { desk, isRunning }),
    projects: createProjectDesk(ports, { isRunning, launches: launcher, places }),
    places,
  };
}

interface RunParts {
  readonly desk: RunDesk;
  readonly launcher: Launcher;
  readonly readers: Readers;
  readonly isRunning: () => boolean;
}

function runsOf(ports: CoordinatorPorts, { desk, launcher, readers, isRunning }: RunParts): Runs {
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
    launch: async (launch, actor) =>
      isRunning() ? launcher.launch(launch, actor) : err(wireError("UNAVAILABLE")),
    pause: (runId, actor) => act(runId, { type: "pause-asked", actor }, "Only a running run can be paused."),
    resume: (runId, actor) =>
      act(runId, { type: "resume-asked", actor }, "Only a paused run can be resumed."),
    stopRun: (runId, actor) =>
      act(runId, { type: "stop-asked", actor }, "This run has ended or is already stopping."),
    runView: (runId) => readers.runView(runId),
    listRuns: (filter, page) => readers.listRuns(filter, page),
    listEvents: (runId, page) => readers.listEvents(runId, page),
  };
}
