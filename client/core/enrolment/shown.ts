import type { WireError } from "#shared/protocol/errors.ts";
import type { CoordinatorMessageOf } from "#shared/protocol/messages/coordinator.ts";
import type { Task } from "#shared/task/task.ts";
import type { ModelCache } from "../model-cache.ts";
import type { ClientPorts } from "../ports.ts";
import { createSlices, type Slices } from "../slices.ts";
import type {
  BudgetView,
  ConnectionView,
  ContributionDetail,
  ContributionSummary,
  ModelView,
  OwnRound,
  Refusal,
} from "../view.ts";

export interface EnrolmentView {
  /** mending: the engine stopped; no round may wait for this device until another engine has trained a batch. */
  readonly activity: "idle" | "connecting" | "waiting" | "in-round" | "mending";
  readonly connection: ConnectionView;
  readonly round: OwnRound | null;
  readonly contributions: readonly ContributionSummary[];
  readonly latest: ContributionDetail | null;
  readonly budget: BudgetView;
  readonly refusal: Refusal | null;
  /** The file that shows what is wrong with the public log. While there is one, nothing is sent. */
  readonly contradiction: string | null;
  readonly model: ModelView | null;
}

interface ShownOptions {
  readonly task: Task;
  readonly models: ModelCache;
  readonly roundsMax: number;
  readonly earlier?: readonly ContributionSummary[];
}

/** The view of an enrolment. */
export class ShownEnrolment {
  readonly view: Slices<EnrolmentView>;
  readonly #ports: Pick<ClientPorts, "link" | "memory" | "wall">;
  readonly #options: ShownOptions;

  constructor(ports: Pick<ClientPorts, "link" | "memory" | "wall">, options: ShownOptions) {
    this.#ports = ports;
    this.#options = options;
    this.view = createSlices<EnrolmentView>({
      activity: "idle",
      connection: { state: "offline", since: ports.wall.nowUnixMs(), upByteCount: 0, downByteCount: 0 },
      round: null,
      contributions: options.earlier ?? [],
      latest: null,
      budget: { used: 0, limit: options.roundsMax },
      refusal: null,
      contradiction: null,
      model: null,
    });
  }

  connection(state: ConnectionView["state"]): void {
    const { connection } = this.view.get();
    // A connection that was silent or cut and then given up has been lost since then.
    const wasLost = connection.state === "silent" || connection.state === "cut";
    const goesOn = connection.state === state || (wasLost && state !== "online");
    const since = goesOn ? connection.since : this.#ports.wall.nowUnixMs();
    this.view.patch({ connection: { ...connection, ...this.#ports.link.traffic(), state, since } });
  }

  traffic(): void {
    this.connection(this.view.get().connection.state);
  }

  refusal(error: WireError, by: Refusal["by"]): void {
    const { code, message: sentence, retry } = error;
    this.view.patch({ refusal: { code, sentence, retry, by, at: this.#ports.wall.nowUnixMs() } });
  }

  async budget(): Promise<void> {
    const used = await this.#ports.memory.participations(this.#options.task.slug);
    this.view.patch({ budget: { used, limit: this.#options.roundsMax } });
  }

  /** Fetches the model that a round made. */
  async model(modelHash: string, { runId, round }: CoordinatorMessageOf<"invite">): Promise<void> {
    const model = await this.#options.models.fetch(modelHash);
    if (!model.ok) return;
    this.view.patch({ model: { modelHash, runId, round, byteCount: model.value.byteCount } });
  }

  contribution(detail: ContributionDetail): void {
    const { sample: _sample, histograms: _histograms, ...summary } = detail;
    const others = this.view.get().contributions.filter(({ id }) => id !== detail.id);
    this.view.patch({ contributions: [summary, ...others], latest: detail });
  }
}
