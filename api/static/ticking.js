// The worker of steady.js.
addEventListener("message", ({ data }) => setInterval(() => postMessage(null), data));
