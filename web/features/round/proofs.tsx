import Link from "next/link";
import type { RoundDetail } from "#shared/protocol/api.ts";
import { modelUrl, sumUrl } from "../../data/api.ts";
import { CommandLine } from "../../ui/command-line.tsx";
import { keptSentence, missingProof, type Proof, proofsOf, verifyCommand } from "../../words/proofs.ts";

/** The round's statements that have a fingerprint: what each says, and where its bytes are. */
export function Proofs({ round }: { readonly round: RoundDetail }) {
  return (
    <div className="grid gap-6">
      <dl>
        {proofsOf(round).map((proof) => (
          <ProofRow key={proof.name} proof={proof} round={round} />
        ))}
      </dl>
      {round.sumHash !== null && <SumCheck number={round.round} />}
      <Checks round={round} />
      <p className="note max-w-[62ch]">
        Nobody can check that every device trained on true data. Masks hide bad data as well as good; clipping
        limits what one device can do.
      </p>
    </div>
  );
}

function ProofRow({ proof, round }: { readonly proof: Proof; readonly round: RoundDetail }) {
  return (
    <div className="grid gap-x-6 gap-y-1 border-b border-rule py-3 first:pt-0 md:grid-cols-[9rem_minmax(0,1fr)]">
      <dt className="font-semibold">{proof.name}</dt>
      <dd className="grid min-w-0 gap-1">
        <span>{proof.says}</span>
        <span className="flex flex-wrap items-baseline gap-x-5 gap-y-1 text-sm text-ink-2">
          {proof.hash === null ? (
            <span>{missingProof(round)}</span>
          ) : (
            <code className="wrap-anywhere">{proof.hash}</code>
          )}
          <ProofLink proof={proof} round={round} />
        </span>
      </dd>
    </div>
  );
}

/** A link to the bytes, if they can be downloaded. */
function ProofLink({ proof, round }: { readonly proof: Proof; readonly round: RoundDetail }) {
  if (proof.bytes === null || proof.hash === null) return null;
  if (proof.bytes === "model") return <a href={modelUrl(proof.hash)}>{proof.download}</a>;
  return (
    <a href={sumUrl(round.roundId)} download={`round-${round.round}-sum.bin`}>
      {proof.download}
    </a>
  );
}

/** Where the round is checked: its audit in this browser, and the command for a round that is kept. */
function Checks({ round }: { readonly round: RoundDetail }) {
  const kept = keptSentence(round);
  return (
    <div className="grid max-w-[62ch] gap-2">
      <p>
        <Link href={`/audit/rounds/${round.roundId}`}>Check this round in the browser</Link>
      </p>
      {kept !== null && <p className="note">{kept}</p>}
      {round.kept === true && (
        <CommandLine label="Command that checks the kept round" text={verifyCommand(round.roundId)} />
      )}
    </div>
  );
}

function SumCheck({ number }: { readonly number: number }) {
  return (
    <div className="grid max-w-[62ch] gap-2">
      <p className="note">
        To check the sum, hash the file: the digits must be those above. It holds 32-bit whole numbers, lowest
        byte first: the update, the weight, then check numbers.
      </p>
      <CommandLine label="Command that checks the sum" text={`sha256sum round-${number}-sum.bin`} />
    </div>
  );
}
