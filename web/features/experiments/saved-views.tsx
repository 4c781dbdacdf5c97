"use client";
import { type FormEvent, useEffect, useState } from "react";
import { keptStorage } from "../../data/storage.ts";
import { Button } from "../../ui/button.tsx";
import { TextInput } from "../../ui/text-input.tsx";
import { openAddress } from "../../ui/use-address.ts";
import {
  type NamedView,
  readViews,
  VIEW_NAME_MAX,
  withoutView,
  withView,
} from "../../words/experiment-views.ts";

const KEY = "chorus.experiments.views";

/** Views with a name: each is an address, and this browser keeps them. */
export function SavedViews() {
  const [views, setViews] = useState<readonly NamedView[]>([]);
  const [name, setName] = useState("");
  const [wrong, setWrong] = useState<string | null>(null);
  const [said, setSaid] = useState("");
  useEffect(() => setViews(readViews(keptStorage()?.getItem(KEY) ?? null)), []);
  const keep = (next: readonly NamedView[], done: string) => {
    try {
      keptStorage()?.setItem(KEY, JSON.stringify(next));
      setSaid(
        keptStorage() === null ? "This browser keeps nothing for pages: copy the address instead." : done,
      );
    } catch {
      setSaid("This browser has no room for it: copy the address instead.");
    }
    setViews(next);
  };
  const save = (event: FormEvent) => {
    event.preventDefault();
    const saved = withView(views, name, window.location.search.slice(1));
    setWrong(saved.ok ? null : saved.sentence);
    if (!saved.ok) return;
    keep(saved.views, saved.said);
    setName("");
  };
  return (
    <details className="open:basis-full">
      <summary>Save as…{views.length > 0 && ` (${views.length} saved)`}</summary>
      <div className="grid gap-3 pt-2">
        <form onSubmit={save} className="flex flex-wrap items-start gap-3" noValidate>
          <TextInput
            id="view-name"
            label="Name of this view"
            value={name}
            onValue={setName}
            error={wrong}
            maxLength={VIEW_NAME_MAX}
          />
          <Button type="submit" className="mt-6">
            Save
          </Button>
        </form>
        <p className="note">
          This browser keeps it, with filter, columns, order and choice. For someone else, copy the address.
        </p>
        <p role="status" className="note">
          {said}
        </p>
        {views.length > 0 && (
          <ul className="grid gap-1">
            {views.map((view) => (
              <li key={view.name} className="flex flex-wrap items-baseline gap-x-4">
                <a
                  href={`/experiments?${view.query}`}
                  onClick={(event) => {
                    event.preventDefault();
                    openAddress(view.query);
                  }}
                >
                  {view.name}
                </a>
                <button
                  type="button"
                  className="link underline"
                  aria-label={`Remove ${view.name}`}
                  onClick={() => keep(withoutView(views, view.name), `‘${view.name}’ is removed.`)}
                >
                  Remove
                </button>
              </li>
            ))}
          </ul>
        )}
      </div>
    </details>
  );
}
