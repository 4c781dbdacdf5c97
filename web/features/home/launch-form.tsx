"use client";
import { useMutation } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { type FormEvent, useState } from "react";
import type { RunView, TaskView } from "#shared/protocol/api.ts";
import { STRATEGY_TITLES } from "#shared/strategy/index.ts";
import { launchRun } from "../../data/api.ts";
import { useLink } from "../../data/live.tsx";
import { Button } from "../../ui/button.tsx";
import { Field } from "../../ui/field.tsx";
import { formatTimeUtc } from "../../words/format.ts";
import { FailureNote } from "../shell/query-gate.tsx";
import {
  type LaunchForm as Form,
  formFor,
  type LaunchErrors,
  type LaunchField,
  launchOf,
  serverRateFor,
} from "./launch.ts";
import { LaunchCostList } from "./launch-cost.tsx";

interface LaunchFormProps {
  readonly tasks: readonly TaskView[];
  readonly runs: readonly RunView[];
}

/** Launches a run of a task, with what it will cost changing as one types. */
export function LaunchForm({ tasks, runs }: LaunchFormProps) {
  const [first] = tasks;
  return first === undefined ? (
    <p className="note">There is no task to launch. Create one over the API first.</p>
  ) : (
    <FilledForm tasks={tasks} first={first} runs={runs} />
  );
}

function FilledForm({ tasks, first, runs }: LaunchFormProps & { readonly first: TaskView }) {
  // Until somebody types, the form follows the newest version of the first task.
  const [typed, setTyped] = useState<Form | null>(null);
  const [errors, setErrors] = useState<LaunchErrors>({});
  const router = useRouter();
  const link = useLink();
  const launch = useMutation({
    mutationFn: launchRun,
    onSuccess: (run) => router.push(`/runs/${run.runId}`),
  });
  const form = typed ?? formFor(first);
  const view = tasks.find(({ task }) => task.slug === form.task) ?? first;
  const inputs: Inputs = { form, errors, set: (change) => setTyped({ ...form, ...change }) };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const result = launchOf(form, view, Date.now());
    setErrors(result.ok ? {} : result.error);
    if (result.ok) launch.mutate(result.value);
    else document.getElementById(`launch-${Object.keys(result.error)[0] ?? "task"}`)?.focus();
  };
  const lost = link.state === "lost";
  return (
    <form className="mt-4 grid grid-cols-2 gap-x-4 gap-y-3.5" onSubmit={submit} noValidate>
      <TaskSelect {...inputs} tasks={tasks} />
      <StrategySelect {...inputs} view={view} />
      <TextField {...inputs} field="rounds" label="Rounds" />
      <TextField {...inputs} field="epochs" label="Passes on the device" />
      <TextField {...inputs} field="learningRate" label="Learning rate" mode="decimal" />
      <MoreOfPlan {...inputs} />
      <LaunchCostList view={view} runs={runs} rounds={Number(form.rounds)} />
      <Button kind="main" type="submit" className="col-span-2" disabled={launch.isPending || lost}>
        {launch.isPending ? "Launching" : "Launch run"}
      </Button>
      {lost && (
        <p className="note col-span-2">
          No connection since {formatTimeUtc(link.sinceIso)}. Launching needs the coordinator.
        </p>
      )}
      {launch.error !== null && (
        <div className="col-span-2">
          <FailureNote error={launch.error} />
        </div>
      )}
      <p className="note col-span-2">
        Every device checks these rules before it trains and refuses a round that departs from what its owner
        agreed to. One run of a task goes at a time, or waits for devices; others stand in the queue.
      </p>
    </form>
  );
}

/** What every input of the form reads and changes. */
interface Inputs {
  readonly form: Form;
  readonly errors: LaunchErrors;
  readonly set: (change: Partial<Form>) => void;
}

function TaskSelect({ tasks, form, errors, set }: Inputs & { readonly tasks: readonly TaskView[] }) {
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

function StrategySelect({ view, form, set }: Inputs & { readonly view: TaskView }) {
  return (
    <Field label="Strategy" htmlFor="launch-strategy">
      <select
        id="launch-strategy"
        value={form.strategy}
        onChange={(event) => {
          const strategy = event.target.value as Form["strategy"];
          set({ strategy, serverLearningRate: serverRateFor(view, strategy) });
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

const MORE_FIELDS: readonly LaunchField[] = [
  "batchSize",
  "serverLearningRate",
  "proximalMu",
  "seed",
  "waitUntil",
  "actor",
];

/** Inputs that most people leave as they are; open if one of them has an error. */
function MoreOfPlan(inputs: Inputs) {
  const wrong = MORE_FIELDS.some((field) => inputs.errors[field] !== undefined);
  return (
    <details className="col-span-2" open={wrong || undefined}>
      <summary className="link w-fit text-sm">More of the plan</summary>
      <div className="mt-3 grid grid-cols-2 gap-x-4 gap-y-3.5">
        <TextField {...inputs} field="batchSize" label="Batch size" />
        <TextField {...inputs} field="serverLearningRate" label="Server learning rate" mode="decimal" />
        <TextField {...inputs} field="proximalMu" label="Proximal μ, 0 is off" mode="decimal" />
        <TextField {...inputs} field="seed" label="Seed, or nothing" />
        <WaitUntilField {...inputs} />
        <div className="col-span-2">
          <TextField
            {...inputs}
            field="actor"
            label="Your name, for the record; nobody checks it yet"
            mode="text"
          />
        </div>
      </div>
    </details>
  );
}

function WaitUntilField({ form, errors, set }: Inputs) {
  return (
    <Field
      label="Wait for devices until, or nothing"
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

function TextField({ field, label, mode = "numeric", form, errors, set }: TextFieldProps) {
  const id = `launch-${field}`;
  const error = errors[field];
  return (
    <Field label={label} htmlFor={id} error={error ?? null}>
      <input
        id={id}
        inputMode={mode}
        autoComplete="off"
        value={form[field]}
        aria-invalid={error !== undefined}
        aria-describedby={error === undefined ? undefined : `${id}-error`}
        onChange={(event) => set({ [field]: event.target.value })}
      />
    </Field>
  );
}
