import "../instrumentation-client.ts";
import { lazy, Suspense } from "react";
import { createRoot } from "react-dom/client";
import { present } from "#shared/kernel/assert.ts";
import styles from "../app/globals.css?url";
import { FailureBoundary } from "../features/join/failure-boundary.tsx";
import { type JoinAddress, readJoinAddress } from "../features/join/join-address.ts";
import { JoinPage } from "../features/join/join-page.tsx";
import { FirstWords, NoSuchPage } from "../features/join/not-open.tsx";
import { BareTopBar } from "../features/shell/brand.tsx";
import { Providers } from "../features/shell/providers.tsx";
import { pageTitle } from "../words/opening.ts";

const LearntPage = lazy(async () => {
  const { LearntPage: page } = await import("../features/learnt/learnt-page.tsx");
  return { default: page };
});

function Page({ address }: { readonly address: JoinAddress | null }) {
  if (address === null) return <NoSuchPage />;
  const { page, slug } = address;
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

const address = readJoinAddress(location.pathname);
document.title = pageTitle(address);
void styled(styles).then(() =>
  createRoot(present(document.getElementById("root"), "in index.html")).render(
    <Providers>
      <FailureBoundary>
        <Page address={address} />
      </FailureBoundary>
    </Providers>,
  ),
);
