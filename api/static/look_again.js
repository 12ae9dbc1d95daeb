// Another window is open, says the page: but it may be the one that was here just before, whose good-bye
// comes late, or was overtaken by its last sign of life. So it looks again until that is forgotten.
const LOOKS_MS = [150, 500, 1_200, 2_500, 5_000, 10_000, 15_000, 21_000];
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
