"use client";
import { lazy, Suspense, useEffect, useState } from "react";
import type { Participant } from "#client/index.ts";
import { useStatus } from "../../data/queries.ts";
import { Footer } from "../../ui/footer.tsx";
import { LiveRegion } from "../../ui/live-region.tsx";
import { formatHash } from "../../words/format.ts";
import { leadSentence, stateLine } from "../../words/join.ts";
import { BareTopBar } from "../shell/brand.tsx";
import { ConsentPart } from "./consent-part.tsx";
import { LeavePart } from "./leave-part.tsx";
import { Ended, FirstWords, NotOpened } from "./not-open.tsx";
import { Dock, NowBar } from "./now-bar.tsx";
import { ClosedPart } from "./part.tsx";
import { type ParticipantState, useParticipant, useParticipantView } from "./use-participant.ts";
import { BearerContext, useSeenRun } from "./use-seen-run.ts";

const loadAgreed = () => import("./agreed-parts.tsx");
const AgreedParts = lazy(loadAgreed);
const OwnRecords = lazy(() => loadAgreed().then(({ OwnRecords: records }) => ({ default: records })));
const OwnScore = lazy(() => loadAgreed().then(({ OwnScore: score }) => ({ default: score })));

/** All zero: the coordinator keeps no public log. */
const NO_LOG = /^0+$/;

/** A participant's page: overview, consent, data, training, what left, where it went, the model, leaving. */
export function JoinPage({ slug }: { readonly slug: string }) {
  const [attempt, setAttempt] = useState({ number: 0, starts: false });
  const opening = useParticipant(slug, attempt);
  const again = (starts: boolean) => setAttempt({ number: attempt.number + 1, starts });
  const goOn = ({ end, tookPart }: Extract<ParticipantState, { state: "ended" }>) => {
    // The locks of a page whose site data were cleared are others than those of its new worker, which would seem gone.
    if (end.type === "cleared") location.reload();
    else again(tookPart);
  };
  return (
    <div className="flex flex-1 flex-col [--container-page:70rem]">
      <BareTopBar />
      {opening.state === "open" ? (
        <BearerContext value={opening.participant.bearer}>
          <Joined participant={opening.participant} />
        </BearerContext>
      ) : (
        <main id="main" tabIndex={-1} className="wrap">
          {opening.state === "opening" && <FirstWords fetching="the task" />}
          {opening.state === "refused" && (
            <NotOpened slug={slug} error={opening.error} onRetry={() => again(false)} />
          )}
          {opening.state === "ended" && <Ended {...opening} onRetry={() => goOn(opening)} />}
        </main>
      )}
    </div>
  );
}

function Joined({ participant }: { readonly participant: Participant }) {
  const view = useParticipantView(participant);
  const { data: status } = useStatus();
  const logged = status === undefined ? null : !NO_LOG.test(status.logKey);
  const { task, round, contributions } = view;
  const run = useSeenRun(task.task.slug, round, view.stage === "waiting");
  const line = stateLine(view, run, {
    now: useNow(view.connection.state !== "online"),
    hiddenAt: useHiddenAt(),
  });
  const agreed = view.consent?.current === true;
  const kept = view.data.count > 0 || contributions.length > 0 || view.consents.length > 0;
  return (
    <>
      <main id="main" tabIndex={-1} className="wrap">
        <div className="grid grid-cols-[minmax(0,1fr)] gap-x-16 gap-y-6 pt-[clamp(2rem,4vw,3.25rem)] pb-[clamp(1.75rem,3vw,2.5rem)] lg:grid-cols-[minmax(0,1fr)_23rem]">
          <div className="grid grid-cols-[minmax(0,1fr)] content-start gap-5">
            <h1 className="max-w-[14em] text-3xl tracking-[-0.018em] text-balance">{task.invitation}</h1>
            <p className="lead max-w-[36rem] text-ink-2">{leadSentence(task)}</p>
            <NowBar participant={participant} view={view} line={line} />
          </div>
          {round !== null && view.stage !== "consent" && (
            <Suspense>
              <OwnScore view={view} />
            </Suspense>
          )}
        </div>
        <LiveRegion text={line.title} />
        <ConsentPart participant={participant} task={task} consent={view.consent} logged={logged} />
        {agreed ? (
          <Suspense fallback={<ClosedParts />}>
            <AgreedParts participant={participant} view={view} logged={logged} />
          </Suspense>
        ) : (
          <ClosedParts />
        )}
        {agreed || kept ? (
          <LeavePart participant={participant} task={task} stage={view.stage}>
            <Suspense>
              <OwnRecords participant={participant} view={view} />
            </Suspense>
          </LeavePart>
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

/** Parts 2 to 6, before the person has agreed. */
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

/** The wall clock; ticks only while something depends on it. */
function useNow(ticking: boolean): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!ticking) return undefined;
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, [ticking]);
  return now;
}
