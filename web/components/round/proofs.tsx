import type { ReactNode } from "react";
import type { RoundDetail } from "#shared/protocol/api.ts";
import { modelUrl, sumUrl } from "../../lib/api.ts";
import { formatBytes, formatCount } from "../../lib/format.ts";
import { FocusBox } from "../focus-box.tsx";

interface Proof {
  readonly name: string;
  readonly says: string;
  readonly hash: string | null;
  /** Where the bytes are, when they can be had. */
  readonly link?: ReactNode;
}

/** Statements of a round that carry a fingerprint, each with what it says and where the bytes are. */
export function Proofs({ round }: { readonly round: RoundDetail }) {
  const voices = formatCount(round.survivors ?? round.sent);
  const weight = round.weightSum === null ? "" : `, over ${formatCount(round.weightSum)} weighted rows`;
  const proofs: Proof[] = [
    {
      name: "Rules",
      says: "What every device agreed to; a device refuses a round whose rules have another fingerprint.",
      hash: round.configHash,
    },
    {
      name: "Plan of this round",
      says: "What may change from round to round: how a device trains.",
      hash: round.roundHash,
    },
    {
      name: "Session",
      says: "This attempt with this list of devices. Every signature of the round is bound to it.",
      hash: round.sid,
    },
    {
      name: "Model before",
      says: "What devices trained from.",
      hash: round.parentModelHash,
      link: <a href={modelUrl(round.parentModelHash)}>Download model before</a>,
    },
    {
      name: "Inputs",
      says: "One root over the masked updates in the sum; each device can prove that its own is under it.",
      hash: round.inputsRoot,
    },
    {
      name: "Sum",
      says:
        round.sumHash === null
          ? "The sum as whole numbers, once it is opened."
          : `The opened sum of ${voices} as whole numbers${weight}.`,
      hash: round.sumHash,
      link:
        round.sumHash === null ? undefined : (
          <a href={sumUrl(round.roundId)} download={`round-${round.round}-sum.bin`}>
            Download the sum{round.sumByteCount === null ? "" : `, ${formatBytes(round.sumByteCount)}`}
          </a>
        ),
    },
    {
      name: "Model after",
      says: "Computed from the model before and the sum, and from nothing else.",
      hash: round.modelHash,
      link:
        round.modelHash === null ? undefined : <a href={modelUrl(round.modelHash)}>Download model after</a>,
    },
  ];
  return (
    <div className="grid gap-6">
      <dl>
        {proofs.map((proof) => (
          <div
            key={proof.name}
            className="grid gap-x-6 gap-y-1 border-b border-rule py-3 first:pt-0 md:grid-cols-[9rem_minmax(0,1fr)]"
          >
            <dt className="font-semibold">{proof.name}</dt>
            <dd className="grid min-w-0 gap-1">
              <span>{proof.says}</span>
              <span className="flex flex-wrap items-baseline gap-x-5 gap-y-1 text-sm text-ink-2">
                {proof.hash === null ? (
                  <span>
                    not there:{" "}
                    {round.endedAt === null ? "the round goes on" : "the round was given up before it"}
                  </span>
                ) : (
                  <code className="wrap-anywhere">{proof.hash}</code>
                )}
                {proof.link}
              </span>
            </dd>
          </div>
        ))}
      </dl>
      {round.sumHash !== null && (
        <div className="grid max-w-[62ch] gap-2">
          <p className="note">
            To check the sum, hash the file: the digits must be those above. It holds 32-bit whole numbers,
            lowest byte first: the update, the weight, then check numbers.
          </p>
          <FocusBox
            className="overflow-x-auto rounded-sm bg-wash px-4 py-3 text-sm"
            label="Command that checks the sum"
          >
            <code className="whitespace-nowrap">sha256sum round-{round.round}-sum.bin</code>
          </FocusBox>
        </div>
      )}
      <p className="note max-w-[62ch]">
        Nobody can check that every device trained on true data. Masks hide bad data as well as good; clipping
        limits what one device can do.
      </p>
    </div>
  );
}
