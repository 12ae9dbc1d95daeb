// A notice that has to be answered. A browser lets a second Escape close what refused the first, so
// that none may reach the dialog.

export function refuseEscape(dialog) {
  for (const way of ["cancel", "keydown"]) dialog.addEventListener(way, refuse);
}

function refuse(event) {
  if (event.type === "cancel" || event.key === "Escape") event.preventDefault();
}
