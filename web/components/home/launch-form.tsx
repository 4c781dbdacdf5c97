"use client";
import { useMutation } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { type FormEvent, useState } from "react";
import type { RunView, TaskView } from "#shared/protocol/api.ts";
import { STRATEGY_TITLES } from "#shared/strategy/index.ts";
import { launchRun } from "../../lib/api.ts";
import { formatTimeUtc } from "../../lib/format.ts";
import {
  type LaunchForm as Form,
  formFor,
  type LaunchErrors,
  type LaunchField,
  launchOf,
  serverRateFor,
} from "../../lib/launch.ts";
import { useLink } from "../../lib/live.tsx";
import { Button } from "../button.tsx";
import { Field } from "../field.tsx";
import { FailureNote } from "../query-gate.tsx";
import { LaunchCostList } from "./launch-cost.tsx";

interface LaunchFormProps {
  readonly tasks: readonly TaskView[];
  readonly runs: readonly RunView[];
}

/** Launches a run of a task, with what it will cost changing as one types. */
export function LaunchForm({ tasks, runs }: LaunchFormProps) {
  const first = tasks[0];
  const [typed, setTyped] = useState<Form | null>(null);
  const [errors, setErrors] = useState<LaunchErrors>({});
  const router = useRouter();
  const link = useLink();
  const launch = useMutation({
    mutationFn: launchRun,
    onSuccess: (run) => router.push(`/runs/${run.runId}`),
  });
  if (first === undefined)
    return <p className="note">There is no task to launch. Create one over the API first.</p>;
  const form = typed ?? formFor(first);
  const view = tasks.find(({ task }) => task.slug === form.task) ?? first;
  const set = (change: Partial<Form>) => setTyped({ ...form, ...change });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const result = launchOf(form, view, Date.now());
    setErrors(result.ok ? {} : result.error);
    if (result.ok) launch.mutate(result.value);
    else document.getElementById(`launch-${Object.keys(result.error)[0] ?? "task"}`)?.focus();
  };
  const text = (field: LaunchField, label: string, mode: "numeric" | "decimal" | "text" = "numeric") => (
    <TextField
      field={field}
      label={label}
      mode={mode}
      value={form[field]}
      error={errors[field]}
      onChange={(value) => set({ [field]: value })}
    />
  );
  const lost = link.state === "lost";
  return (
    <form className="mt-4 grid grid-cols-2 gap-x-4 gap-y-3.5" onSubmit={submit} noValidate>
      <Field label="Task" htmlFor="launch-task" className="col-span-2" error={errors.task ?? null}>
        <select
          id="launch-task"
          value={form.task}
          onChange={(event) => {
            const next = tasks.find(({ task }) => task.slug === event.target.value);
            if (next) setTyped(formFor(next, form));
          }}
        >
          {tasks.map(({ task }) => (
            <option key={task.slug} value={task.slug}>
              {task.slug}, version {task.version}
            </option>
          ))}
        </select>
      </Field>
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
      {text("rounds", "Rounds")}
      {text("epochs", "Passes on the device")}
      {text("learningRate", "Learning rate", "decimal")}
      <details
        className="col-span-2"
        open={OPTIONAL.some((field) => errors[field] !== undefined) || undefined}
      >
        <summary className="link w-fit text-sm">More of the plan</summary>
        <div className="mt-3 grid grid-cols-2 gap-x-4 gap-y-3.5">
          {text("batchSize", "Batch size")}
          {text("serverLearningRate", "Server learning rate", "decimal")}
          {text("proximalMu", "Proximal μ, 0 is off", "decimal")}
          {text("seed", "Seed, or nothing")}
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
          <div className="col-span-2">
            {text("actor", "Your name, for the record; nobody checks it yet", "text")}
          </div>
        </div>
      </details>
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

const OPTIONAL: readonly LaunchField[] = [
  "batchSize",
  "serverLearningRate",
  "proximalMu",
  "seed",
  "waitUntil",
  "actor",
];

interface TextFieldProps {
  readonly field: LaunchField;
  readonly label: string;
  readonly mode: "numeric" | "decimal" | "text";
  readonly value: string;
  readonly error: string | undefined;
  readonly onChange: (value: string) => void;
}

function TextField({ field, label, mode, value, error, onChange }: TextFieldProps) {
  const id = `launch-${field}`;
  return (
    <Field label={label} htmlFor={id} error={error ?? null}>
      <input
        id={id}
        inputMode={mode}
        autoComplete="off"
        value={value}
        aria-invalid={error !== undefined}
        aria-describedby={error === undefined ? undefined : `${id}-error`}
        onChange={(event) => onChange(event.target.value)}
      />
    </Field>
  );
}
