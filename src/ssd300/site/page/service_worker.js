// Keeps the files of the site, so that it opens without a network, and answers with them. `SITE`, from files.js, names
// them with their checksums: a file that was not loaded whole, or belongs to another version, is never kept.

importScripts("static/files.js", "static/gpu.js");

const OURS = `ssd300 ${self.registration.scope} `; // other sites of the same host have caches of their own
const NAME = OURS + SITE.version;

self.addEventListener("install", (event) => {
  event.waitUntil(keepAll());
});

self.addEventListener("activate", (event) => {
  event.waitUntil(removeOlder().then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const address = new URL(event.request.url);
  address.search = address.hash = "";
  const isPage = address.href === new URL("index.html", self.registration.scope).href;
  const wanted = isPage ? self.registration.scope : address.href;
  if (event.request.method === "GET" && wanted.startsWith(self.registration.scope)) event.respondWith(answer(event, wanted));
});

async function answer(event, wanted) {
  const cache = await caches.open(NAME);
  return (await cache.match(wanted)) ?? fetch(event.request);
}

async function keepAll() {
  const cache = await caches.open(NAME);
  await cache.addAll(requests((path) => !SITE.webgpu.includes(path)));
  if (SITE.webgpu.length && (await hasGpu())) {
    // Without them the page works too.
    await cache.addAll(requests((path) => SITE.webgpu.includes(path))).catch((error) => console.warn(error.message));
  }
  await self.skipWaiting();
}

function requests(isWanted) {
  return Object.entries(SITE.files).filter(([path]) => isWanted(path)).map(([path, integrity]) => (
    new Request(new URL(path, self.registration.scope), { integrity, cache: "no-cache" })
  ));
}

async function removeOlder() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(OURS) && name !== NAME).map((name) => caches.delete(name)));
}
