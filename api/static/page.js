// What every page does where there is JavaScript; each page works without it.
import "./submit_once.js";

// The page says what is wrong first: the summary gets the focus (WCAG 3.3.1).
document.getElementById("error-summary")?.focus();
