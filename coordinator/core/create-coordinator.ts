import { err, ok, type Result } from "#shared/kernel/result.ts";
import type { RunView } from "#shared/protocol/api.ts";
import { type WireError, wireError } from "#shared/protocol/errors.ts";
import type { RunEvent } from "#shared/round/run-event.ts";
import { Places } from "./access/places.ts";
import type { Coordinator, Reported, Runs } from "./coordinator.ts";
import { AssessorDesk } from "./desks/assessor-file.ts";
import { createDeviceDesk } from "./desks/device-desk.ts";
import { HeldOutDesk } from "./desks/held-out-desk.ts";
import { LogDesk } from "./desks/log-desk.ts";
import { createProjectDesk } from "./desks/project-desk.ts";
import { Readers } from "./desks/readers.ts";
import { RegistryDesk } from "./desks/registry-desk.ts";
import { RunFilesDesk } from "./desks/run-files.ts";
import { RunSearchDesk } from "./desks/run-search.ts";
import { createTaskDesk } from "./desks/task-desk.ts";
import { createUploads } from "./desks/upload-desk.ts";
import { Lobby } from "./devices/lobby.ts";
import { Cards } from "./models/cards.ts";
import { Exports } from "./models/exports.ts";
import { GateEvidenceDesk } from "./models/gate-evidence.ts";
import { GateJudge } from "./models/gate-judge.ts";
import { HeldOutSets } from "./models/held-out-sets.ts";
import { Reports } from "./models/reports.ts";
import type { CoordinatorPorts } from "./ports/ports.ts";
import { sweepTranscripts } from "./rounds/transcript.ts";
import { Launcher } from "./runs/launcher.ts";
import { Publisher } from "./runs/publisher.ts";
import { RunDesk } from "./runs/run-desk.ts";
import { logShell } from "./tasks/shell-leaf.ts";
import { createOwnThings } from "./tracking/own-things.ts";
import { createTracking } from "./tracking/tracking.ts";

/**
 * The whole core over the given ports: runs, rounds and devices. Nothing happens before `lifecycle.start`.
 */
export function createCoordinator(ports: CoordinatorPorts): Coordinator {
  let running = false;
  const isRunning = () => running;
  const lobby = new Lobby(ports.clock, (task) => desk.readinessChanged(task));
  const publisher = new Publisher(ports);
  const desk: RunDesk = new RunDesk(
    ports,
    lobby,
    publisher,
    (task, version) => void registry.considerCandidate(task, version),
  );
  const readers = new Readers(ports, {
    lobby,
    run: (runId) => desk.run(runId),
    round: (roundId) => desk.round(roundId),
    activeRun: (task) => desk.activeRun(task),
  });
  const heldOut = new HeldOutSets(ports);
  const heldOutDesk = new HeldOutDesk(ports, heldOut);
  const launcher = new Launcher(ports, desk, heldOut);
  const places = new Places(ports);
  const reports = new Reports(ports, {
    roundDetail: (roundId) => readers.roundDetail(roundId),
    model: (slug, version) => registry.model(slug, version),
  });
  const cards = new Cards(ports, {
    model: (slug, version) => registry.model(slug, version),
    runView: (runId) => readers.runView(runId),
    report: (roundId) => reports.report(roundId),
  });
  const evidence = new GateEvidenceDesk(ports, reports);
  const registry: RegistryDesk = new RegistryDesk(ports, new GateJudge(ports.store, evidence));
  const tasks = createTaskDesk(ports, { readers, places, heldOut, runs: desk });
  const runs = runsOf(ports, { desk, launcher, readers, isRunning });
  const exports = new Exports(ports, {
    runView: (runId) => readers.runView(runId),
    roundDetail: (roundId) => readers.roundDetail(roundId),
    model: (slug, version) => registry.model(slug, version),
  });
  const runFiles = new RunFilesDesk({ tasks, runs, rounds: readers, exports });
  const reported: Reported = {
    report: (roundId) => reports.report(roundId),
    compare: (slug, first, second) => reports.compare(slug, first, second),
    portability: (slug, version) => reports.portability(slug, version),
    card: (slug, version, format) => cards.card(slug, version, format),
  };
  const auditLog = new LogDesk(ports, ports.publicLog ?? null, ports.store);
  const subjects = { tasks, runs, rounds: readers, registry, runFiles, reports: reported, auditLog };
  return {
    lifecycle: {
      start: async () => {
        await sweepTranscripts(ports);
        await logShell(ports);
        await heldOut.adoptAll();
        await desk.start();
        running = true;
        void registry.considerLeft();
      },
      stop: async () => {
        running = false;
        await desk.close();
        publisher.close();
        heldOutDesk.close();
      },
      interrupt: (reason) => desk.interrupt(reason),
    },
    tasks,
    heldOut: heldOutDesk,
    registry,
    runs,
    rounds: readers,
    auditLog,
    exports,
    reports: reported,
    runFiles,
    assessor: new AssessorDesk(ports, subjects),
    runSearch: new RunSearchDesk(ports.store, (runId) => desk.run(runId)?.view() ?? null),
    devices: createDeviceDesk(ports, { lobby, desk, isRunning }),
    uploads: createUploads(ports, { desk, isRunning }),
    projects: createProjectDesk(ports, { isRunning, launches: launcher, places }),
    places,
    tracking: createTracking(ports, createOwnThings(ports, { registry, exports, rounds: readers })),
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
