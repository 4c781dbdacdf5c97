import { type Check, judge, type Statement, waiting } from "../statement.ts";
import { missing, type Subject, textOf } from "../subject.ts";
import { counted, entriesInWords, grouped, shortHash } from "../words.ts";

/** That the sum was opened once, and only as a sum. */
export function openedOnce(subject: Subject): Statement {
  const { sids, record, replay } = subject;
  const unmasked = subject.of("round.unmasked");
  const found = sids
    .map((sid) => subject.ofSession("round.unmasked", sid))
    .filter((entry) => entry !== undefined);
  const entries = found.map(({ index }) => index);
  const statement = { id: "sum" as const, says: "The sum was opened once, and only as a sum.", entries };
  if (found.length < sids.length || found.length === 0)
    return { ...statement, ...missing(subject, "no entry of the opened sum") };
  const [aborted] = subject.of("round.aborted");
  const checks: Check[] = [
    [
      unmasked.length === sids.length,
      `The log opens a sum of this round ${counted(unmasked.length, "time")}.`,
    ],
    [aborted === undefined, `Entry ${grouped(aborted?.index ?? 0)} gives this round up.`],
    ...found.map(
      (entry): Check => [
        textOf(entry, "sumHash") === record.sumHash,
        `Entry ${grouped(entry.index)} has another sum than the round's record.`,
      ],
    ),
  ];
  const early = judge(checks, "");
  if (early.verdict === "contradicted") return { ...statement, ...early };
  if (typeof replay === "string") return { ...statement, verdict: "contradicted", because: replay };
  if (replay === null)
    return {
      ...statement,
      ...waiting("For an auditor: the round's own log is not served to this reader, so it was not replayed."),
    };
  const { state, openingCount, eventCount } = replay;
  const sums = state.phase === "committed" ? state.publication.sumHash : null;
  checks.push(
    [state.facts.roundId === record.roundId, "The log that is served is that of another round."],
    [openingCount === 1, `The replay contains ${counted(openingCount, "opening")}.`],
    [sums === record.sumHash, "The replay ends with another sum than the round's record."],
  );
  return {
    ...statement,
    ...judge(
      checks,
      `${entriesInWords(entries)}; the replay of ${counted(eventCount, "event")} contains one opening. Shares open sums of all who sent, and no smaller one.`,
    ),
  };
}

/** That the new version follows from the one before and the sum, to the last bit. */
export function version(subject: Subject): Statement {
  const { record, reproduced } = subject;
  const name = record.version === undefined ? "The next model" : `Version ${record.version}`;
  const [entry, ...others] = subject.of("model.published");
  const statement = {
    id: "version" as const,
    says: `${name} was computed from the model before it and that sum, and from nothing else.`,
    entries: entry === undefined ? [] : [entry.index],
  };
  if (entry === undefined) return { ...statement, ...missing(subject, "no entry of the new model") };
  const checks: readonly Check[] = [
    [
      others.length === 0,
      `The log publishes another model of this round in entry ${grouped(others[0]?.index ?? 0)}.`,
    ],
    [
      textOf(entry, "modelHash") === record.modelHash,
      `Entry ${grouped(entry.index)} publishes the model ${shortHash(textOf(entry, "modelHash"))}; the round's record says ${shortHash(record.modelHash ?? "none")}.`,
    ],
    [
      textOf(entry, "parentHash") === record.parentModelHash,
      `Entry ${grouped(entry.index)} names another model before it than the round's record.`,
    ],
  ];
  const logged = judge(checks, "");
  if (logged.verdict === "contradicted") return { ...statement, ...logged };
  if (reproduced === null)
    return { ...statement, ...waiting("The sum or a model is not served, so nothing was computed again.") };
  if (!reproduced.ok) {
    const { code, sentence } = reproduced.error;
    return code === "WITHHELD"
      ? { ...statement, ...waiting(`For the coordinator: ${sentence}`) }
      : { ...statement, verdict: "contradicted", because: sentence };
  }
  if (!reproduced.value.isLinked)
    return {
      ...statement,
      ...waiting(
        "For a record of an earlier round: the sum gives these bytes, but where the round began was not checked.",
      ),
    };
  return {
    ...statement,
    ...judge([], `${entriesInWords([entry.index])}; computed again here, the same bytes.`),
  };
}

/** How a round without a model ended. */
export function givenUp(subject: Subject): Statement {
  const { record, replay } = subject;
  const [entry, ...others] = subject.of("round.aborted");
  const says = record.opened
    ? "The sum was opened and discarded. No version came of it."
    : "The round was given up and never opened. Nothing was learnt.";
  const statement = { id: "given-up" as const, says, entries: entry === undefined ? [] : [entry.index] };
  if (entry === undefined) return { ...statement, ...missing(subject, "no entry of the round's end") };
  const [made] = [...subject.of("model.published"), ...subject.of("round.unmasked")];
  const checks: Check[] = [
    [others.length === 0, `The log gives this round up again in entry ${grouped(others[0]?.index ?? 0)}.`],
    [made === undefined, `Entry ${grouped(made?.index ?? 0)} publishes something of this round.`],
    [
      entry.body["opened"] === record.opened,
      `Entry ${grouped(entry.index)} says that ${entry.body["opened"] === true ? "a sum was opened" : "nothing was opened"}; the round's record says otherwise.`,
    ],
    [entry.body["code"] === record.code, "The log gives another reason than the round's record."],
  ];
  const logged = judge(checks, "");
  if (logged.verdict === "contradicted") return { ...statement, ...logged };
  if (typeof replay === "string") return { ...statement, verdict: "contradicted", because: replay };
  if (replay === null)
    return {
      ...statement,
      ...waiting("For an auditor: the round's own log is not served to this reader, so it was not replayed."),
    };
  checks.push([
    replay.openingCount === (record.opened ? 1 : 0),
    `The replay contains ${counted(replay.openingCount, "opening")}.`,
  ]);
  const openings = record.opened ? "one opening, and no model" : "no opening";
  return {
    ...statement,
    ...judge(
      checks,
      `${entriesInWords([entry.index])}; the replay of ${counted(replay.eventCount, "event")} contains ${openings}.`,
    ),
  };
}
