"use client";
import { type ReactNode, useState } from "react";
import { answerOf } from "#shared/model/answer.ts";
import { type ModelFacts, modelFacts } from "#shared/model/facts.ts";
import { importModel } from "#shared/model/import-topology.ts";
import { modelText } from "#shared/model/write-topology.ts";
import type { Draft } from "#shared/sample/draft.ts";
import { templatesOf } from "#shared/sample/draft-model.ts";
import { type Features, inputShape } from "#shared/task/features.ts";
import type { ModelSpec } from "#shared/task/model.ts";
import type { Task } from "#shared/task/task.ts";
import { formatCount, formatDecimal, formatFileSize, formatKilobytes } from "../../words/format.ts";
import { layersLine } from "../../words/model.ts";
import { Advised } from "./advised.tsx";
import { NumberedPart } from "./numbered-part.tsx";
import { useStepTime } from "./use-step-time.ts";
import type { Workshop } from "./use-workshop.ts";
import { fieldId, Mends, type Problems, Wrong, WrongField, wrongIf } from "./wrong.tsx";

interface ModelPartProps {
  readonly workshop: Workshop;
  readonly problems: Problems;
  /** A trial has the engines, so nothing is timed. */
  readonly isTrying: boolean;
}

interface Choice {
  readonly key: string;
  readonly title: string;
  readonly words: string;
  readonly model: ModelSpec | null;
  readonly isChosen: boolean;
  readonly pick: Draft["model"];
}

/** Part 3: what learns, with what each choice costs. */
export function ModelPart({ workshop, problems, isTrying }: ModelPartProps) {
  const { draft, result } = workshop;
  // While something is being typed that does not fit, the models of before stay.
  const features = useLast(result?.features ?? null);
  if (draft === null || result === null) return null;
  const { preview } = result;
  const note = features === null ? "Figures change as you choose." : modelNote(preview);
  return (
    <NumberedPart part={3} note={note}>
      {features === null ? (
        <p className="text-ink-2">
          Models are proposed once there is something to learn and something to learn from.
        </p>
      ) : (
        <Choices {...{ workshop, problems, isTrying, draft, features, preview }} />
      )}
    </NumberedPart>
  );
}

function modelNote(preview: Task | null): string {
  return preview === null
    ? "Figures change as you choose. kB = 1,000 bytes."
    : `Figures change as you choose. Bytes are for a round of ${formatCount(preview.aggregation.goal)} devices; kB = 1,000 bytes.`;
}

function Choices(
  props: ModelPartProps & {
    readonly draft: Draft;
    readonly features: Features;
    readonly preview: Task | null;
  },
) {
  const { workshop, problems, isTrying, draft, features, preview } = props;
  const choices = choicesOf(draft, features, workshop.result?.model ?? null);
  const frame = useLast(preview);
  const factsOf = (model: ModelSpec | null) =>
    model === null || frame === null ? null : modelFacts({ ...frame, model, features });
  const chosen = choices.find(({ isChosen }) => isChosen);
  const chosenFacts = factsOf(chosen?.model ?? null);
  const stepMs = useStepTime(preview, isTrying);
  return (
    <div className="stack">
      <div>
        <table className="records choose">
          <caption className="sr-only">Models to choose from</caption>
          <thead>
            <tr>
              <th scope="col">Template</th>
              <th scope="col" className="num">
                Parameters
              </th>
              <th scope="col" className="num">
                Up, kB a round
              </th>
              <th scope="col" className="num">
                Down, kB
              </th>
              <th scope="col" className="num">
                Here, ms a step
              </th>
              <th scope="col">In plain words</th>
            </tr>
          </thead>
          <tbody>
            {choices.map((choice) => (
              <ChoiceRow
                key={choice.key}
                choice={choice}
                facts={factsOf(choice.model)}
                ring={frame?.aggregation.ring ?? 32}
                stepMs={choice.isChosen ? stepMs : null}
                onPick={() => workshop.change((now) => ({ ...now, model: choice.pick }))}
              />
            ))}
          </tbody>
        </table>
        {draft.model.from !== "json" && <WrongField field="model" problems={problems} />}
        {chosenFacts !== null && preview !== null && <ChosenFacts facts={chosenFacts} task={preview} />}
      </div>
      {draft.model.from === "json" && (
        <Pasted {...{ workshop, problems, features }} text={draft.model.text} />
      )}
      {chosenFacts !== null && preview !== null && chosen?.model != null && (
        <Advised
          workshop={workshop}
          task={{ ...preview, model: chosen.model }}
          facts={chosenFacts}
          rows={draft.sample?.rows ?? null}
        />
      )}
    </div>
  );
}

/** The newest value that was not null. */
function useLast<Value>(value: Value | null): Value | null {
  const [last, setLast] = useState(value);
  if (value !== null && value !== last) setLast(value);
  return value ?? last;
}

function choicesOf(draft: Draft, features: Features, built: ModelSpec | null): Choice[] {
  const { templates, chosen } = templatesOf(draft, features);
  const { model, base } = draft;
  const own: Choice[] =
    base === null
      ? []
      : [
          {
            key: "base",
            title: `As in version ${base.version}`,
            words: layersLine(base.model),
            model: base.model,
            isChosen: model.from === "base",
            pick: { from: "base" },
          },
        ];
  return [
    ...own,
    ...templates.map((template) => ({
      key: template.id,
      title: template.title,
      words: template.words,
      model: template.model,
      isChosen: template.id === chosen,
      pick: { from: "template", name: template.id } as const,
    })),
    {
      key: "json",
      title: "Pasted JSON",
      words: "A Sequential model of tfjs or Keras, as far as its layers are taken here.",
      model: model.from === "json" ? built : null,
      isChosen: model.from === "json",
      // What was chosen before is the text to begin with.
      pick: model.from === "json" ? model : { from: "json", text: built === null ? "" : modelText(built) },
    },
  ];
}

function ChoiceRow(props: {
  readonly choice: Choice;
  readonly facts: ModelFacts | null;
  readonly ring: 16 | 32;
  readonly stepMs: number | null;
  readonly onPick: () => void;
}) {
  const { choice, facts, ring, stepMs, onPick } = props;
  const bytes = facts?.rounds[ring] ?? null;
  const kilobytes = (count: number | null): ReactNode => (count === null ? "" : formatKilobytes(count));
  return (
    <tr className={choice.isChosen ? "chosen" : undefined}>
      <td>
        <label>
          <input
            type="radio"
            name="model"
            id={choice.isChosen && choice.key !== "json" ? fieldId("model") : undefined}
            checked={choice.isChosen}
            onChange={onPick}
          />
          <span>
            {choice.title}
            {choice.model !== null && <span className="note block">{layersLine(choice.model)}</span>}
          </span>
        </label>
      </td>
      <td className="num" data-label="parameters">
        {facts === null ? "" : formatCount(facts.parameterCount)}
      </td>
      <td className="num" data-label="up, kB a round">
        {kilobytes(
          bytes === null || bytes.refusal !== null ? null : bytes.listByteCount + bytes.keysUpByteCount,
        )}
      </td>
      <td className="num" data-label="down, kB">
        {kilobytes(bytes === null ? null : bytes.modelByteCount + bytes.keysDownByteCount)}
      </td>
      <td className="num" data-label="here, ms a step">
        {stepMs === null ? "" : stepMs < 10 ? formatDecimal(stepMs, 1) : formatCount(stepMs)}
      </td>
      <td>{choice.words}</td>
    </tr>
  );
}

function ChosenFacts({ facts, task }: { readonly facts: ModelFacts; readonly task: Task }) {
  const bytes = facts.rounds[task.aggregation.ring];
  if (bytes.refusal !== null) return null;
  const total = bytes.listByteCount + bytes.keysUpByteCount;
  return (
    <p className="note mt-3 max-w-3xl">
      Of {formatKilobytes(total)} kB up, {formatKilobytes(bytes.listByteCount)} are the masked list of{" "}
      {formatCount(bytes.listLength)} numbers; the rest is keys and shares for the others. Memory on a device:
      about {formatFileSize(facts.memoryByteCount)}.
    </p>
  );
}

function Pasted(
  props: Omit<ModelPartProps, "isTrying"> & { readonly features: Features; readonly text: string },
) {
  const { workshop, problems, features, text } = props;
  const sentence = problems.of("model");
  const read = text.trim() === "" ? null : importModel(text, inputShape(features), answerOf(features));
  const faults = read === null || read.ok ? [] : read.error;
  return (
    <div className="field max-w-3xl">
      <label className="field">
        Layers, as JSON: what <code>model.toJSON()</code> gives, or a model.json
        <textarea
          {...wrongIf("model", sentence)}
          className="font-mono text-sm!"
          rows={8}
          spellCheck={false}
          value={text}
          onChange={(event) =>
            workshop.change((now) => ({ ...now, model: { from: "json", text: event.target.value } }))
          }
        />
      </label>
      {faults.length === 0 ? (
        <WrongField field="model" problems={problems} />
      ) : (
        <div id={`${fieldId("model")}-wrong`} className="grid gap-1">
          {faults.map((fault, at) => (
            <Wrong key={`${fault.layer} ${fault.sentence}`} id={`model-fault-${at}`}>
              {fault.sentence}
            </Wrong>
          ))}
          <Mends field="model" problems={problems} />
        </div>
      )}
      {read?.ok === true &&
        read.value.notes.map((note) => (
          <p key={note} className="note">
            {note}
          </p>
        ))}
    </div>
  );
}
