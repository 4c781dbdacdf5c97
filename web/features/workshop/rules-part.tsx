"use client";
import type { ReactNode } from "react";
import { proposedClip, type TrialPoint } from "#client/index.ts";
import type { DraftRules } from "#shared/sample/draft.ts";
import { rulesOf, statedStage } from "#shared/sample/draft.ts";
import { draftClasses } from "#shared/sample/draft-task.ts";
import { STRATEGY_TITLES } from "#shared/strategy/index.ts";
import { useLogView } from "../../data/log-view.ts";
import { Choice } from "../../ui/choice.tsx";
import { demandWords, NO_WITNESS_RULE, WITNESS_RULE } from "../../words/witnesses.ts";
import {
  cohortMinSentence,
  goalSentence,
  invitedSentence,
  manyWeightsSentence,
  RULE_SENTENCES,
  STAGE_SENTENCES,
  STAGE_UNSAID,
  weightSentence,
} from "../../words/workshop-rules.ts";
import { NumberedPart } from "./numbered-part.tsx";
import { RoundPlan } from "./round-plan.tsx";
import type { Workshop } from "./use-workshop.ts";
import { type Problems, WrongField, wrongIf } from "./wrong.tsx";

interface RulesPartProps {
  readonly workshop: Workshop;
  readonly problems: Problems;
  /** Of the trial, if one was made. */
  readonly trialPoints: readonly TrialPoint[];
}

type TextRule = {
  [Name in keyof DraftRules]: DraftRules[Name] extends string
    ? string extends DraftRules[Name]
      ? Name
      : never
    : never;
}[keyof DraftRules];

/** Classes with a field for their weight. */
const WEIGHTS_SHOWN_MAX = 10;

/** Part 5: each rule with its field and what it does. */
export function RulesPart({ workshop, problems, trialPoints }: RulesPartProps) {
  const { draft, result } = workshop;
  if (draft === null) return null;
  const rules = rulesOf(draft);
  const classes = draftClasses(draft);
  const isNumber = result?.features != null && result.features.classes === undefined;
  const text = (
    name: TextRule,
    label: string,
    sentence: ReactNode,
    mode: "numeric" | "decimal" = "numeric",
  ) => <RuleText {...{ workshop, problems, name, label, sentence, mode }} value={rules[name]} />;
  return (
    <NumberedPart
      part={5}
      note="Every device checks these before it joins, and refuses a round that departs from them."
    >
      <div className="stack">
        <StageChoice workshop={workshop} stage={statedStage(draft)} />
        <div className="rules">
          {text("goal", "Wanted in a sum", goalSentence(rules))}
          {text("overSelection", "Invited for each", invitedSentence(rules), "decimal")}
          {text("cohortSizeMin", "Never fewer than", cohortMinSentence(rules))}
          {text("epochs", "Passes on the device", RULE_SENTENCES.epochs)}
          {text("batchSize", "Rows a step", RULE_SENTENCES.batchSize)}
          <RuleSelect
            {...{ workshop, problems }}
            name="optimizer"
            label="Optimizer"
            value={rules.optimizer}
            options={{ adam: "Adam", sgd: "SGD, momentum" }}
            sentence={RULE_SENTENCES.optimizer}
          />
          {text("learningRate", "Learning rate", RULE_SENTENCES.learningRate, "decimal")}
          {isNumber && (
            <RuleSelect
              {...{ workshop, problems }}
              name="loss"
              label="Loss"
              value={rules.loss}
              options={{ squared: "squared", huber: "Huber" }}
              sentence={RULE_SENTENCES.loss}
            />
          )}
          {isNumber &&
            rules.loss === "huber" &&
            text("huberDelta", "Huber turns at", RULE_SENTENCES.huberDelta, "decimal")}
          <RuleSelect
            {...{ workshop, problems }}
            name="strategy"
            label="Strategy"
            value={rules.strategy}
            options={STRATEGY_TITLES}
            sentence={RULE_SENTENCES.strategy}
          />
          <ClipRule {...{ workshop, problems, trialPoints }} value={rules.clipNormL2} />
          {text("weightCap", "Rows that count, at most", RULE_SENTENCES.weightCap)}
          {classes.length > 1 && classes.length <= WEIGHTS_SHOWN_MAX && (
            <ClassWeights {...{ workshop, problems, classes }} />
          )}
          {classes.length > WEIGHTS_SHOWN_MAX && (
            <div>
              <span>Weights of classes</span>
              <span>as before, or 1</span>
              <p>{manyWeightsSentence(WEIGHTS_SHOWN_MAX)}</p>
            </div>
          )}
          <RuleSelect
            {...{ workshop, problems }}
            name="ring"
            label="Ring"
            value={rules.ring}
            options={{ "32": "32 bits", "16": "16 bits" }}
            sentence={RULE_SENTENCES.ring}
          />
          {text("localPercent", "Kept back on devices, %", RULE_SENTENCES.localPercent)}
          <WitnessRule {...{ workshop, problems }} value={rules.logWitnesses} />
          <div>
            <span>Noise</span>
            <span>none</span>
            <p>{RULE_SENTENCES.noise}</p>
          </div>
        </div>
        <RoundPlan workshop={workshop} problems={problems} />
      </div>
    </NumberedPart>
  );
}

function StageChoice({
  workshop,
  stage,
}: {
  readonly workshop: Workshop;
  readonly stage: DraftRules["stage"] | null;
}) {
  return (
    <fieldset className="choices cols2 gap-y-0!" aria-label="Trying out or in earnest">
      {(["trying-out", "in-earnest"] as const).map((one) => (
        <Choice
          key={one}
          name="stage"
          title={STAGE_SENTENCES[one].title}
          checked={stage === one}
          onChoose={() => workshop.setRule("stage", one)}
        >
          {STAGE_SENTENCES[one].sentence}
        </Choice>
      ))}
      {stage === null && <p className="note">{STAGE_UNSAID}</p>}
    </fieldset>
  );
}

interface RuleProps {
  readonly workshop: Workshop;
  readonly problems: Problems;
}

function RuleText(
  props: RuleProps & {
    readonly name: TextRule;
    readonly label: string;
    readonly value: string;
    readonly mode: "numeric" | "decimal";
    readonly sentence: ReactNode;
  },
) {
  const { workshop, problems, name, label, value, mode, sentence } = props;
  const wrong = problems.of(name);
  const attributes = wrongIf(name, wrong);
  return (
    <div>
      <label htmlFor={attributes.id}>{label}</label>
      <input
        {...attributes}
        value={value}
        inputMode={mode}
        autoComplete="off"
        onChange={(event) => workshop.setRule(name, event.target.value)}
      />
      <div>{wrong === null ? <p>{sentence}</p> : <WrongField field={name} problems={problems} />}</div>
    </div>
  );
}

function RuleSelect<Name extends "optimizer" | "loss" | "strategy" | "ring">(
  props: RuleProps & {
    readonly name: Name;
    readonly label: string;
    readonly value: DraftRules[Name];
    readonly options: Readonly<Record<string, string>>;
    readonly sentence: string;
  },
) {
  const { workshop, problems, name, label, value, options, sentence } = props;
  const wrong = problems.of(name);
  const attributes = wrongIf(name, wrong);
  return (
    <div>
      <label htmlFor={attributes.id}>{label}</label>
      <select
        {...attributes}
        value={value}
        onChange={(event) => workshop.setRule(name, event.target.value as DraftRules[Name])}
      >
        {Object.entries(options).map(([kind, title]) => (
          <option key={kind} value={kind}>
            {title}
          </option>
        ))}
      </select>
      <div>{wrong === null ? <p>{sentence}</p> : <WrongField field={name} problems={problems} />}</div>
    </div>
  );
}

/** How many of the coordinator's witnesses must have signed; absent if it asks none and the rules name none. */
function WitnessRule({
  workshop,
  problems,
  value,
}: RuleProps & { readonly value: DraftRules["logWitnesses"] }) {
  const log = useLogView().data;
  const asked = log?.witnesses ?? [];
  if (asked.length === 0 && value === null) return null;
  const isOwn =
    value !== null && value.keys.length === asked.length && value.keys.every((key) => asked.includes(key));
  const wrong = problems.of("logWitnesses");
  const attributes = wrongIf("logWitnesses", wrong);
  const chosen = value === null ? "0" : isOwn ? String(value.needed) : "kept";
  return (
    <div>
      <label htmlFor={attributes.id}>Witnesses of the log</label>
      <select
        {...attributes}
        value={chosen}
        onChange={({ target }) => {
          const needed = Number(target.value);
          if (target.value !== "kept")
            workshop.setRule("logWitnesses", needed === 0 ? null : { keys: [...asked], needed });
        }}
      >
        <option value="0">none</option>
        {value !== null && !isOwn && <option value="kept">{demandWords(value)}</option>}
        {asked.map((key, index) => (
          <option key={key} value={index + 1}>
            {demandWords({ keys: [...asked], needed: index + 1 })}
          </option>
        ))}
      </select>
      <div>
        {wrong === null ? (
          <p>{value === null ? NO_WITNESS_RULE : WITNESS_RULE}</p>
        ) : (
          <WrongField field="logWitnesses" problems={problems} />
        )}
      </div>
    </div>
  );
}

/** The bound of an update's length; the trial proposes one that most of its updates stay below. */
function ClipRule(
  props: RuleProps & { readonly value: string; readonly trialPoints: readonly TrialPoint[] },
) {
  const { workshop, problems, value, trialPoints } = props;
  const proposed = trialPoints.length === 0 ? null : proposedClip(trialPoints);
  const sentence =
    proposed === null ? (
      RULE_SENTENCES.clipNormL2
    ) : (
      <>
        {RULE_SENTENCES.clipNormL2} In the trial none was longer than {proposed}.{" "}
        {value !== String(proposed) && (
          <button
            type="button"
            className="link underline"
            onClick={() => workshop.setRule("clipNormL2", String(proposed))}
          >
            Take {proposed}
          </button>
        )}
      </>
    );
  return (
    <RuleText
      {...{ workshop, problems, value, sentence }}
      name="clipNormL2"
      label="Longest change"
      mode="decimal"
    />
  );
}

function ClassWeights(props: RuleProps & { readonly classes: readonly string[] }) {
  const { workshop, problems, classes } = props;
  const { draft } = workshop;
  if (draft === null) return null;
  const { classWeights } = rulesOf(draft);
  const wrong = problems.of("classWeights");
  const weightOf = (name: string) => classWeights.find(([known]) => known === name)?.[1] ?? "1";
  const rowsByClass = new Map(draft.sample?.classRows ?? []);
  return classes.map((name, at) => {
    const id = at === 0 ? wrongIf("classWeights", wrong) : { id: `weight-${at}` };
    return (
      <div key={name}>
        <label htmlFor={id.id}>Weight of “{name}”</label>
        <input
          {...id}
          value={weightOf(name)}
          inputMode="decimal"
          autoComplete="off"
          onChange={(event) =>
            workshop.setRule("classWeights", [
              ...classWeights.filter(([known]) => known !== name),
              [name, event.target.value],
            ])
          }
        />
        <div>
          <p>{weightSentence(name, rowsByClass)}</p>
          {at === 0 && <WrongField field="classWeights" problems={problems} />}
        </div>
      </div>
    );
  });
}
