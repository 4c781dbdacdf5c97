"use client";
import type { Task } from "#shared/task/task.ts";
import { useLogView } from "../../data/log-view.ts";
import { witnessName, witnessSentence } from "../../words/witnesses.ts";

/**
 * Who has signed the newest checkpoint, and when; of a task, the witnesses that it demands. Absent without any.
 *
 * @param demand  Of a task; all witnesses that the coordinator asks if absent.
 */
export function WitnessList({ demand }: { readonly demand?: NonNullable<Task["logWitnesses"]> }) {
  const log = useLogView().data;
  if (log === undefined) return null;
  const names = demand?.keys.map(witnessName);
  const states = log.witnessStates.filter(({ name }) => names === undefined || names.includes(name));
  const missing = demand?.keys.filter((key) => !log.witnesses.includes(key)) ?? [];
  if (states.length === 0 && missing.length === 0) return null;
  const now = Date.now();
  return (
    <section aria-label="Witnesses of the log" className="mt-4 grid gap-1">
      <ul className="note">
        {states.map((state) => (
          <li key={state.name}>{witnessSentence(state, log.size, now)}</li>
        ))}
        {missing.map((key) => (
          <li key={key}>{witnessName(key)} is not asked by this coordinator.</li>
        ))}
      </ul>
    </section>
  );
}
