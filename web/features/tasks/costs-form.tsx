"use client";
import { useState } from "react";
import { projectSentence } from "#shared/project/sentences.ts";
import type { TaskSlug } from "#shared/protocol/ids.ts";
import { type OperatingPoint, pointKey, USUAL_POINT } from "#shared/task/operating-point.ts";
import type { TaskSettings } from "#shared/task/settings.ts";
import { changeSettings } from "../../data/api.ts";
import { TextInput } from "../../ui/text-input.tsx";
import { pointDraft, pointOf } from "../../words/gates-form.ts";
import { Deed } from "../admin/deeds.tsx";
import { useAct } from "../doors/use-act.tsx";

interface CostsFormProps {
  readonly slug: TaskSlug;
  readonly me: string;
  readonly onChange: () => void;
  readonly classes: readonly string[];
  readonly point: TaskSettings["operatingPoint"];
}

/** What a false alarm and a miss cost, and where sensitivity is read off. */
export function CostsForm({ slug, me, onChange, classes, point = USUAL_POINT }: CostsFormProps) {
  const [draft, setDraft] = useState(() => pointDraft(point));
  const asked = pointOf(draft);
  const isChanged = asked.point === null || pointKey(asked.point) !== pointKey(point);
  const act = useAct((operatingPoint: OperatingPoint) => changeSettings(slug, { operatingPoint }), onChange);
  const [first = "the first class", second = "the second class"] = classes;
  const input = (key: keyof typeof draft, label: string) => (
    <TextInput
      id={`cost-${key}`}
      label={label}
      inputMode="decimal"
      value={draft[key]}
      error={asked.wrong.get(key) ?? null}
      onValue={(text) => setDraft(Object.assign({}, draft, { [key]: text }))}
    />
  );
  return (
    <div className="grid gap-4">
      <h3>Costs of errors</h3>
      <p className="note max-w-prose">
        A false alarm takes “{first}” for “{second}”; a miss does not find “{second}”. Only their ratio
        counts. Reports that exist keep the costs that they name.
      </p>
      <div className="flex flex-wrap items-end gap-x-4 gap-y-3">
        {input("falseAlarmCost", "A false alarm costs")}
        {input("missCost", "A miss costs")}
        {input("specificity", "Sensitivity at a specificity of, %")}
      </div>
      {isChanged && (
        <Deed
          entries={
            asked.point === null
              ? []
              : [
                  projectSentence({
                    type: "task-settings-changed",
                    slug,
                    changes: { operatingPoint: asked.point },
                    actor: me,
                  }),
                ]
          }
          act={act}
          doLabel="Change the costs"
          onDo={() => {
            if (asked.point !== null) act.run(asked.point);
          }}
          onKeep={() => setDraft(pointDraft(point))}
        >
          {asked.point === null && <p className="note">Mend what is marked above, then change the costs.</p>}
        </Deed>
      )}
    </div>
  );
}
