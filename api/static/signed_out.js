// Nobody is signed in on this browser: the other tabs of the workspace learn it, and come here too.
const { base } = document.getElementById("signed-out").dataset;
const name = `gatepass-console-${base.split("/").pop()}`;
const channel = "BroadcastChannel" in window ? new BroadcastChannel(name) : null;
channel?.postMessage({ event: "ended" });
