// Another window is open, says the page: but it may have been made before that window's good-bye
// arrived, which is the one that was here just before. So it looks again, a few times.
const LOOKS_MS = [150, 500, 1_200];
const said = document.querySelector("[data-looks-again]");
let isBusy = false;

async function look() {
  const address = said.dataset.looksAgain || location.href;
  const answer = await fetch(address, { cache: "no-store" }).catch(() => null);
  if (!answer?.ok) return;
  const now = new DOMParser().parseFromString(await answer.text(), "text/html");
  // Somebody who is doing something on the page keeps what they have.
  if (!isBusy && !now.querySelector("[data-looks-again]")) location.replace(address);
}

if (said) {
  for (const sign of ["pointerdown", "keydown"]) addEventListener(sign, () => (isBusy = true));
  for (const after of LOOKS_MS) setTimeout(look, after);
}
