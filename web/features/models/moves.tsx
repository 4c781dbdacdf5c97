"use client";
import { useQueryClient } from "@tanstack/react-query";
import { type Alias, FREE_ALIASES, type FreeAlias } from "#shared/protocol/aliases.ts";
import type { TaskSlug } from "#shared/protocol/ids.ts";
import type { AliasView, ModelVersionView } from "#shared/protocol/registry.ts";
import { registrySentence } from "#shared/registry/sentences.ts";
import { changeChampion, MODEL_KEYS, moveAlias } from "../../data/models.ts";
import { KEYS } from "../../data/queries.ts";
import { Deed, DeedLink, type Deeds } from "../admin/deeds.tsx";
import { useAct } from "../doors/use-act.tsx";

/* Moving a name from one version to another: each asks first, beside the sentence that the log will keep. */

export interface Move {
  readonly what: string;
  readonly label: string;
  readonly doLabel: string;
  /** What the log will keep. */
  readonly entry: string;
  /** What else it means. */
  readonly note: string;
  /** Shown once it is done. */
  readonly done: string;
  run(): Promise<unknown>;
}

interface Mover {
  readonly slug: TaskSlug;
  readonly aliases: readonly AliasView[];
  /** As the log knows who moves. */
  readonly actor: string;
}

/** What may be done with this version. */
export function movesOf({ version }: ModelVersionView, mover: Mover): readonly Move[] {
  const champion = holderOf("champion", mover);
  const goesBack = champion !== null && version === holderOf("previous", mover);
  return [
    ...(version === champion ? [] : [promotion(version, champion, mover)]),
    ...(goesBack ? [goingBack(version, champion, mover)] : []),
    ...FREE_ALIASES.map((alias) => naming(version, alias, mover)),
  ];
}

function holderOf(name: Alias, { aliases }: Mover): number | null {
  return aliases.find(({ alias }) => alias === name)?.version ?? null;
}

function promotion(version: number, champion: number | null, { slug, actor }: Mover): Move {
  const back =
    champion === null ? "" : ` Version ${champion} becomes @previous, and one step leads back to it.`;
  return {
    what: "promote",
    label: "Promote…",
    doLabel: `Promote version ${version}`,
    entry: registrySentence({ type: "promoted", slug, from: champion, to: version, gates: [], actor }),
    note: `Devices and pages predict with it from now on.${back}`,
    done: `Version ${version} is in use.`,
    run: () => changeChampion(slug, { act: "promote", version, expected: champion }),
  };
}

function goingBack(version: number, champion: number, { slug, actor }: Mover): Move {
  return {
    what: "back",
    label: "Go back to it…",
    doLabel: `Go back to version ${version}`,
    entry: registrySentence({ type: "rolled-back", slug, from: champion, to: version, actor }),
    note: "It was in use before, so no gate is asked. Devices and pages predict with it from now on.",
    done: `Version ${version} is in use again.`,
    run: () => changeChampion(slug, { act: "go-back", expected: champion }),
  };
}

function naming(version: number, alias: FreeAlias, mover: Mover): Move {
  const { slug, actor } = mover;
  const from = holderOf(alias, mover);
  const isIts = from === version;
  const to = isIts ? null : version;
  return {
    what: alias,
    label: isIts ? `Take @${alias} away…` : `Make it @${alias}…`,
    doLabel: isIts ? `Take @${alias} away` : `Make version ${version} @${alias}`,
    entry: registrySentence({ type: "alias-moved", slug, alias, from, to, actor }),
    note: "Scripts can ask for it by this name. What is in use stays as it is.",
    done: isIts ? `@${alias} names no version.` : `Version ${version} is @${alias}.`,
    run: () => moveAlias(slug, alias, { version: to, expected: from }),
  };
}

/** Links to everything that may be done with a version. */
export function MoveLinks(props: {
  readonly version: number;
  readonly moves: readonly Move[];
  readonly deeds: Deeds;
}) {
  const { version, moves, deeds } = props;
  return (
    <span className="flex flex-wrap gap-x-4">
      {moves.map(({ what, label }) => (
        <DeedLink key={what} deeds={deeds} row={String(version)} what={what} about={`version ${version}`}>
          {label}
        </DeedLink>
      ))}
    </span>
  );
}

/** The question about a move, with its entry. */
export function MoveQuestion(props: { readonly slug: string; readonly move: Move; readonly deeds: Deeds }) {
  const { slug, move, deeds } = props;
  const cache = useQueryClient();
  const act = useAct(move.run, () => {
    for (const queryKey of [
      MODEL_KEYS.models(slug),
      MODEL_KEYS.aliases(slug),
      MODEL_KEYS.gates(slug),
      KEYS.newestTask(slug),
      KEYS.tasks,
    ])
      void cache.invalidateQueries({ queryKey });
    deeds.close(move.done);
  });
  return (
    <Deed
      entries={[move.entry]}
      note={<p>{move.note}</p>}
      act={act}
      doLabel={move.doLabel}
      onDo={() => act.run(undefined)}
      onKeep={() => deeds.close()}
    />
  );
}
