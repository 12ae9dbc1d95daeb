// The page after Quit tells the other tabs of this browser, whose cookie is gone with the place.
const room = document.querySelector("[data-left]").dataset.left;
const channel = "BroadcastChannel" in window ? new BroadcastChannel(`gatepass-${room.split("/").pop()}`) : null;
channel?.postMessage({ event: "ended", reason: "quit" });
