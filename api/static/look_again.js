// A page that was asked for while the editor was being left may have been made before the window's
// good-bye arrived. Where it says that one's own window is open, it looks again, once.
const GOOD_BYE_MS = 1_000;
const SAID = "[data-own-editor]";

if (document.querySelector(SAID)) setTimeout(look, GOOD_BYE_MS);

async function look() {
  const answer = await fetch(location.href).catch(() => null);
  if (!answer?.ok) return;
  const now = new DOMParser().parseFromString(await answer.text(), "text/html");
  const main = document.querySelector("main");
  // Somebody who is doing something on the page keeps what they have; "Look again" is there for them.
  if (now.querySelector(SAID) || main.contains(document.activeElement)) return;
  main.replaceWith(now.querySelector("main"));
}
