"use client";
import { useMutation } from "@tanstack/react-query";
import Link from "next/link";
import { useRouter } from "next/navigation";
import { type FormEvent, useState } from "react";
import type { RunView, TaskView } from "#shared/protocol/api.ts";
import { launchRun } from "../../data/api.ts";
import { useLink } from "../../data/live.tsx";
import { Button } from "../../ui/button.tsx";
import { formatTimeUtc } from "../../words/format.ts";
import { launchNote } from "../../words/launch.ts";
import { FailureNote } from "../shell/query-gate.tsx";
import { type LaunchForm as Form, formFor, type LaunchErrors, launchOf } from "./launch.ts";
import { LaunchCostLine } from "./launch-cost.tsx";
import { type Inputs, RestOfPlan, TaskSelect, TextField } from "./launch-inputs.tsx";

interface LaunchFormProps {
  readonly tasks: readonly TaskView[];
  readonly runs: readonly RunView[];
  /** The task to begin with, as the address names it; null begins with the first. */
  readonly asked: string | null;
}

/** Launches a run of a task; its cost is updated as one types. */
export function LaunchForm({ tasks, runs, asked }: LaunchFormProps) {
  const wanted = tasks.find(({ task }) => task.slug === asked);
  const first = wanted ?? tasks[0];
  if (first === undefined)
    return (
      <p className="note">
        There is no task to launch. <Link href="/tasks">Make one</Link> first.
      </p>
    );
  return (
    <>
      {asked !== null && wanted === undefined && (
        <p className="note mt-2">There is no task {asked} that could be launched. Choose another.</p>
      )}
      <FilledForm tasks={tasks} first={first} runs={runs} />
    </>
  );
}

function FilledForm({ tasks, first, runs }: Omit<LaunchFormProps, "asked"> & { readonly first: TaskView }) {
  // Until someone types, the form follows the newest version of the task it begins with.
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
      <TextField {...inputs} field="rounds" label="Rounds" />
      <RestOfPlan {...inputs} view={view} />
      <LaunchCostLine view={view} runs={runs} rounds={Number(form.rounds)} />
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
        {launchNote(view, runs.find(({ runId }) => runId === view.activeRunId) ?? null)}
      </p>
    </form>
  );
}
