// A timer that keeps its pace in a tab that is hidden. There a browser slows the page's own down, after
// a while to once a minute, and a window that is not heard of for so long counts as closed; a worker's
// it leaves alone. Another tab opened before it is just what hides a window.

// Calls `act` every so many milliseconds; returns a way to stop.
export function every(milliseconds, act) {
  const worker = new Worker(new URL("./ticking.js", import.meta.url));
  let timer = 0;
  worker.addEventListener("message", act);
  // One that could not be fetched: better at the browser's pace than never.
  worker.addEventListener("error", () => (timer = setInterval(act, milliseconds)), { once: true });
  worker.postMessage(Number(milliseconds));
  return () => {
    clearInterval(timer);
    worker.terminate();
  };
}
