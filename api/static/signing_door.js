// "Open in another window": the page before this one, in this very window, may still be saying good-bye.
const LOOKS_MS = [150, 500, 1_200];
const { address } = document.querySelector("[data-held]").dataset;

async function look() {
  const answer = await fetch(address, { cache: "no-store" }).catch(() => null);
  if (!answer?.ok) return;
  const shown = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (!shown.querySelector("[data-held]")) location.replace(address);
}

for (const after of LOOKS_MS) setTimeout(look, after);
