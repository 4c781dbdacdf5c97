import { bytesToHex } from "#shared/kernel/bytes.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import type { Launch, Receipt, RunView, TaskView } from "#shared/protocol/api.ts";
import { type WireError, wireError } from "#shared/protocol/errors.ts";
import type { InputHeaders } from "#shared/protocol/messages/device.ts";
import type { Reply } from "#shared/protocol/messages/reply.ts";
import { devicesNeeded } from "#shared/round/devices-needed.ts";
import type { RunEvent, RunLaunched } from "#shared/round/run-event.ts";
import { taskHashOf } from "#shared/task/agreed-config.ts";
import { staysWithinPlan, type Task } from "#shared/task/task.ts";
import type { Coordinator, RoundMessage, UploadTicket } from "./coordinator.ts";
import { Lobby } from "./lobby.ts";
import { canEvaluate } from "./models.ts";
import { DiskLow, wireErrorOf } from "./outage.ts";
import type { CoordinatorPorts } from "./ports.ts";
import { Publisher } from "./publisher.ts";
import { Readers } from "./readers.ts";
import { answerDevice, beginUpload, discardLate, finishUpload, refused } from "./round-door.ts";
import type { RoundDriver } from "./round-driver.ts";
import { RunDesk } from "./run-desk.ts";
import { runTerms } from "./terms.ts";
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
  readonly #readers: Readers;
  #running = false;

  constructor(ports: CoordinatorPorts) {
    this.#ports = ports;
    this.#lobby = new Lobby(ports.clock, (task) => this.#desk.readinessChanged(task));
    this.#publisher = new Publisher(ports);
    this.#desk = new RunDesk(ports, this.#lobby, this.#publisher);
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
    if (!this.#running) return err(wireError("UNAVAILABLE"));
    const stored = await this.#ports.store.findTask(launch.task);
    if (stored === null) return err(wireError("UNKNOWN_TASK"));
    const { task } = stored;
    const training = launch.training ?? task.training;
    const strategy = launch.strategy ?? task.aggregation.strategy;
    if (!staysWithinPlan(task.training, training)) {
      const detail =
        "Devices agreed to fewer training steps, or to another optimizer, and would refuse this run. Ask for no more than the task does, or create a new version of the task.";
      return err(wireError("BAD_REQUEST", detail));
    }
    const waitUntilUnixMs = launch.waitUntil === undefined ? null : Date.parse(launch.waitUntil);
    if (waitUntilUnixMs !== null && waitUntilUnixMs <= this.#ports.wall.nowUnixMs()) {
      const detail = "The time until which the run is to wait has passed. Name a later one, or none.";
      return err(wireError("BAD_REQUEST", detail));
    }
    if (!(await canEvaluate(this.#ports, task))) {
      const name = `${task.slug}-v${task.version}`;
      const detail = `The coordinator has no rows to judge models of this task by. Put ${name}.csv, or a folder ${name} with IDX files, into "heldout" in its data folder, then launch again.`;
      return err(wireError("CONFLICT", detail));
    }
    const terms = await runTerms(this.#ports, task, { training, strategy });
    const facts: RunLaunched = {
      type: "launched",
      runId: this.#newRunId(),
      number: await this.#ports.store.nextRunNumber(task.slug),
      task: task.slug,
      taskVersion: task.version,
      rounds: launch.rounds,
      training,
      strategy,
      seed: launch.seed ?? new DataView(this.#ports.random(4).buffer).getUint32(0) >>> 1,
      actor: launch.actor ?? "unverified",
      configHash: terms.configHash,
      roundHash: terms.roundHash,
      devicesNeeded: devicesNeeded(terms.rules),
      ...(waitUntilUnixMs === null ? {} : { waitUntilUnixMs }),
    };
    const run = await this.#desk.launch(terms, facts);
    return ok(run.view());
  }

  /** A UUIDv7 as 32 hex digits: 48 bits of Unix milliseconds, then version, variant and randomness. RFC 9562. */
  #newRunId(): string {
    const random = this.#ports.random(10);
    random[0] = ((random[0] as number) & 0x0f) | 0x70;
    random[2] = ((random[2] as number) & 0x3f) | 0x80;
    return this.#ports.wall.nowUnixMs().toString(16).padStart(12, "0") + bytesToHex(random);
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
        if (round?.holds(identity) !== true) this.#lobby.setReady(identity, null);
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
    this.#lobby.setReady(identity, version);
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
  ): Promise<Result<UploadTicket, WireError>> {
    if (!this.#running) return err(wireError("UNAVAILABLE"));
    const round = await this.#desk.roundOfSession(sid);
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
    if (slot === null || slot.slotHash !== (await this.#desk.hashSlot(headers.slot)))
      return err(wireError("BAD_SLOT"));
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
