import { bytesToHex, hexToBytes } from "#shared/kernel/bytes.ts";
import type { MonotonicClock, Primitives } from "#shared/kernel/ports.ts";
import type { HashHex, RoundId, RunId, TaskSlug } from "#shared/protocol/ids.ts";
import type { LogEntryView, LogStateView, LogView } from "#shared/protocol/log-api.ts";
import { parseLeaf } from "#shared/tlog/leaf.ts";
import { formatVerifierKey, SIGNATURE_TYPES, verifierKey } from "#shared/tlog/note.ts";
import { PEOPLE_KINDS } from "../access/leaf.ts";
import type { LogReader } from "../access/permissions.ts";
import type { AuditLog, LogSearch } from "../coordinator.ts";
import type { ActedLeaf, LeafQuery, LeafStore, StagedLeaf } from "../ports/leaf-store.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
import type { PublicLog } from "../ports/public-log.ts";
import type { Listed, Page, Readable, RunStore, ShownStore } from "../ports/store.ts";

type LogDeskStore = Pick<LeafStore, "leavesBefore"> &
  Pick<ShownStore, "showRun" | "showRound"> &
  Pick<RunStore, "listRounds">;

/** Entries that one answer looks at. A rarer one takes several answers. */
const LOOKED_AT_MAX = 5_000;
const BLOCK = 500;
const PLACES_MAX = 5_000;

/** The public log for those who look at it from outside. Nothing here is proof: tiles and checkpoints are. */
export class LogDesk implements AuditLog {
  readonly #primitives: Pick<Primitives, "sha256">;
  readonly #log: PublicLog | null;
  readonly #store: LogDeskStore;
  readonly #clock: MonotonicClock;
  /** By round or run; the newest ones. */
  readonly #places = new Map<string, Promise<Placed | null>>();

  constructor(
    { primitives, clock }: Pick<CoordinatorPorts, "primitives" | "clock">,
    log: PublicLog | null,
    store: LogDeskStore,
  ) {
    this.#primitives = primitives;
    this.#clock = clock;
    this.#log = log;
    this.#store = store;
  }

  /** Null if this coordinator keeps no log, or it has signed nothing yet. */
  async logView(): Promise<LogView | null> {
    if (this.#log === null) return null;
    const proof = await this.#log.proof({ from: null, leaves: [] });
    if (!proof.ok) return null;
    const { origin, publicKey } = this.#log.key;
    const { rotations } = proof.value;
    const states = this.#log.witnesses();
    const last = rotations.at(-1);
    const leaf = last === undefined ? null : parseLeaf(last.leaf);
    const key =
      leaf?.ok === true && leaf.value.kind === "log.keyRotated" ? leaf.value.facts.to : bytesToHex(publicKey);
    const named = await verifierKey(this.#primitives, origin, SIGNATURE_TYPES.ed25519, hexToBytes(key));
    return {
      origin,
      key: key as HashHex,
      verifierKey: formatVerifierKey(named),
      size: this.#log.head()?.size ?? 0,
      witnesses: states.map(({ key }) => formatVerifierKey(key)),
      witnessStates: states.map(({ key: { name }, signed, trouble }) => ({ name, signed, trouble })),
      rotations: rotations.map(({ index }) => index),
    };
  }

  logState(): LogStateView {
    if (this.#log === null) return { state: "none", size: 0, checkpointAgeMs: null, sentence: null };
    const state = this.#log.state();
    const publishedAtMs = state.type === "signing" ? state.publishedAtMs : null;
    return {
      state: state.type,
      size: this.#log.head()?.size ?? 0,
      checkpointAgeMs: publishedAtMs === null ? null : Math.max(0, this.#clock.nowMs() - publishedAtMs),
      sentence: "sentence" in state ? state.sentence : null,
    };
  }

  /** Signed entries that fit, newest first. The cursor is the index before which the next answer looks. */
  async listEntries(
    search: LogSearch,
    { limit, cursor }: Page,
    reader: LogReader,
  ): Promise<Listed<LogEntryView>> {
    const size = this.#log?.head()?.size ?? 0;
    let before = Math.min(size, cursor === undefined ? size : Number(cursor));
    const { kind, from, to } = search;
    const by = search.actor === undefined ? undefined : actsBy(search.actor, reader);
    const fits = await this.#filter(search, reader);
    const items: LogEntryView[] = [];
    let lookedAt = 0;
    while (before > 0 && lookedAt < LOOKED_AT_MAX && items.length < limit) {
      const leaves = await this.#store.leavesBefore({
        before: before + 1,
        countMax: BLOCK,
        kind,
        from,
        to,
        by,
      });
      for (const leaf of leaves) {
        before = leaf.sequence - 1;
        lookedAt++;
        const found = await fits(leaf);
        if (found !== null) items.push(found);
        if (items.length === limit) break;
      }
      if (leaves.length < BLOCK && items.length < limit) before = 0;
    }
    return { items, next: before > 0 ? String(before) : null };
  }

  /** What the database cannot tell: words, and what an entry is about. */
  async #filter(
    search: LogSearch,
    reader: LogReader,
  ): Promise<(leaf: ActedLeaf) => Promise<LogEntryView | null>> {
    const words = (search.text ?? "")
      .toLowerCase()
      .split(/\s+/)
      .filter((word) => word !== "");
    const rounds = search.run === undefined ? null : await this.#roundsOf(search.run);
    const hasIn = (text: string, id: string | undefined) => id === undefined || text.includes(`"${id}"`);
    return async (leaf) => {
      const { sequence, kind, at, body } = leaf;
      const text = JSON.stringify(body);
      if (!hasIn(text, search.round) || !hasIn(text, search.model)) return null;
      const { roundId } = body;
      const isOfRound = typeof roundId === "string" && rounds?.has(roundId) === true;
      const isOfRun = search.run === undefined || hasIn(text, search.run) || isOfRound;
      if (!isOfRun) return null;
      const place = await this.#placeOf(body, reader.readable);
      const actor = seenActor(leaf, reader);
      const about = (place === null ? "" : placeText(place)).toLowerCase();
      const whole = `${kind} ${text} ${about} ${actor ?? ""}`.toLowerCase();
      // A number means that of a run or round; digits of a hash are no numbers.
      const isIn = (word: string) =>
        /^\d{1,6}$/.test(word) ? about.split(" ").includes(word) : whole.includes(word);
      if (!words.every(isIn)) return null;
      return { index: sequence - 1, kind, at, actor, place: place?.view ?? null };
    };
  }

  async #roundsOf(runId: string): Promise<ReadonlySet<string>> {
    const rounds = new Set<string>();
    let cursor: string | undefined;
    do {
      const page = await this.#store.listRounds(runId, { limit: 200, cursor });
      for (const { roundId } of page.items) rounds.add(roundId);
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
    return rounds;
  }

  /** What an entry is about, unless this reader may not read it. */
  async #placeOf(body: StagedLeaf["body"], readable: Readable): Promise<Placed | null> {
    const { roundId, runId } = body;
    const placed =
      typeof roundId === "string"
        ? await this.#remembered(roundId, () => this.#placeOfRound(roundId))
        : typeof runId === "string"
          ? await this.#remembered(runId, () => this.#placeOfRun(runId))
          : null;
    if (placed === null || !mayRead(readable, placed.projectId)) return null;
    const round = typeof body["round"] === "number" ? body["round"] : placed.view.round;
    return { ...placed, view: { ...placed.view, round } };
  }

  #remembered(id: string, find: () => Promise<Placed | null>): Promise<Placed | null> {
    const known = this.#places.get(id);
    if (known !== undefined) return known;
    const found = find();
    this.#places.set(id, found);
    // What is not there yet may come, and a failed look-up is tried again.
    found.then(
      (place) => place === null && this.#places.delete(id),
      () => this.#places.delete(id),
    );
    const [oldest] = this.#places.keys();
    if (this.#places.size > PLACES_MAX && oldest !== undefined) this.#places.delete(oldest);
    return found;
  }

  async #placeOfRound(roundId: string): Promise<Placed | null> {
    const row = await this.#store.showRound(roundId);
    const run = row === null ? null : await this.#placeOfRun(row.runId);
    if (row === null || run === null) return null;
    return { ...run, view: { ...run.view, roundId: roundId as RoundId, round: row.round } };
  }

  async #placeOfRun(runId: string): Promise<Placed | null> {
    const row = await this.#store.showRun(runId);
    if (row === null) return null;
    const view = {
      task: row.task as TaskSlug,
      runId: runId as RunId,
      runNumber: row.number,
      roundId: null,
      round: null,
    };
    return { projectId: row.projectId, view };
  }
}

interface Placed {
  readonly projectId: string;
  readonly view: NonNullable<LogEntryView["place"]>;
}

/** Who decided what a leaf says, if this reader may know (A111). */
function seenActor({ actor, kind, projectId }: ActedLeaf, reader: LogReader): string | null {
  if (actor === null || actor === reader.ownName) return actor;
  if (PEOPLE_KINDS.includes(kind) && !reader.seesPeople) return null;
  return mayRead(reader.readable, projectId) ? actor : null;
}

/** The acts of a person that this reader may know to be theirs. */
function actsBy(name: string, { readable, seesPeople, ownName }: LogReader): LeafQuery["by"] {
  const actor = name.toLowerCase();
  if (actor === ownName) return { actor, projects: "all", besides: [] };
  return { actor, projects: readable.projects, besides: seesPeople ? [] : PEOPLE_KINDS };
}

function mayRead({ projects }: Readable, projectId: string): boolean {
  return projects === "all" || projects.includes(projectId);
}

function placeText({ view: { task, runNumber, round } }: Placed): string {
  return `${task} run ${runNumber}${round === null ? "" : ` round ${round}`}`;
}
