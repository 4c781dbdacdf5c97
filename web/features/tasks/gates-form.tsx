"use client";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { projectSentence } from "#shared/project/sentences.ts";
import type { TaskView } from "#shared/protocol/api.ts";
import { GATE_COUNT_MAX, type PromotionRules } from "#shared/task/gates/index.ts";
import type { TaskSettingChanges, TaskSettings } from "#shared/task/settings.ts";
import { targetOf } from "#shared/task/target.ts";
import { changeSettings } from "../../data/api.ts";
import { MODEL_KEYS } from "../../data/models.ts";
import { useSettings } from "../../data/queries.ts";
import { Button } from "../../ui/button.tsx";
import { Field } from "../../ui/field.tsx";
import { Section } from "../../ui/section.tsx";
import { LoadingNote } from "../../ui/states.tsx";
import { TextInput } from "../../ui/text-input.tsx";
import {
  draftOf,
  fieldsOf,
  GATE_KINDS,
  type GateDraft,
  type GateKind,
  kindTitle,
  type MeasureChoice,
  measureChoices,
  newDraft,
  rulesOf,
  type Wrong,
} from "../../words/gates-form.ts";
import { Deed } from "../admin/deeds.tsx";
import { useAct } from "../doors/use-act.tsx";
import { CostsForm } from "./costs-form.tsx";

interface GatesFormProps {
  readonly view: TaskView;
  /** The name of whoever changes them. */
  readonly me: string;
  readonly onChange: () => void;
}

/** Sets what a version must show before it is put in use, and what errors of two classes cost. */
export function GatesForm({ view, me, onChange }: GatesFormProps) {
  const { slug, features } = view.task;
  const client = useQueryClient();
  const { data: stored } = useSettings(slug);
  const target = targetOf(features);
  const changed = () => {
    for (const queryKey of [["settings", slug], MODEL_KEYS.gates(slug), MODEL_KEYS.comparisons(slug)])
      void client.invalidateQueries({ queryKey });
    onChange();
  };
  const shared = { slug, me, onChange: changed } as const;
  return (
    <Section
      id="promotion"
      title="What a version must show"
      note="Gates are asked before a version is put in use. No device is asked when they change."
    >
      {stored === undefined ? (
        <LoadingNote what={`gates of ${slug}`} />
      ) : (
        <div className="grid gap-9">
          <EditGates
            key={JSON.stringify(stored.settings.promotion)}
            {...shared}
            rules={stored.settings.promotion}
            choices={measureChoices(target)}
          />
          {target.kind === "classes" && target.classes.length === 2 && (
            <CostsForm
              key={JSON.stringify(stored.settings.operatingPoint)}
              {...shared}
              classes={target.classes}
              point={stored.settings.operatingPoint}
            />
          )}
        </div>
      )}
    </Section>
  );
}

interface EditGatesProps {
  readonly slug: TaskView["task"]["slug"];
  readonly me: string;
  readonly onChange: () => void;
  readonly rules: TaskSettings["promotion"];
  readonly choices: readonly MeasureChoice[];
}

const NO_GATES: PromotionRules = { gates: [], promoteByItself: false };

function EditGates({ slug, me, onChange, rules, choices }: EditGatesProps) {
  const before = rules ?? NO_GATES;
  const [drafts, setDrafts] = useState(() => before.gates.map((gate) => draftOf(gate, choices)));
  const [byItself, setByItself] = useState(before.promoteByItself);
  const [kind, setKind] = useState<GateKind>("measure");
  const asked = rulesOf(drafts, byItself, choices);
  const isChanged = asked.rules === null || JSON.stringify(asked.rules) !== JSON.stringify(before);
  const act = useAct((changes: TaskSettingChanges) => changeSettings(slug, changes), onChange);
  const set = (index: number, draft: GateDraft | null) =>
    setDrafts(drafts.flatMap((known, at) => (at !== index ? [known] : draft === null ? [] : [draft])));
  const undo = () => {
    setDrafts(before.gates.map((gate) => draftOf(gate, choices)));
    setByItself(before.promoteByItself);
  };
  const entries =
    asked.rules === null
      ? []
      : [
          projectSentence({
            type: "task-settings-changed",
            slug,
            changes: { promotion: asked.rules },
            actor: me,
          }),
        ];
  return (
    <div className="grid gap-5">
      {drafts.length === 0 && <p className="read">There are no gates, so any version may be promoted.</p>}
      <ol className="grid gap-5">
        {drafts.map((draft, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: gates are told apart by their place alone
          <li key={index}>
            <GateRow
              draft={draft}
              index={index}
              choices={choices}
              wrong={asked.wrong}
              onDraft={(next) => set(index, next)}
            />
          </li>
        ))}
      </ol>
      <div className="flex flex-wrap items-end gap-3">
        <Field label="Another gate" htmlFor="gate-kind">
          <select
            id="gate-kind"
            value={kind}
            onChange={(event) =>
              setKind(GATE_KINDS.find((one) => one.kind === event.target.value)?.kind ?? "measure")
            }
          >
            {GATE_KINDS.map((one) => (
              <option key={one.kind} value={one.kind}>
                {one.title}
              </option>
            ))}
          </select>
        </Field>
        <Button
          disabled={drafts.length >= GATE_COUNT_MAX}
          onClick={() => setDrafts([...drafts, newDraft(kind, choices)])}
        >
          Add the gate
        </Button>
      </div>
      <div>
        <label className="flex min-h-11 w-fit cursor-pointer items-center gap-3">
          <input
            type="checkbox"
            checked={byItself}
            aria-describedby="by-itself-error"
            onChange={(event) => setByItself(event.target.checked)}
          />
          When a run ends, put its last version in use if all gates are open
        </label>
        <p id="by-itself-error" className="text-sm text-stop empty:hidden">
          {asked.wrong.get("promoteByItself")}
        </p>
      </div>
      {isChanged && (
        <Deed
          entries={entries}
          note={asked.rules === null && <p>The entry stands here once every field is filled in.</p>}
          act={act}
          doLabel="Change the gates"
          onDo={() => asked.rules !== null && act.run({ promotion: asked.rules })}
          onKeep={undo}
        />
      )}
    </div>
  );
}

interface GateRowProps {
  readonly draft: GateDraft;
  readonly index: number;
  readonly choices: readonly MeasureChoice[];
  readonly wrong: Wrong;
  /** Null removes it. */
  readonly onDraft: (draft: GateDraft | null) => void;
}

function GateRow({ draft, index, choices, wrong, onDraft }: GateRowProps) {
  const id = `gate-${index}`;
  const whole = wrong.get(`gates.${index}`);
  return (
    <fieldset className="grid gap-3">
      <legend className="font-semibold">
        {index + 1}. {kindTitle(draft.kind)}
      </legend>
      <div className="flex flex-wrap items-end gap-x-4 gap-y-3">
        {draft.kind === "measure" && (
          <Field label="Figure" htmlFor={`${id}-name`}>
            <select
              id={`${id}-name`}
              value={draft.name}
              onChange={(event) => onDraft({ kind: "measure", name: event.target.value, texts: draft.texts })}
            >
              {choices.map(({ name, label }) => (
                <option key={name} value={name}>
                  {label}
                </option>
              ))}
            </select>
          </Field>
        )}
        {fieldsOf(draft, choices).map(({ key, label, unit }) => (
          <TextInput
            key={key}
            id={`${id}-${key}`}
            label={unit === "" ? label : `${label}, ${unit}`}
            inputMode="decimal"
            value={draft.texts[key] ?? ""}
            error={draft.texts[key] === undefined ? null : (wrong.get(`gates.${index}.${key}`) ?? null)}
            onValue={(text) => onDraft(Object.assign({}, draft, { texts: { ...draft.texts, [key]: text } }))}
          />
        ))}
        <Button onClick={() => onDraft(null)} aria-label={`Remove gate ${index + 1}`}>
          Remove
        </Button>
      </div>
      {whole !== undefined && <p className="text-sm text-stop">{whole}</p>}
    </fieldset>
  );
}
