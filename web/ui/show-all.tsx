"use client";
import { type ReactNode, useState } from "react";
import { Button } from "./button.tsx";

interface ShowAllProps<Item> {
  readonly items: readonly Item[];
  /** How many stand there until all are asked for. */
  readonly first: number;
  readonly children: (shown: readonly Item[]) => ReactNode;
}

/** The first items of a long list, and a button for the rest. */
export function ShowAll<Item>({ items, first, children }: ShowAllProps<Item>) {
  const [all, setAll] = useState(false);
  return (
    <>
      {children(all ? items : items.slice(0, first))}
      {!all && items.length > first && (
        <p className="pt-4">
          <Button onClick={() => setAll(true)}>Show all {items.length}</Button>
        </p>
      )}
    </>
  );
}
