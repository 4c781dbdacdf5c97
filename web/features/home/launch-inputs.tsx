"use client";
import type { TaskView } from "#shared/protocol/api.ts";
import { STRATEGY_TITLES } from "#shared/strategy/index.ts";
import { type StrategyOption, strategyOptions } from "#shared/strategy/options.ts";
import { Field } from "../../ui/field.tsx";
import { TextInput } from "../../ui/text-input.tsx";
import { beginningWords, planWords } from "../../words/launch.ts";
import {
  type Beginning,
  type LaunchForm as Form,
  formFor,
  type LaunchErrors,
  type LaunchField,
  type LaunchInput,
  optionsFor,
} from "./launch.ts";

/** What all inputs of the form share. */
export interface Inputs {
  readonly form: Form;
  readonly errors: LaunchErrors;
  readonly set: (change: Partial<Form>) => void;
}

export function TaskSelect({ tasks, form, errors, set }: Inputs & { readonly tasks: readonly TaskView[] }) {
  const choose = (slug: string) => {
    const next = tasks.find(({ task }) => task.slug === slug);
    if (next) set(formFor(next, form));
  };
  return (
    <Field label="Task" htmlFor="launch-task" className="col-span-2" error={errors.task ?? null}>
      <select id="launch-task" value={form.task} onChange={(event) => choose(event.target.value)}>
        {tasks.map(({ task }) => (
          <option key={task.slug} value={task.slug}>
            {task.slug}, version {task.version}
          </option>
        ))}
      </select>
    </Field>
  );
}

/** The task's newest version decides whether a model fits; the coordinator refuses others with a sentence. */
export function BeginWithSelect(props: Inputs & { readonly beginnings: readonly Beginning[] }) {
  const { beginnings, form, set } = props;
  return (
    <Field label="Begin with" htmlFor="launch-beginWith">
      <select
        id="launch-beginWith"
        value={form.beginWith}
        onChange={(event) => set({ beginWith: event.target.value })}
      >
        <option value="">a new model</option>
        {beginnings.map((beginning) => (
          <option key={beginning.version} value={String(beginning.version)}>
            {beginningWords(beginning)}
          </option>
        ))}
      </select>
    </Field>
  );
}

function StrategySelect({ view, form, set }: Inputs & { readonly view: TaskView }) {
  return (
    <Field label="Strategy" htmlFor="launch-strategy">
      <select
        id="launch-strategy"
        value={form.strategy}
        onChange={(event) => {
          const strategy = event.target.value as Form["strategy"];
          set({ strategy, options: optionsFor(view, strategy) });
        }}
      >
        {Object.entries(STRATEGY_TITLES).map(([kind, name]) => (
          <option key={kind} value={kind}>
            {name}
          </option>
        ))}
      </select>
    </Field>
  );
}

const REST_FIELDS: readonly LaunchField[] = [
  "epochs",
  "learningRate",
  "batchSize",
  "proximalMu",
  "seed",
  "waitUntil",
];

/** Inputs that most people leave unchanged; open if one of them has an error. */
export function RestOfPlan(inputs: Inputs & { readonly view: TaskView }) {
  const options = strategyOptions(inputs.form.strategy);
  const names = [...REST_FIELDS, ...options.map(({ name }) => `strategy.${name}` as const)];
  const wrong = names.some((name) => inputs.errors[name] !== undefined);
  return (
    <details className="col-span-2" open={wrong || undefined}>
      <summary className="link w-fit text-sm">{planWords(inputs.form)}</summary>
      <div className="mt-3 grid grid-cols-2 gap-x-4 gap-y-3.5">
        <StrategySelect {...inputs} />
        <TextField {...inputs} field="epochs" label="Passes on the device" />
        <TextField {...inputs} field="learningRate" label="Learning rate" mode="decimal" />
        <TextField {...inputs} field="batchSize" label="Batch size" />
        {options.map((option) => (
          <OptionField key={option.name} {...inputs} option={option} />
        ))}
        <TextField {...inputs} field="proximalMu" label="Proximal μ, 0 is off" mode="decimal" />
        <TextField {...inputs} field="seed" label="Seed (optional)" />
        <WaitUntilField {...inputs} />
      </div>
    </details>
  );
}

function WaitUntilField({ form, errors, set }: Inputs) {
  return (
    <Field
      label="Wait for devices until (optional)"
      htmlFor="launch-waitUntil"
      className="col-span-2"
      note="In this browser's time. If too few devices have come by then, the run ends; without a time it waits."
      error={errors.waitUntil ?? null}
    >
      <input
        id="launch-waitUntil"
        type="datetime-local"
        value={form.waitUntil}
        aria-invalid={errors.waitUntil !== undefined}
        aria-describedby={errors.waitUntil === undefined ? undefined : "launch-waitUntil-error"}
        onChange={(event) => set({ waitUntil: event.target.value })}
      />
    </Field>
  );
}

interface TextFieldProps extends Inputs {
  readonly field: LaunchField;
  readonly label: string;
  readonly mode?: "numeric" | "decimal" | "text";
}

export function TextField({ field, label, mode = "numeric", form, errors, set }: TextFieldProps) {
  return (
    <NamedInput
      name={field}
      label={label}
      mode={mode}
      value={form[field]}
      error={errors[field]}
      onChange={(value) => set({ [field]: value })}
    />
  );
}

/** One option of the chosen strategy, with the range that its schema gives. */
function OptionField({ option, form, errors, set }: Inputs & { readonly option: StrategyOption }) {
  const { name, title, takes } = option;
  const value = form.options[name] ?? "";
  const onChange = (typed: string) => set({ options: { ...form.options, [name]: typed } });
  if (takes.kind === "number") {
    return (
      <NamedInput
        name={`strategy.${name}`}
        label={title}
        mode={takes.whole ? "numeric" : "decimal"}
        value={value}
        error={errors[`strategy.${name}`]}
        onChange={onChange}
      />
    );
  }
  const id = `launch-strategy.${name}`;
  return (
    <Field label={title} htmlFor={id}>
      <select id={id} value={value} onChange={(event) => onChange(event.target.value)}>
        {takes.choices.map((choice) => (
          <option key={choice}>{choice}</option>
        ))}
      </select>
    </Field>
  );
}

function NamedInput(props: {
  readonly name: LaunchInput;
  readonly label: string;
  readonly mode: "numeric" | "decimal" | "text";
  readonly value: string;
  readonly error: string | undefined;
  readonly onChange: (value: string) => void;
}) {
  const { name, label, mode, value, error, onChange } = props;
  return (
    <TextInput
      id={`launch-${name}`}
      label={label}
      inputMode={mode}
      autoComplete="off"
      value={value}
      onValue={onChange}
      error={error}
    />
  );
}
