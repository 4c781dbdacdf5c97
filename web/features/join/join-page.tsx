"use client";
import { useEffect, useState } from "react";
import type { OpenError, Participant, ParticipantEnd, ParticipantView } from "#client/index.ts";
import type { RoundView } from "#shared/protocol/api.ts";
import { useStatus } from "../../data/queries.ts";
import { Score } from "../../score/score.tsx";
import { Button } from "../../ui/button.tsx";
import { Footer } from "../../ui/footer.tsx";
import { LiveRegion } from "../../ui/live-region.tsx";
import { LoadingNote } from "../../ui/states.tsx";
import { formatHash } from "../../words/format.ts";
import { leadSentence, stateLine } from "../../words/join.ts";
import { BareTopBar } from "../shell/top-bar.tsx";
import { ConsentPart } from "./consent-part.tsx";
import { DataPart } from "./data-part.tsx";
import { LeavePart } from "./leave-part.tsx";
import { LeftPart } from "./left-part.tsx";
import { Dock, NowBar } from "./now-bar.tsx";
import { ownLine } from "./own-line.ts";
import { ClosedPart } from "./part.tsx";
import { TrainingPart } from "./training-part.tsx";
import { UsePart } from "./use-part.tsx";
import { useParticipant, useParticipantView } from "./use-participant.ts";
import { hasEnded, useActiveRun, useLiveRecord, useRunRecord } from "./use-round-record.ts";
import { WentPart } from "./went-part.tsx";

/** All zero: the coordinator keeps no public log. */
const NO_LOG = /^0+$/;

/** A participant's page: what will happen, consent, data, training, what left, where it went, the model, leaving. */
export function JoinPage({ slug }: { readonly slug: string }) {
  const [attempt, setAttempt] = useState({ number: 0, starts: false });
  const opening = useParticipant(slug, attempt);
  const again = (starts: boolean) => setAttempt({ number: attempt.number + 1, starts });
  return (
    <div className="flex flex-1 flex-col [--container-page:70rem]">
      <BareTopBar />
      {opening.state === "open" ? (
        <Joined participant={opening.participant} />
      ) : (
        <main id="main" tabIndex={-1} className="wrap">
          {opening.state === "opening" && <Opening slug={slug} />}
          {opening.state === "refused" && (
            <NotOpened slug={slug} error={opening.error} onRetry={() => again(false)} />
          )}
          {opening.state === "ended" && <Ended {...opening} onRetry={() => again(opening.tookPart)} />}
        </main>
      )}
    </div>
  );
}

function Opening({ slug }: { readonly slug: string }) {
  return (
    <div className="min-h-[32rem] pt-12">
      <h1>Take part: {slug}</h1>
      <LoadingNote what="the task" />
    </div>
  );
}

const REFUSED_TITLES: Record<OpenError["type"], string> = {
  "insecure-context": "This device cannot take part over this address",
  unsupported: "This browser cannot take part",
  "no-such-task": "There is no such task",
  offline: "The coordinator does not answer",
  busy: "This page cannot start here yet",
};

/** Why this page cannot open, what that means, and what to do. */
function NotOpened(props: {
  readonly slug: string;
  readonly error: OpenError;
  readonly onRetry: () => void;
}) {
  const { slug, error, onRetry } = props;
  const { data: status } = useStatus();
  const secureAddress =
    status?.secureContext && status.joinBaseUrl.startsWith("https:")
      ? `${status.joinBaseUrl}/join/${slug}`
      : null;
  return (
    <div className="grid gap-4 py-12">
      <h1>{REFUSED_TITLES[error.type]}</h1>
      <p className="read">{error.sentence}</p>
      {error.type === "insecure-context" && secureAddress !== null && (
        <p className="read">
          The secure address is{" "}
          <a className="break-all" href={secureAddress}>
            {secureAddress}
          </a>
          .
        </p>
      )}
      {error.type === "insecure-context" && secureAddress === null && (
        <p className="read">
          Whoever runs the coordinator can start it with <code>--tls-cert</code> and <code>--tls-key</code>.
          Then this device can join.
        </p>
      )}
      <p className="read">
        {error.type === "busy"
          ? "Nothing was sent. What this browser keeps stays as it is."
          : "Nothing was stored and nothing was sent."}
      </p>
      {(error.type === "offline" || error.type === "busy") && (
        <p>
          <Button onClick={onRetry}>Try again</Button>
        </p>
      )}
    </div>
  );
}

/** This page's part has ended by itself: what happened, what it means, and the way on. */
function Ended(props: {
  readonly end: ParticipantEnd;
  readonly tookPart: boolean;
  readonly onRetry: () => void;
}) {
  const { end, tookPart, onRetry } = props;
  return (
    <div className="grid gap-4 py-12">
      <h1>This page takes part no longer</h1>
      <p className="read" role="alert">
        {end.sentence}
      </p>
      <p className="read">
        Nothing of yours is lost: your consent, your data and your receipts are stored in this browser.
        {tookPart &&
          " If a round was under way, it goes on without this device. What had been sent of it means nothing alone, and nothing more is sent."}
      </p>
      <p>
        <Button kind="main" onClick={onRetry}>
          {tookPart ? "Start again and take part" : "Start again"}
        </Button>
      </p>
    </div>
  );
}

function Joined({ participant }: { readonly participant: Participant }) {
  const view = useParticipantView(participant);
  const { data: status } = useStatus();
  const logged = status === undefined ? null : !NO_LOG.test(status.logKey);
  const { task, round, contributions } = view;
  const { record: live } = useLiveRecord(round);
  const run = useRunRecord(round?.runId ?? null, round?.round ?? null, view.stage === "waiting");
  const active = useActiveRun(task.task.slug, view.stage === "waiting");
  const line = stateLine(view, active ?? run, {
    now: useNow(view.connection.state !== "online"),
    hiddenAt: useHiddenAt(),
  });
  const agreed = view.consent?.current === true;
  const kept = view.data.count > 0 || contributions.length > 0;
  return (
    <>
      <main id="main" tabIndex={-1} className="wrap">
        <div className="grid grid-cols-[minmax(0,1fr)] gap-x-16 gap-y-6 pt-[clamp(2rem,4vw,3.25rem)] pb-[clamp(1.75rem,3vw,2.5rem)] lg:grid-cols-[minmax(0,1fr)_23rem]">
          <div className="grid grid-cols-[minmax(0,1fr)] content-start gap-5">
            <h1 className="max-w-[14em] text-3xl tracking-[-0.018em] text-balance">{task.task.invitation}</h1>
            <p className="lead max-w-[36rem] text-ink-2">{leadSentence(task)}</p>
            <NowBar participant={participant} view={view} line={line} />
          </div>
          {live !== null && view.stage !== "consent" && <OwnScore view={view} record={live} />}
        </div>
        <LiveRegion text={line.title} />
        <ConsentPart participant={participant} task={task} consent={view.consent} logged={logged} />
        {agreed ? <OpenParts participant={participant} view={view} logged={logged} /> : <ClosedParts />}
        {agreed || kept ? (
          <LeavePart participant={participant} task={task} stage={view.stage} />
        ) : (
          <ClosedPart number={7} id="leave" title="Leave" until="There is nothing to leave yet." />
        )}
        <Dock participant={participant} view={view} line={line} />
      </main>
      <Footer>
        <span>
          Task {task.task.slug}, version {task.task.version}
        </span>
        <span>
          Task fingerprint <code>{formatHash(task.taskHash)}</code>
        </span>
        {status !== undefined && (
          <span>
            Project {status.projectId}, code <code>{status.codeVersion.slice(0, 12)}</code>
          </span>
        )}
      </Footer>
    </>
  );
}

interface OpenPartsProps {
  readonly participant: Participant;
  readonly view: ParticipantView;
  /** Whether the coordinator keeps a public log; null while that is not known. */
  readonly logged: boolean | null;
}

/** Parts 2 to 6, once one has agreed. */
function OpenParts({ participant, view, logged }: OpenPartsProps) {
  const { task, round, contributions } = view;
  return (
    <>
      <DataPart participant={participant} task={task} data={view.data} />
      <TrainingPart
        participant={participant}
        engine={view.engine}
        round={round}
        last={contributions[0] ?? null}
        budget={view.budget}
        many={task.task.exampleNoun.many}
      />
      <LeftPart participant={participant} task={task} latest={view.latest} contributions={contributions} />
      <WentPart task={task} contributions={contributions} logged={logged} />
      <UsePart participant={participant} task={task} model={view.model} />
    </>
  );
}

/** Parts 2 to 6, before one has agreed. */
function ClosedParts() {
  return (
    <>
      <ClosedPart number={2} id="data" title="Your data" until="Opens once you agree." />
      <ClosedPart number={3} id="training" title="Training here" until="Opens once you agree." />
      <ClosedPart number={4} id="left" title="What left this device" until="Nothing." />
      <ClosedPart number={5} id="went" title="Where it went" until="Nowhere." />
      <ClosedPart number={6} id="use" title="Use the model" until="Opens once you agree." />
    </>
  );
}

/** When this tab was last hidden. */
function useHiddenAt(): number | null {
  const [hiddenAt, setHiddenAt] = useState<number | null>(null);
  useEffect(() => {
    const note = () => document.visibilityState === "hidden" && setHiddenAt(Date.now());
    document.addEventListener("visibilitychange", note);
    return () => document.removeEventListener("visibilitychange", note);
  }, []);
  return hiddenAt;
}

/** The wall clock; goes on only while something depends on it. */
function useNow(ticking: boolean): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!ticking) return undefined;
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, [ticking]);
  return now;
}

/** The round that this device is in, or was in last: it stays until the next one, so that nothing below it moves. */
function OwnScore({ view, record }: { readonly view: ParticipantView; readonly record: RoundView }) {
  const { round } = view;
  const line = round?.round === record.round ? ownLine(record, round.stepsAt, round.outcome) : null;
  return (
    <figure className="min-w-0 max-w-[26rem]">
      <Score round={record} you={line === null ? null : { line, label: "you" }} />
      <figcaption className="note">
        Round {record.round}
        {hasEnded(record) ? "" : ", as it happens"}. Each line is a place in the count. The coloured one is
        yours, and only this page knows it.
      </figcaption>
    </figure>
  );
}
