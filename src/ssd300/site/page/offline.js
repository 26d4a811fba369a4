// Lets the page open without a network after its first visit: a service worker keeps its files.

import { byId } from "./elements.js";

// Browsers allow it at HTTPS addresses and on localhost only.
if ("serviceWorker" in navigator) {
  const options = { updateViaCache: "none" };
  navigator.serviceWorker.register("service_worker.js", options).then(() => navigator.serviceWorker.ready).then(
    () => (byId("offline").textContent = "Works offline"),
    (error) => console.warn(`This page needs a network: ${error.message}`),
  );
}
