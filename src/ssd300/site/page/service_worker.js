// Keeps the files of the site, so that it opens without a network, and answers with them. `SITE`, from files.js, names
// them with their checksums: a file that was not loaded whole, or belongs to another version, is never kept.

importScripts("static/files.js");

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
  const hasGpu = Boolean(await self.navigator.gpu?.requestAdapter());
  const wanted = Object.entries(SITE.files).filter(([path]) => hasGpu || !SITE.webgpu.includes(path));
  const requests = wanted.map(([path, integrity]) => (
    new Request(new URL(path, self.registration.scope), { integrity, cache: "no-cache" })
  ));
  await cache.addAll(requests);
  await self.skipWaiting();
}

async function removeOlder() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(OURS) && name !== NAME).map((name) => caches.delete(name)));
}
