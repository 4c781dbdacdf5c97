/*
 * Runs before the page's program, and begins it. The page's words come first: running the program keeps a slow phone from
 * painting them.
 */

{
  const FAILED =
    "This page's program could not be loaded or does not run here. Check the connection and reload. If that does not help, use a current Firefox, Chrome, Edge or Safari.";

  addEventListener(
    "error",
    () => {
      const line = document.getElementById("fetching");
      if (line !== null) line.textContent = FAILED;
    },
    true,
  );

  // The policy in the HTML allows this machine's coordinators, for trials on it. Elsewhere that is taken back.
  if (!/^(?:localhost|127\.0\.0\.1)$/.test(location.hostname)) {
    const policy = document.createElement("meta");
    policy.httpEquiv = "Content-Security-Policy";
    policy.content = "connect-src 'self' https: wss:";
    document.head.append(policy);
  }

  const { program = "" } = (document.currentScript as HTMLScriptElement).dataset;

  function begin(): void {
    const script = document.createElement("script");
    script.src = program;
    document.head.append(script);
  }

  // A page in the background is not painted.
  if (document.hidden) begin();
  else requestAnimationFrame(() => setTimeout(begin));
}
