// Lengths of time that count down on the page. The server decides; this only shows.

export function inWords(seconds) {
  const left = Math.max(0, Math.ceil(seconds));
  const minutes = Math.floor(left / 60);
  return `${minutes}:${String(left % 60).padStart(2, "0")}`;
}

// Shows `words` with {time} counted down in `element`, then calls `over`; returns a way to stop.
export function countDown(element, seconds, words, over = () => {}) {
  const endsAt = performance.now() + seconds * 1000;
  let timer = 0;
  function show() {
    const left = (endsAt - performance.now()) / 1000;
    element.textContent = left > 0 ? words.replace("{time}", inWords(left)) : "";
    if (left > 0) return;
    clearInterval(timer);
    over();
  }
  timer = setInterval(show, 1000);
  show();
  return () => clearInterval(timer);
}
