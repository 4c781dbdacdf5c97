"use client";
import type { OpenError, ParticipantEnd } from "#client/index.ts";
import { useStatus } from "../../data/queries.ts";
import { Button } from "../../ui/button.tsx";
import {
  badLinkTitle,
  connectWords,
  endedWords,
  FIRST_WORDS,
  NO_PAGE,
  notOpenedWords,
  secureAddress,
} from "../../words/opening.ts";
import { BareTopBar } from "../shell/brand.tsx";

/* The participant's page before it opens, and if it cannot open or has ended. */

/** What the page's HTML says before any script runs, with what is being fetched now. */
export function FirstWords({ fetching }: { readonly fetching: string }) {
  return (
    <div className="grid min-h-[32rem] grid-cols-[minmax(0,1fr)] content-start gap-5 pt-[clamp(2rem,4vw,3.25rem)]">
      <h1 className="max-w-[14em] text-3xl tracking-[-0.018em] text-balance">{FIRST_WORDS.title}</h1>
      <p className="lead max-w-[36rem] text-ink-2">{FIRST_WORDS.lead}</p>
      <p className="note" role="status">
        Fetching {fetching}
      </p>
    </div>
  );
}

/** An address under /join/ that names no task. */
export function NoSuchPage() {
  return (
    <>
      <BareTopBar />
      <main id="main" tabIndex={-1} className="wrap grid gap-4 pt-8 pb-16">
        <h1>{NO_PAGE.title}</h1>
        <p className="read">{NO_PAGE.sentence}</p>
      </main>
    </>
  );
}

/** Asks whether to connect to a coordinator that is not the page's own host. */
export function AskToConnect({ at, onConnect }: { readonly at: string; readonly onConnect: () => void }) {
  const words = connectWords(at, location.host);
  return (
    <>
      <BareTopBar />
      <main id="main" tabIndex={-1} className="wrap grid gap-4 pt-8 pb-16">
        <h1>{words.title}</h1>
        <p className="read">{words.asks}</p>
        <p className="read">{words.trust}</p>
        <p>
          <Button onClick={onConnect}>{words.connect}</Button>
        </p>
      </main>
    </>
  );
}

/** A link that names a coordinator which cannot be one, or which this page may not use. */
export function BadLink({ sentence }: { readonly sentence: string }) {
  return (
    <>
      <BareTopBar />
      <main id="main" tabIndex={-1} className="wrap grid gap-4 pt-8 pb-16">
        <h1>{badLinkTitle}</h1>
        <p className="read">{sentence}</p>
      </main>
    </>
  );
}

/** Why this page cannot open, what that means, and what to do. */
export function NotOpened(props: {
  readonly slug: string;
  readonly error: OpenError;
  readonly onRetry: () => void;
}) {
  const { slug, error, onRetry } = props;
  const { data: status } = useStatus();
  const words = notOpenedWords(error.type);
  const address = secureAddress(status, slug);
  return (
    <div className="grid gap-4 py-12">
      <h1>{words.title}</h1>
      <p className="read">{error.sentence}</p>
      {error.type === "insecure-context" && address !== null && (
        <p className="read">
          The secure address is{" "}
          <a className="break-all" href={address}>
            {address}
          </a>
          .
        </p>
      )}
      {error.type === "insecure-context" && address === null && (
        <p className="read">
          Whoever runs the coordinator can start it with <code>--tls</code>. Then this device can join.
        </p>
      )}
      <p className="read">{words.kept}</p>
      {words.mayRetry && (
        <p>
          <Button onClick={onRetry}>Try again</Button>
        </p>
      )}
    </div>
  );
}

/** This page's part has ended by itself: what happened, what it means, and how to continue. */
export function Ended(props: {
  readonly end: ParticipantEnd;
  readonly tookPart: boolean;
  readonly onRetry: () => void;
}) {
  const { end, tookPart, onRetry } = props;
  const words = endedWords(end.type, tookPart);
  return (
    <div className="grid gap-4 py-12">
      <h1>This page no longer takes part</h1>
      <p className="read" role="alert">
        {end.sentence}
      </p>
      <p className="read">{words.kept}</p>
      <p>
        <Button kind="main" onClick={onRetry}>
          {words.again}
        </Button>
      </p>
    </div>
  );
}
