import "../instrumentation-client.ts";
import { lazy, Suspense, useState } from "react";
import { createRoot } from "react-dom/client";
import { present } from "#shared/kernel/assert.ts";
import styles from "../app/globals.css?url";
import { nameCoordinator } from "../data/coordinator.ts";
import { FailureBoundary } from "../features/join/failure-boundary.tsx";
import { connectionFault, type JoinAddress, readJoinAddress } from "../features/join/join-address.ts";
import { JoinPage } from "../features/join/join-page.tsx";
import { AskToConnect, BadLink, FirstWords, NoSuchPage } from "../features/join/not-open.tsx";
import { BareTopBar } from "../features/shell/brand.tsx";
import { Providers } from "../features/shell/providers.tsx";
import { pageTitle } from "../words/opening.ts";

const LearntPage = lazy(async () => {
  const { LearntPage: page } = await import("../features/learnt/learnt-page.tsx");
  return { default: page };
});

function Page({ address }: { readonly address: JoinAddress | string | null }) {
  if (address === null) return <NoSuchPage />;
  if (typeof address === "string") return <BadLink sentence={address} />;
  return address.at === undefined ? <TaskPage {...address} /> : <ForeignPage {...address} at={address.at} />;
}

/** Asks before anything is sent to a coordinator that is not the page's own host. */
function ForeignPage({ at, ...task }: JoinAddress & { readonly at: string }) {
  const [connected, setConnected] = useState(false);
  const fault = connectionFault(at, location.hostname);
  if (fault !== null) return <BadLink sentence={fault} />;
  if (connected) return <TaskPage {...task} />;
  const connect = () => {
    nameCoordinator(at);
    setConnected(true);
  };
  return <AskToConnect at={at} onConnect={connect} />;
}

function TaskPage({ page, slug }: JoinAddress) {
  if (page === "join") return <JoinPage slug={slug} />;
  return (
    <Suspense fallback={<Fetching />}>
      <LearntPage slug={slug} />
    </Suspense>
  );
}

function Fetching() {
  return (
    <div className="flex flex-1 flex-col [--container-page:70rem]">
      <BareTopBar />
      <main id="main" tabIndex={-1} className="wrap">
        <FirstWords fetching="the task" />
      </main>
    </div>
  );
}

/** Resolves once the styles apply. If they cannot be fetched, the HTML says so. */
function styled(href: string): Promise<void> {
  return new Promise((resolve) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = href;
    link.addEventListener("load", () => resolve());
    document.head.append(link);
  });
}

const address = readJoinAddress(location.pathname, location.search);
document.title = pageTitle(typeof address === "string" ? null : address);
void styled(styles).then(() =>
  createRoot(present(document.getElementById("root"), "in index.html")).render(
    <Providers>
      <FailureBoundary>
        <Page address={address} />
      </FailureBoundary>
    </Providers>,
  ),
);
