import { taskDifference } from "#shared/task/difference.ts";
import type { Task } from "#shared/task/task.ts";

/** What a version changes of the one before, in words. */
export function Difference({ before, after }: { readonly before: Task; readonly after: Task }) {
  const sentences = taskDifference(before, after);
  return (
    <div>
      <h3>
        What version {after.version} changes of version {before.version}
      </h3>
      <DifferenceList sentences={sentences} />
      <p className="note mt-2">
        Devices that agreed to version {before.version} are asked again, and take part in nothing until their
        owner agrees.
      </p>
    </div>
  );
}

export function DifferenceList({ sentences }: { readonly sentences: readonly string[] }) {
  if (sentences.length === 0) return <p className="text-ink-2">Nothing but its number.</p>;
  return (
    <ul className="mt-1 max-w-3xl text-sm">
      {sentences.map((sentence) => (
        <li key={sentence} className="py-0.5 wrap-anywhere">
          {sentence}
        </li>
      ))}
    </ul>
  );
}
