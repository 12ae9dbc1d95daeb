// What is not saved in the editor is asked about before it is left. Where nobody can be asked, in a tab
// that is put away and before silence ends the session, it is kept apart, and shown by the next editor.
const { address } = document.getElementById("editing").dataset;
const form = document.getElementById("editor");
const said = form.querySelector("[data-unsaved]");
let isSent = false;
let isOver = false;
let isKept = false;

form.addEventListener("submit", () => (isSent = true));

// A window that lost its place has kept it already, and its form is inert.
const isAtRisk = () => said.textContent !== "" && !isSent && !isOver && !form.inert;

addEventListener("beforeunload", (event) => {
  if (!isAtRisk()) return;
  event.preventDefault();
  event.returnValue = true;
});

document.addEventListener("visibilitychange", () => document.hidden && putAway());
document.addEventListener("gatepass:idle", putAway);
// The page must go now, and nothing is taken from it any more.
document.addEventListener("gatepass:ended", () => (isOver = true));

function putAway() {
  const isBackAsItWas = isKept && said.textContent === "" && !isSent;
  if (!isAtRisk() && !isBackAsItWas) return;
  isKept = true;
  const body = new URLSearchParams(new FormData(form));
  const keepalive = body.toString().length < 60_000;
  fetch(`${address}/edit/left-behind`, { method: "POST", body, keepalive }).catch(() => {});
}
