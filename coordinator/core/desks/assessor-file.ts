import { privacyOf } from "#shared/export/card/source.ts";
import { type Bytes, bytesToHex, utf8 } from "#shared/kernel/bytes.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { consentFactsOf, consentText, consentWords } from "#shared/model/consent-words.ts";
import type { RunView } from "#shared/protocol/api.ts";
import { type WireError, wireError } from "#shared/protocol/errors.ts";
import type { ModelVersionView } from "#shared/protocol/registry.ts";
import { type RegistryEvent, registryFactOf } from "#shared/registry/log.ts";
import { roundIdOf } from "#shared/secagg/attempt.ts";
import { shownHeldOut } from "#shared/task/held-out.ts";
import type { Archive, Assessor, Coordinator } from "../coordinator.ts";
import { everyItem } from "../ports/every-item.ts";
import type { CoordinatorPorts, StoredTask } from "../ports/ports.ts";
import { jsonFile, ROUNDS_FOLDER, roundFileName } from "../views/round-file.ts";
import { auditForAssessor } from "./assessor-audits.ts";
import { proofOf } from "./assessor-proof.ts";

/** A record of a round with its log is rarely longer. */
const ROUND_BYTES = 200_000;

type AssessorPorts = Pick<
  CoordinatorPorts,
  "store" | "primitives" | "codeVersion" | "code" | "publicLog" | "blobs"
>;
type Subjects = Pick<
  Coordinator,
  "tasks" | "runs" | "rounds" | "registry" | "reports" | "runFiles" | "auditLog"
>;

/** One run of a version's ancestry, up to the round that its next one, or the version itself, begins with. */
interface Stretch {
  readonly run: RunView;
  readonly lastRound: number;
}

/** What an assessor asks for about one model version, in one file. The same state gives the same bytes. Rule A85. */
export class AssessorDesk implements Assessor {
  readonly #ports: AssessorPorts;
  readonly #core: Subjects;

  constructor(ports: AssessorPorts, core: Subjects) {
    this.#ports = ports;
    this.#core = core;
  }

  async assessorFile(slug: string, version: number): Promise<Result<Archive, WireError>> {
    const model = await this.#core.registry.model(slug, version);
    const stored = model === null ? null : await this.#ports.store.findTask(slug, model.taskVersion);
    if (model === null || stored === null)
      return err(wireError("NOT_FOUND", "The task has no model of this number."));
    const stretches = await this.#stretches(model);
    const roundCount = stretches.reduce((sum, { lastRound }) => sum + lastRound, 0);
    return ok({
      name: `${slug}-v${version}-assessment`,
      byteCountAbout: (roundCount + 1) * ROUND_BYTES,
      files: this.#withManifest(model, this.#files(stored, model, stretches)),
    });
  }

  /** The run that made the model, and those that its first models came from, newest first. */
  async #stretches(model: ModelVersionView): Promise<readonly Stretch[]> {
    const stretches: Stretch[] = [];
    let from: ModelVersionView | null = model;
    while (from !== null) {
      const run: RunView | null = await this.#core.runs.runView(from.runId);
      if (run === null) break;
      stretches.push({ run, lastRound: from.round });
      const begins: RunView["beginsWith"] = run.beginsWith;
      // A run begins with a model that was there before it, so that this ends.
      from = begins === undefined ? null : await this.#core.registry.model(run.task, begins.version);
    }
    return stretches;
  }

  async *#files(
    stored: StoredTask,
    model: ModelVersionView,
    stretches: readonly Stretch[],
  ): AsyncGenerator<readonly [string, Bytes]> {
    const { task, settings } = stored;
    const { slug } = task;
    const configHash = stretches[0]?.run.configHash ?? null;
    yield ["README.txt", utf8(README)];
    yield ["model.json", jsonFile(model)];
    yield ["task.json", jsonFile({ taskHash: stored.taskHash, task })];
    yield ["consent.json", jsonFile(consentOf(stored, model, configHash, this.#ports.publicLog != null))];
    yield [
      "code.json",
      jsonFile({ codeVersion: this.#ports.codeVersion, code: this.#ports.code, configHash }),
    ];
    yield ["held-out.json", jsonFile(settings.heldOut && shownHeldOut(settings.heldOut))];
    yield [
      "gates.json",
      jsonFile({ rules: settings.promotion, ...(await this.#decisions(slug, model.version)) }),
    ];
    yield ["history.json", jsonFile((await this.#core.tasks.taskHistory(slug))?.items ?? [])];
    yield* this.#cardsAndReport(model);
    const ids = { slug, runIds: new Set<string>(), roundIds: new Set<string>() };
    for (const stretch of stretches) yield* this.#runFiles(stretch, ids);
    yield* this.#leaves(ids, stored.projectId);
  }

  async *#cardsAndReport(model: ModelVersionView): AsyncGenerator<readonly [string, Bytes]> {
    const { task: slug, version, runId, round } = model;
    for (const [format, path] of CARDS) {
      const card = await this.#core.reports.card(slug, version, format);
      if (card.ok) yield [path, card.value.bytes];
    }
    const report = await this.#core.reports.report(await roundIdOf(this.#ports.primitives, runId, round));
    if (report.ok) yield ["report.json", jsonFile(report.value)];
  }

  async *#runFiles({ run, lastRound }: Stretch, ids: Ids): AsyncGenerator<readonly [string, Bytes]> {
    const { runId, number } = run;
    const folder = `runs/run${number}`;
    ids.runIds.add(runId);
    yield [`${folder}/run.json`, jsonFile(run)];
    const figures = await this.#core.runFiles.figures(runId, "csv");
    if (figures.ok) yield [`${folder}/figures.csv`, figures.value.bytes];
    for (const { roundId, round } of await everyItem((page) => this.#core.rounds.listRounds(runId, page))) {
      if (round > lastRound) continue;
      ids.roundIds.add(roundId);
      const name = `${folder}/${ROUNDS_FOLDER}/${roundFileName(round)}`;
      const detail = await this.#core.rounds.roundDetail(roundId);
      if (detail !== null) yield [name, jsonFile(detail)];
      const log = await this.#core.rounds.namelessLog(roundId);
      if (log !== null) yield [name.replace(/\.json$/, ".log.json"), jsonFile(log)];
      const audit = detail === null ? null : await auditForAssessor(this.#ports, this.#core, detail);
      if (audit === null) continue;
      yield [name.replace(/\.json$/, ".audit.json"), jsonFile(audit.statements)];
      yield [name.replace(/\.json$/, ".bundle"), audit.bundle];
    }
  }

  /** What was decided about the version, with what each gate said then, oldest first. */
  async #decisions(slug: string, version: number) {
    const rows = await this.#ports.store.readStream({ kind: "registry", id: slug });
    const all = rows.flatMap((row) => {
      const fact = registryFactOf(row);
      return fact.ok ? [{ at: new Date(row.at).toISOString(), ...fact.value }] : [];
    });
    const decisions = all.filter(({ from, to }) => from === version || to === version);
    return { decisions, overrides: decisions.filter((event) => isOverride(event, version)) };
  }

  /** Entries of the audit log about what is in this file, and about what was deleted of it. */
  async *#leaves(ids: Ids, projectId: string): AsyncGenerator<readonly [string, Bytes]> {
    // The log is longer than what of it is kept here.
    const isKept = (leaf: Leaf) =>
      leaf.kind === "deletion.performed" || isShell(leaf) || isAbout(leaf.body, ids);
    const kept = await everyItem((page) => this.#ports.store.auditLeaves(page), isKept);
    const ascending = kept.toSorted((left, right) => left.sequence - right.sequence);
    const entries = ascending.filter((leaf) => isShell(leaf) || isAbout(leaf.body, ids));
    yield ["log/entries.json", jsonFile(entries)];
    const proof = await proofOf(
      this.#ports,
      entries.map(({ sequence }) => sequence),
    );
    if (proof !== null) yield ["log/proof.json", jsonFile(proof)];
    const deletions = ascending.filter(({ kind }) => kind === "deletion.performed");
    const isOfTask = (body: unknown) => {
      const facts = body as { readonly slug?: unknown; readonly projectId?: unknown };
      return facts.slug === ids.slug || facts.projectId === projectId;
    };
    yield [
      "log/deletions.json",
      jsonFile({
        ofTheTask: deletions.filter(({ body }) => isOfTask(body)),
        ofOthers: deletions.filter(({ body }) => !isOfTask(body)).length,
      }),
    ];
  }

  /** Passes the files on, and then names each with its hash. */
  async *#withManifest(
    { task, version, modelHash }: ModelVersionView,
    files: AsyncIterable<readonly [string, Bytes]>,
  ): AsyncGenerator<readonly [string, Bytes]> {
    const listed: { path: string; byteCount: number; sha256: string }[] = [];
    for await (const [path, bytes] of files) {
      const sha256 = bytesToHex(await this.#ports.primitives.sha256(bytes));
      listed.push({ path, byteCount: bytes.length, sha256 });
      yield [path, bytes];
    }
    yield [
      "manifest.json",
      jsonFile({ type: "chorus-assessment", version: 1, of: { task, version, modelHash }, files: listed }),
    ];
  }
}

const CARDS = [
  ["markdown", "card.md"],
  ["cyclonedx", "card.cdx.json"],
] as const;

interface Leaf {
  readonly kind: string;
  readonly body: unknown;
}

interface Ids {
  readonly slug: string;
  readonly runIds: Set<string>;
  readonly roundIds: Set<string>;
}

function isAbout(body: unknown, { slug, runIds, roundIds }: Ids): boolean {
  const facts = body as {
    readonly slug?: unknown;
    readonly task?: unknown;
    readonly runId?: unknown;
    readonly roundId?: unknown;
  };
  if (typeof facts.roundId === "string") return roundIds.has(facts.roundId);
  if (typeof facts.runId === "string") return runIds.has(facts.runId);
  return facts.slug === slug || facts.task === slug;
}

/** Which participant's page was served from when on. */
const isShell = ({ kind }: Leaf) => kind === "shell.published";

const isOverride = (event: RegistryEvent, version: number) =>
  event.type === "promoted-despite-gates" && event.to === version;

/** The texts of the task that the consent shows, what it says about privacy, and the whole text as the page shows it. */
function consentOf(
  { task }: StoredTask,
  model: ModelVersionView,
  configHash: string | null,
  isLogged: boolean,
) {
  const { title, invitation, learns, exampleNoun, purpose, intendedUse, notFor, contact, dataCard } = task;
  const texts = { title, invitation, learns, exampleNoun, purpose, intendedUse, notFor, contact, dataCard };
  const { cohortSizeMin, securityModel } = task.aggregation;
  const shown = consentText(consentWords(consentFactsOf(task), isLogged));
  return { configHash, texts, shown, cohortSizeMin, securityModel, privacy: privacyOf({ task, model }) };
}

const README = `What an assessor asks for about one model version.

manifest.json      every other file with its size and SHA-256
model.json         the version: its hash, its parent, its run and round, its names
task.json          the task that devices agreed to, with its hash
consent.json       the texts of the task that people read before they agreed, the hash of all that a device checked, and as
                   "shown" every sentence that the page of this code version shows before one agrees. Pages of
                   earlier versions may have said it in other words; each device's consent ledger keeps those that
                   it was shown. Who agreed is on their devices only
code.json          version of the coordinator's code, and the hashes of that code and of the participant's page. Code
                   hashes of rounds (round.opened) and of pages served before (shell.published) are in
                   log/entries.json
held-out.json      the rows that judge models now: hash, counts and data card; null without
gates.json         the rules, what was decided about this version, what each gate said then, and overrides
history.json       what people decided about the task
card.md            the model card; card.cdx.json is the same as CycloneDX
report.json        the evaluation on held-out rows; absent without one
runs/              the run that made it, and the runs whose models it began with: plan, figures, and of each
                   round up to this version its record; as .log.json its own log without names of devices; as
                   .audit.json what an audit of it said when this file was made; and as .bundle everything with
                   which anyone makes that audit again without the coordinator: npm run log -- verify FILE. A bundle
                   has the entries from the launch of the run to the end of the round. Both are absent without a
                   log, while no checkpoint has these entries, and of rounds from before entries had a time
log/entries.json   entries of the audit log about the task, these runs and rounds, and the participant's pages, by their
                   sequence
log/proof.json     these entries as they stand in the public log, each with its path to a signed checkpoint, in hex.
                   Entries that no checkpoint has yet are left out: make the file again later. The whole file is
                   absent without a log, before its first checkpoint, and if the coordinator's files of the log
                   are damaged, which waiting does not mend: npm run log -- fsck names the damage
log/deletions.json what was deleted of the task and its project; of others the number of entries only

What is null or absent was not there. People are named by the names that they chose, in gates.json, history.json and runs/.
An entry's index in the public log is its sequence minus 1.
`;
