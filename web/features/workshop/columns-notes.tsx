"use client";
import { Fragment } from "react";
import type { ColumnProfile } from "#shared/sample/column-profiler.ts";
import { type DraftColumn, fieldsOfColumn } from "#shared/sample/draft.ts";
import type { ColumnFields } from "#shared/sample/propose-columns.ts";
import { NamedList } from "../../ui/show-more.tsx";
import {
  foldedWords,
  leftOutWords,
  rareAndPublic,
  rareWords,
  spelledWords,
  WHAT_IS_PUBLIC,
} from "../../words/workshop.ts";
import type { Workshop } from "./use-workshop.ts";

/** The profile of a column by its name; null without a sample. */
export type ProfileOf = (name: string) => ColumnProfile | null;

/** Lines of a wide table that are drawn at first. */
const LINES_FIRST = 20;

/** Columns that people are not asked for, with the reason. */
export function LeftOut(props: {
  readonly columns: readonly { readonly column: DraftColumn; readonly at: number }[];
  readonly profileOf: ProfileOf;
  readonly mayAsk: boolean;
  readonly onAsk: (at: number) => void;
}) {
  const { columns, profileOf, mayAsk, onAsk } = props;
  return (
    <div>
      <h3>Left out, and why</h3>
      {columns.length === 0 && <p className="note">Nothing.</p>}
      <NamedList name="left-out" items={columns} first={LINES_FIRST}>
        {(shown) => (
          <ul className="mt-1 text-sm">
            {shown.map(({ column, at }) => (
              <li
                key={at}
                className="flex flex-wrap items-baseline gap-x-4 gap-y-1 border-b border-rule py-2"
              >
                <code className="min-w-24 wrap-anywhere">
                  {column.name === "" ? "(no name)" : column.name}
                </code>
                <span className="min-w-0 flex-1 basis-56">
                  {column.leftOutBecause === null
                    ? "You left it out."
                    : leftOutWords(column.leftOutBecause, profileOf(column.name))}
                </span>
                {mayAsk && column.name.trim() !== "" && column.leftOutBecause !== "same-name" && (
                  <button
                    type="button"
                    className="link underline"
                    onClick={() => onAsk(at)}
                    aria-label={`Ask for ${column.name} anyway`}
                  >
                    Ask anyway
                  </button>
                )}
              </li>
            ))}
          </ul>
        )}
      </NamedList>
    </div>
  );
}

/** What of the columns becomes public, and what was folded so that it points at nobody. */
export function PublicNote(props: { readonly workshop: Workshop; readonly profileOf: ProfileOf }) {
  const { workshop, profileOf } = props;
  const columns = workshop.draft?.columns ?? [];
  const notes = columns.flatMap((column, at) => {
    const fields = fieldsOfColumn(column);
    if (fields.use === "left-out" || fields.type === "number") return [];
    const profile = profileOf(column.name);
    const folded = foldedWords(column.name, fields, profile);
    const spelled = spelledWords(column.name, fields, profile);
    const rare = rareAndPublic(fields, profile);
    const kept = [folded, spelled].filter((sentence) => sentence !== null);
    return kept.length === 0 && rare.length === 0
      ? []
      : [{ at, name: column.name, fields, profile, kept, rare }];
  });
  return (
    <div className="grid content-start gap-2 text-sm">
      <h3>What publishing makes public</h3>
      <p className="text-ink-2">{WHAT_IS_PUBLIC}</p>
      <NamedList name="public" items={notes} first={LINES_FIRST}>
        {(shown) =>
          shown.map(({ at, name, fields, profile, kept, rare }) => (
            <Fragment key={at}>
              {kept.length > 0 && (
                <p className="text-ink-2">
                  {kept.join(" ")}{" "}
                  <button
                    type="button"
                    className="link underline"
                    onClick={() => workshop.setColumn(at, { categories: allValues(profile), other: "" })}
                    aria-label={`Keep the categories of ${name} apart`}
                  >
                    Keep them apart
                  </button>
                </p>
              )}
              {rare.length > 0 && (
                <p className="text-stop">
                  {rareWords(name, rare, fields)}{" "}
                  <button
                    type="button"
                    className="link underline"
                    onClick={() => workshop.setColumn(at, withoutRare(fields, rare))}
                  >
                    {fields.use === "label" ? "Leave these rows out" : `Fold into “${otherOf(fields)}”`}
                  </button>
                </p>
              )}
            </Fragment>
          ))
        }
      </NamedList>
    </div>
  );
}

/** A rare category joins the others; rows of a rare class are left out. */
function withoutRare(fields: ColumnFields, rare: readonly string[]): Partial<ColumnFields> {
  const categories = fields.categories.filter((name) => !rare.includes(name));
  return fields.use === "label" ? { categories } : { categories, other: otherOf(fields) };
}

const otherOf = ({ other }: ColumnFields): string => (other === "" ? "other" : other);

function allValues(profile: ColumnProfile | null): string[] {
  return (profile?.distinct.values ?? []).map(([value]) => value);
}
