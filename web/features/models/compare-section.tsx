"use client";
import { type FormEvent, useState } from "react";
import type { TaskView } from "#shared/protocol/api.ts";
import type { ModelVersionView } from "#shared/protocol/registry.ts";
import { useComparison, type VersionPair } from "../../data/models.ts";
import { Button } from "../../ui/button.tsx";
import { Field } from "../../ui/field.tsx";
import { Section } from "../../ui/section.tsx";
import { useAddress } from "../../ui/use-address.ts";
import { pairNamed, runTitle, versionTitle } from "../../words/models.ts";
import { QueryGate } from "../shell/query-gate.tsx";
import { ComparisonFound } from "./comparison-found.tsx";
import { PairCurves } from "./pair-curves.tsx";

interface CompareProps {
  readonly view: TaskView;
  /** Newest first. */
  readonly models: readonly ModelVersionView[];
}

/** Any two versions or runs on the same held-out rows. Both are asked anew, so it is asked for. */
export function CompareSection({ view, models }: CompareProps) {
  const [named, name] = useAddress("compare");
  const candidate = models.find(({ isCandidate }) => isCandidate)?.version;
  const served = view.inUse?.version;
  const others = models.filter(({ version }) => version !== candidate);
  const other = (others.find(({ isCandidate }) => isCandidate) ?? others[0])?.version;
  const pair = pairNamed(named, models);
  const [first, setFirst] = useState(pair?.first ?? (served === candidate ? other : served));
  const [second, setSecond] = useState(pair?.second ?? candidate);
  if (models.length < 2) return null;
  const isSame = first === second;
  const compare = (event: FormEvent) => {
    event.preventDefault();
    if (first !== undefined && second !== undefined && !isSame) name(`${second}-${first}`);
  };
  return (
    <Section
      id="compare"
      title="Two versions"
      note="Or two runs, by their last versions. Both are asked anew, of the same held-out rows, so chance hits both alike."
    >
      <form onSubmit={compare} className="flex flex-wrap items-end gap-x-5 gap-y-3">
        <Version id="second" label="This one" models={models} version={second} onVersion={setSecond} />
        <Version id="first" label="Against" models={models} version={first} onVersion={setFirst} />
        <Button type="submit" disabled={isSame}>
          Compare
        </Button>
        {isSame && <p className="note pb-3">Choose two that differ.</p>}
      </form>
      {pair !== null && <Compared key={`${pair.first} ${pair.second}`} {...{ view, models, pair }} />}
    </Section>
  );
}

function Compared({ view, models, pair }: CompareProps & { readonly pair: VersionPair }) {
  const { slug, exampleNoun } = view.task;
  const isJudged = view.heldOut?.isUsed === true;
  const comparison = useComparison(slug, isJudged ? pair : null);
  const [first, second] = [pair.first, pair.second].map((version) =>
    models.find((model) => model.version === version),
  );
  return (
    <div className="mt-6 grid gap-8">
      {isJudged ? (
        <QueryGate query={comparison} what="comparison">
          {(found) => <ComparisonFound comparison={found} pair={pair} many={exampleNoun.many} />}
        </QueryGate>
      ) : (
        <p className="read">
          Not comparable on the same rows: the task has no held-out rows. Curves are of rows that devices keep
          back.
        </p>
      )}
      {first !== undefined && second !== undefined && (
        <PairCurves first={first} second={second} many={exampleNoun.many} />
      )}
    </div>
  );
}

interface VersionProps {
  readonly id: string;
  readonly label: string;
  readonly models: readonly ModelVersionView[];
  readonly version: number | undefined;
  readonly onVersion: (version: number) => void;
}

/** A run stands for its last version. */
function Version({ id, label, models, version, onVersion }: VersionProps) {
  const [runs, others] = [
    models.filter((model) => model.isCandidate),
    models.filter((model) => !model.isCandidate),
  ];
  return (
    <Field label={label} htmlFor={id} className="min-w-56">
      <select id={id} value={version} onChange={(event) => onVersion(Number(event.target.value))}>
        <optgroup label="Runs, by their last version">
          {runs.map((model) => (
            <option key={model.version} value={model.version}>
              {runTitle(model)}
            </option>
          ))}
        </optgroup>
        {others.length > 0 && (
          <optgroup label="Versions from the middle of a run">
            {others.map((model) => (
              <option key={model.version} value={model.version}>
                {versionTitle(model)}
              </option>
            ))}
          </optgroup>
        )}
      </select>
    </Field>
  );
}
