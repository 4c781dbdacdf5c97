"use client";
import { useMutation } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { type FormEvent, useState } from "react";
import { present } from "#shared/kernel/assert.ts";
import type { RunView, TaskView } from "#shared/protocol/api.ts";
import { launchSentence } from "#shared/round/act-sentences.ts";
import { useSession } from "../../data/access-queries.ts";
import { launchRun } from "../../data/api.ts";
import { useLink } from "../../data/live.tsx";
import { Button } from "../../ui/button.tsx";
import { LogNote } from "../../ui/log-entry.tsx";
import { formatTimeUtc } from "../../words/format.ts";
import { launchNote, nextNumber } from "../../words/launch.ts";
import { FailureNote } from "../shell/query-gate.tsx";
import { beginningsOf, type LaunchForm as Form, formFor, type LaunchErrors, launchOf } from "./launch.ts";
import { LaunchCostLine } from "./launch-cost.tsx";
import { BeginWithSelect, type Inputs, RestOfPlan, TaskSelect, TextField } from "./launch-inputs.tsx";

interface LaunchFormProps {
  /** Those that the reader may launch; one at least. */
  readonly tasks: readonly TaskView[];
  readonly runs: readonly RunView[];
  /** True if there are runs before these. */
  readonly hasOlder: boolean;
  /** The task to begin with, as the address names it; null begins with the first. */
  readonly asked: string | null;
}

/** Launches a run of a task; its cost is updated as one types. */
export function LaunchForm({ asked, ...others }: LaunchFormProps) {
  const { tasks } = others;
  const wanted = tasks.find(({ task }) => task.slug === asked);
  const first = wanted ?? present(tasks[0], "a task to launch");
  return (
    <>
      {asked !== null && wanted === undefined && (
        <p className="note mt-2">There is no task {asked} that could be launched. Choose another.</p>
      )}
      <FilledForm {...others} first={first} />
    </>
  );
}

interface FilledFormProps extends Omit<LaunchFormProps, "asked"> {
  readonly first: TaskView;
}

function FilledForm({ tasks, first, runs, hasOlder }: FilledFormProps) {
  const me = useSession().data?.name ?? "";
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
      <BeginWithSelect {...inputs} beginnings={beginningsOf(view, runs)} />
      <RestOfPlan {...inputs} view={view} />
      <LaunchCostLine view={view} runs={runs} rounds={Number(form.rounds)} />
      <Button kind="main" type="submit" className="col-span-2" disabled={launch.isPending || lost}>
        {launch.isPending ? "Launching" : "Launch run"}
      </Button>
      <LogNote
        sentence={launchSentence(nextNumber(view.task.slug, runs, hasOlder), me)}
        className="col-span-2"
      />
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
