/** The logo: voices that become one sum. */
export function Brand() {
  return (
    <>
      <svg viewBox="0 0 30 20" width="30" height="20" aria-hidden="true" fill="none">
        <g stroke="currentColor" strokeWidth="1.3">
          <path d="M0 1.5h3C11 1.5 12 10 19 10" />
          <path d="M0 5.75h4C11 5.75 13 10 19 10" />
          <path d="M0 10h19" />
          <path d="M0 14.25h4C11 14.25 13 10 19 10" />
          <path d="M0 18.5h3C11 18.5 12 10 19 10" />
        </g>
        <path d="M18 10h12" className="stroke-sum" strokeWidth="4.2" />
      </svg>
      Chorus
    </>
  );
}

/** Top bar of the participant's page: only the brand, no site navigation. */
export function BareTopBar() {
  return (
    <header className="top">
      <div className="wrap">
        <span className="brand">
          <Brand />
        </span>
      </div>
    </header>
  );
}
