// One connection a browser, shared by its tabs: the leader among the visible tabs listens and passes
// on what it hears. A connection that breaks is tried again and is never taken for an end.

const FIRST_RETRY_MS = 2_000;
const LONGEST_RETRY_MS = 30_000;
const EVENTS = ["ended", "idle", "active", "signing", "editing"];

// `name` is what tabs know each other by, `events` the address of the stream they share.
export function follow(name, events, hear) {
  const channel = "BroadcastChannel" in window ? new BroadcastChannel(name) : null;
  let isOver = false;
  let resign = null;

  function tell(message) {
    channel?.postMessage(message);
    receive(message);
  }

  function receive(message) {
    if (isOver) return;
    isOver = message.event === "ended";
    if (isOver) resign?.();
    hear(message);
  }

  channel?.addEventListener("message", (event) => receive(event.data));

  // Candidate while the page is seen; a hidden tab leaves the lead to one that is seen.
  function stand() {
    if (isOver || document.hidden || resign) return;
    const abort = new AbortController();
    let release = () => {};
    const held = new Promise((done) => (release = done));
    resign = () => {
      resign = null;
      abort.abort();
      release();
    };
    lead(name, abort.signal, () => {
      const stop = listen(events, tell);
      return held.then(stop);
    });
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? resign?.() : stand()));
  addEventListener("pagehide", () => resign?.());
  addEventListener("pageshow", stand);
  stand();
  return tell;
}

function lead(name, signal, work) {
  if (!navigator.locks) {
    work();
    return;
  }
  navigator.locks.request(name, { signal }, work).catch((error) => {
    if (error.name !== "AbortError") throw error;
  });
}

// Listens until stopped. The browser reconnects by itself; where it gives up, this does not.
function listen(address, tell) {
  let source = null;
  let timer = 0;
  let retry = FIRST_RETRY_MS;

  function open() {
    source = new EventSource(address);
    source.addEventListener("open", () => (retry = FIRST_RETRY_MS));
    source.addEventListener("error", () => {
      if (source.readyState !== EventSource.CLOSED) return;
      timer = setTimeout(open, retry);
      retry = Math.min(retry * 2, LONGEST_RETRY_MS);
    });
    for (const event of EVENTS) {
      source.addEventListener(event, (message) => tell({ event, ...JSON.parse(message.data) }));
    }
  }

  open();
  return () => {
    clearTimeout(timer);
    source.close();
  };
}
