import { err, ok, type Result } from "#shared/kernel/result.ts";
import type { Launch, Receipt, RunView, TaskView } from "#shared/protocol/api.ts";
import { type WireError, wireError } from "#shared/protocol/errors.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import type { InputHeaders } from "#shared/protocol/messages/device.ts";
import type { Reply } from "#shared/protocol/messages/reply.ts";
import type { RunEvent } from "#shared/round/run-event.ts";
import { taskHashOf } from "#shared/task/agreed-config.ts";
import type { Task } from "#shared/task/task.ts";
import type { Coordinator, RoundMessage, UploadTicket } from "./coordinator.ts";
import { Launcher } from "./launcher.ts";
import { Lobby } from "./lobby.ts";
import { DiskLow, wireErrorOf } from "./outage.ts";
import type { CoordinatorPorts } from "./ports.ts";
import { Publisher } from "./publisher.ts";
import { type RateLimit, rateLimit } from "./rate-limit.ts";
import { Readers } from "./readers.ts";
import { answerDevice, beginUpload, discardLate, finishUpload, refused } from "./round-door.ts";
import type { RoundDriver } from "./round-driver.ts";
import { RunDesk } from "./run-desk.ts";
import { sweepTranscripts } from "./transcript.ts";

/** The whole core: runs, rounds and devices over the given ports. Nothing happens before `start`. */
export function createCoordinator(ports: CoordinatorPorts): Coordinator {
  return new Core(ports);
}

class Core implements Coordinator {
  readonly #ports: CoordinatorPorts;
  readonly #lobby: Lobby;
  readonly #publisher: Publisher;
  readonly #desk: RunDesk;
  readonly #launcher: Launcher;
  readonly #readers: Readers;
  /** By address. */
  readonly #wrongSlots: RateLimit;
  #running = false;

  constructor(ports: CoordinatorPorts) {
    this.#ports = ports;
    this.#lobby = new Lobby(ports.clock, (task) => this.#desk.readinessChanged(task));
    this.#publisher = new Publisher(ports);
    this.#desk = new RunDesk(ports, this.#lobby, this.#publisher);
    this.#launcher = new Launcher(ports, this.#desk);
    this.#wrongSlots = rateLimit(ports.clock, {
      burst: LIMITS.wrongSlotsBurstPerAddress,
      perSecond: LIMITS.wrongSlotsPerSecondPerAddress,
    });
    this.#readers = new Readers(ports.store, {
      lobby: this.#lobby,
      run: (runId) => this.#desk.run(runId),
      round: (roundId) => this.#desk.round(roundId),
      activeRun: (task) => this.#desk.activeRun(task),
    });
  }

  async start(): Promise<void> {
    await sweepTranscripts(this.#ports);
    await this.#desk.start();
    this.#running = true;
  }

  interrupt(reason: Error): void {
    this.#desk.interrupt(reason);
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#desk.close();
    this.#publisher.close();
  }

  // Tasks and runs

  async createTask(task: Task, actor: string): Promise<Result<TaskView, WireError>> {
    const { store, primitives, wall } = this.#ports;
    const created = await store.createTask(task, await taskHashOf(primitives, task), actor, wall.nowUnixMs());
    if (!created.ok) {
      return err(
        wireError(
          "CONFLICT",
          `Version ${task.version} of task ${task.slug} exists. A change is a new version.`,
        ),
      );
    }
    const view = await this.#readers.taskView(task.slug, task.version);
    return view === null ? err(wireError("INTERNAL")) : ok(view);
  }

  async launch(launch: Launch): Promise<Result<RunView, WireError>> {
    return this.#running ? this.#launcher.launch(launch) : err(wireError("UNAVAILABLE"));
  }

  pause(runId: string, actor: string) {
    return this.#act(runId, { type: "pause-asked", actor }, "Only a running run can be paused.");
  }

  resume(runId: string, actor: string) {
    return this.#act(runId, { type: "resume-asked", actor }, "Only a paused run can be resumed.");
  }

  stopRun(runId: string, actor: string) {
    return this.#act(runId, { type: "stop-asked", actor }, "This run has ended or is stopping already.");
  }

  async #act(runId: string, event: RunEvent, contradiction: string): Promise<Result<RunView, WireError>> {
    if (!this.#running) return err(wireError("UNAVAILABLE"));
    const run = this.#desk.run(runId);
    if (run === null) {
      const known = await this.#ports.store.findRun(runId);
      return err(known === null ? wireError("NOT_FOUND") : wireError("CONFLICT", contradiction));
    }
    const code = await run.submit(event);
    if (code !== null) return err(wireError(code, code === "CONFLICT" ? contradiction : undefined));
    return ok(run.view());
  }

  // Views

  listTasks: Coordinator["listTasks"] = (page) => this.#readers.listTasks(page);
  taskView: Coordinator["taskView"] = (slug, version) => this.#readers.taskView(slug, version);
  runView: Coordinator["runView"] = (runId) => this.#readers.runView(runId);
  listRuns: Coordinator["listRuns"] = (filter, page) => this.#readers.listRuns(filter, page);
  listRounds: Coordinator["listRounds"] = (runId, page) => this.#readers.listRounds(runId, page);
  listEvents: Coordinator["listEvents"] = (runId, page) => this.#readers.listEvents(runId, page);
  roundDetail: Coordinator["roundDetail"] = (roundId) => this.#readers.roundDetail(roundId);
  publishedSumHash: Coordinator["publishedSumHash"] = (roundId) => this.#readers.publishedSumHash(roundId);

  // Devices

  deviceUp(identity: string, task: string, address: string | null = null): void {
    this.#lobby.enter(identity, task, address);
    this.#inBackground(async () => {
      await this.#desk.earlierRound(task)?.tellEnd(identity);
      await this.#roundOf(identity)?.deviceUp(identity);
    });
  }

  deviceDown(identity: string): void {
    const round = this.#roundOf(identity);
    this.#lobby.leave(identity);
    this.#inBackground(() => round?.presence("disconnected", identity));
  }

  async onDeviceMessage(identity: string, message: RoundMessage): Promise<Reply> {
    try {
      return await this.#answer(identity, message);
    } catch (error) {
      this.#ports.log.error({ message: message.type, error: String(error) }, "a device's message failed");
      return { type: "refused", error: wireErrorOf(error) };
    }
  }

  async #answer(identity: string, message: RoundMessage): Promise<Reply> {
    if (!this.#running) return refused("UNAVAILABLE");
    if (this.#lobby.taskOf(identity) === null) return refused("NOT_AUTHENTICATED");
    const round = this.#roundOf(identity);
    switch (message.type) {
      case "check-in":
        return this.#checkIn(identity, message.taskVersion, round);
      case "leave":
        // Who leaves a round that it has no state for still waits for the next one; who only waits goes for good.
        if (round?.holds(identity) !== true) this.#lobby.withdraw(identity);
        else if (message.code !== undefined) this.#desk.refused(round, identity, message.code);
        await round?.presence("left", identity);
        return { type: "accepted" };
      default:
        if (round !== null) return answerDevice(round, identity, message);
        // Between two rounds, or while a round is read back from its log.
        return refused(
          this.#desk.activeRun(this.#lobby.taskOf(identity) ?? "") === null ? "NO_RUN" : "UNAVAILABLE",
        );
    }
  }

  async #checkIn(identity: string, version: number, round: RoundDriver | null): Promise<Reply> {
    const slug = this.#lobby.taskOf(identity) ?? "";
    const wanted = this.#desk.activeRun(slug)?.terms.task ?? (await this.#ports.store.findTask(slug))?.task;
    if (wanted === undefined) return refused("UNKNOWN_TASK");
    if (version !== wanted.version) {
      return refused(
        "TASK_VERSION",
        `Version ${wanted.version} of this task is being trained. Read it and agree again.`,
      );
    }
    this.#lobby.checkIn(identity, version);
    if (round?.state.phase === "recruiting") await round.checkIn(this.#lobby.checkIns([identity]));
    return { type: "accepted" };
  }

  #roundOf(identity: string): RoundDriver | null {
    const task = this.#lobby.taskOf(identity);
    return task === null ? null : this.#desk.currentRound(task);
  }

  #inBackground(work: () => Promise<void> | undefined): void {
    Promise.resolve(work()).catch((error) => {
      this.#ports.log.error({ error: String(error) }, "a change of a connection failed");
    });
  }

  // Uploads

  async beginUpload(
    sid: string,
    position: number,
    headers: InputHeaders,
    address: string | null = null,
  ): Promise<Result<UploadTicket, WireError>> {
    if (!this.#running) return err(wireError("UNAVAILABLE"));
    const round = await this.#desk.roundOfSession(sid);
    // A device of a living round does not suffer from what others behind its address send.
    if (round === null && address !== null && !this.#wrongSlots.take(address, 0))
      return err(wireError("RATE_LIMITED"));
    // Nobody else can make a slot's token, so a made-up one costs no look-up.
    if (!(await this.#desk.isSlotToken(sid, position, headers.slot))) {
      if (address !== null) this.#wrongSlots.charge(address, 1);
      return err(wireError("BAD_SLOT"));
    }
    const ticket =
      round === null
        ? await this.#lateUpload(sid, position, headers)
        : await beginUpload(round, sid, position, headers);
    const isNew = ticket.ok && ticket.value.receipt === null;
    if (isNew && !(await this.#ports.disk.hasRoom())) return err(wireErrorOf(new DiskLow()));
    return ticket;
  }

  /** The session is over: an input that counted gets its receipt again, another has no place. */
  async #lateUpload(
    sid: string,
    position: number,
    headers: InputHeaders,
  ): Promise<Result<UploadTicket, WireError>> {
    const { store } = this.#ports;
    const slot = await store.findSlot(sid, position);
    // The session that it was given for is not kept any more.
    if (slot === null) return err(wireError("BAD_SLOT"));
    const stored = await store.findInput(sid, position);
    // An open slot of no living round: the round is being read back from its log.
    if (stored === null) return err(wireError(slot.open ? "UNAVAILABLE" : "SLOT_CLOSED"));
    const { sha256, root, signature } = headers;
    if (stored.sha256 !== sha256 || stored.root !== root) return err(wireError("CONFLICT"));
    const { byteCount } = stored;
    const receipt = { sid, position, sha256, byteCount } as Receipt;
    return ok({ sid, position, byteCount, sha256, root, signature, receipt });
  }

  async finishUpload(ticket: UploadTicket): Promise<Result<Receipt, WireError>> {
    if (!this.#running) return err(wireError("UNAVAILABLE"));
    const round = await this.#desk.roundOfSession(ticket.sid);
    if (round !== null) return finishUpload(round, ticket);
    const slot = await this.#ports.store.findSlot(ticket.sid, ticket.position);
    await discardLate(this.#ports, ticket);
    return err(wireError(slot?.open === true ? "UNAVAILABLE" : "SLOT_CLOSED"));
  }
}
