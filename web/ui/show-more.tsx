"use client";
import type { ReactNode } from "react";
import { shownWords } from "../words/lists.ts";
import { Button } from "./button.tsx";
import { useAddress } from "./use-address.ts";

/*
 * Long lists: the first items, and a button for more. How many are shown is in the page's address, so that a link, a
 * reload and the way back show the same.
 */

/** Items that the button adds. */
const STEP = 50;

/**
 * How many items of a list are shown, and how to show more.
 *
 * @param name   The list's name in the page's address.
 * @param first  Shown if the address does not name the list.
 */
export function useShownCount(name: string, first: number): readonly [count: number, more: () => void] {
  const [said, write] = useAddress(name);
  const asked = Number(said);
  const count = Number.isInteger(asked) && asked > first ? asked : first;
  return [count, () => write(String(count + STEP))];
}

interface ShowMoreProps<Item> {
  /** All that are known, in the order in which they are shown. */
  readonly items: readonly Item[];
  readonly count: number;
  readonly onMore: () => void;
  /** True if the coordinator has more than are known here. */
  readonly hasOlder?: boolean;
  /** True while older ones are being fetched. */
  readonly isFetching?: boolean;
  readonly children: (shown: readonly Item[]) => ReactNode;
}

/** The first `count` items, how many there are, and a button for more. */
export function ShowMore<Item>(props: ShowMoreProps<Item>) {
  const { items, count, onMore, hasOlder = false, isFetching = false, children } = props;
  const shown = items.slice(0, count);
  const isWhole = shown.length === items.length && !hasOlder;
  return (
    <>
      {children(shown)}
      {!isWhole && (
        <p className="flex flex-wrap items-center gap-x-4 gap-y-2 pt-4">
          <Button onClick={onMore} disabled={isFetching}>
            Show more
          </Button>
          <span className="note">{shownWords(shown.length, items.length, hasOlder)}</span>
        </p>
      )}
    </>
  );
}

interface NamedListProps<Item> {
  readonly name: string;
  readonly first: number;
  readonly items: readonly Item[];
  readonly children: (shown: readonly Item[]) => ReactNode;
}

/** A list of which all items are known. */
export function NamedList<Item>({ name, first, items, children }: NamedListProps<Item>) {
  const [count, onMore] = useShownCount(name, first);
  return (
    <ShowMore items={items} count={count} onMore={onMore}>
      {children}
    </ShowMore>
  );
}
