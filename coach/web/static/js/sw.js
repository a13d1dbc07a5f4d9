// The service worker: shows pushes, keeps copies of the pages that an athlete needs without a network, answers with them
// when there is none, and sends what was answered meanwhile. What is kept is health data: it goes with the sign-in.
"use strict";

if (self.trustedTypes) {
  // The page's policy holds here too: this worker runs one other script, and that one is of this server.
  self.trustedTypes.createPolicy("default", {
    createScriptURL: (address) => {
      if (new URL(address, self.location.href).origin === self.location.origin) return address;
      throw new TypeError("A script of another place is not started here.");
    },
  });
}
importScripts("/static/js/offline_store.js");

const PAGES = "backstop-pages-1";
const SHELL = "backstop-shell-1";
// A network that answers nothing for so long is as good as none, where there is a copy.
const PATIENCE_MS = 5000;
const FALLBACK = "/offline";
const HELD = "/offline/held";
const { backstopOffline } = self;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

// Pushes

self.addEventListener("push", (event) => {
  let told = {};
  try { told = event.data.json(); } catch { /* A push without a readable text still has to show something. */ }
  event.waitUntil(self.registration.showNotification(told.title || "Backstop", {
    body: told.text || "",
    // A push that comes twice is shown once.
    tag: told.id || "backstop",
    data: { path: told.path || "/" },
    icon: "/static/icon-192.png",
  }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const wanted = new URL(event.notification.data.path, self.location.origin);
  if (wanted.origin !== self.location.origin) return;
  event.waitUntil((async () => {
    const pages = await self.clients.matchAll({ type: "window" });
    const open = pages.find((page) => page.url === wanted.href);
    return open ? open.focus() : self.clients.openWindow(wanted.href);
  })());
});

// Answers with copies

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== self.location.origin) return;
  if (request.method === "POST" && url.pathname === "/sign-out") event.waitUntil(forget());
  if (request.method !== "GET") return;
  if (request.mode === "navigate") event.respondWith(page(event, request, url));
  else if (url.pathname.startsWith("/static/")) event.respondWith(asset(request, url));
});

async function asset(request, url) {
  const kept = await caches.match(request, { cacheName: SHELL });
  // The digest in the address says that it is the same.
  if (kept && url.searchParams.has("v")) return kept;
  try { return await fetch(request); } catch (error) {
    if (kept) return kept;
    throw error;
  }
}

async function page(event, request, url) {
  const kept = await caches.match(url.pathname, { cacheName: PAGES });
  if (!kept) {
    try { return await fetch(request); } catch { return without(url.pathname); }
  }
  const network = fetch(request);
  // Whichever way it ends later, somebody listened.
  network.catch(() => {});
  event.waitUntil(network.then(() => {}, () => {}));
  let wait;
  const patience = new Promise((_, reject) => { wait = setTimeout(() => reject(new Error("slow")), PATIENCE_MS); });
  try { return await Promise.race([network, patience]); } catch { return await allowed(url.pathname); } finally { clearTimeout(wait); }
}

// A session that is not kept any more is one that a lock took away, or none of ours.
async function without(path) {
  return (await copy(path.startsWith("/sessions/") && await isShut() ? HELD : FALLBACK)) ?? Response.error();
}

async function isShut() {
  const known = await backstopOffline.fact("copies"), hold = await backstopOffline.fact("hold");
  return Boolean(!known || known.locked || hold || Date.now() / 1000 > known.good_until_utc_s);
}

// Nobody trains from a copy that a lock, told here or there, or its age stands against.
async function allowed(path) {
  const known = await backstopOffline.fact("copies");
  if (known && !known.trains.includes(path)) return copy(path);
  return (await copy(await isShut() ? HELD : path)) ?? (await copy(FALLBACK)) ?? Response.error();
}

// A copy says when it was made; the page's script writes that in words.
async function copy(path) {
  const kept = await caches.match(path, { cacheName: PAGES });
  if (!kept) return null;
  const html = (await kept.text()).replace("<html ", `<html data-kept="${kept.headers.get("X-Kept-At")}" `);
  return new Response(html, { headers: kept.headers });
}

// Keeping

self.addEventListener("message", (event) => {
  if (event.data === "renew") event.waitUntil(renew());
  if (event.data === "forget") event.waitUntil(forget());
});

self.addEventListener("sync", (event) => {
  if (event.tag === "answers") event.waitUntil(send());
});

async function tell(message) {
  for (const each of await self.clients.matchAll({ type: "window" })) each.postMessage(message);
}

async function send() {
  const became = await backstopOffline.send();
  await tell({ became });
  const left = (await backstopOffline.answers()).some((each) => each.refused === null);
  // Asks the browser to wake this worker again.
  if (left) throw new Error("some answers wait");
  if (became.length) await renew();
}

async function forget() {
  await caches.delete(PAGES);
  await backstopOffline.dropFact("copies");
}

function renew() {
  return backstopOffline.alone("copies", async () => {
    let told;
    try { told = await backstopOffline.passport(); } catch { return; }
    if (!told) { await forget(); return; }
    const before = await backstopOffline.fact("copies");
    if (before && before.who !== told.who) await forget();
    // First what may not be trained from any more, then the pages: whatever ends this in the middle, that holds.
    await backstopOffline.setFact("copies", told);
    const waiting = (await backstopOffline.answers()).some((each) => each.refused === null && each.who === told.who);
    if (!waiting) await backstopOffline.dropFact("hold");
    await keepAll(told);
    await tell({ renewed: true, locked: told.locked });
  });
}

async function keepAll(told) {
  const pages = await caches.open(PAGES), needed = new Set();
  for (const each of await pages.keys()) {
    if (!told.pages.includes(new URL(each.url).pathname)) await pages.delete(each);
  }
  for (const path of told.pages) {
    let html;
    try { html = await keep(pages, path); } catch { return; }
    if (html) for (const address of html.matchAll(/(?:href|src)="(\/static\/[^"]+)"/g)) needed.add(address[1].replaceAll("&amp;", "&"));
  }
  await keepShell(needed);
}

async function keep(pages, path) {
  const answer = await fetch(path, { headers: { "X-Backstop-Copy": "1" }, redirect: "manual", cache: "no-store" });
  if (answer.status >= 500) return null;
  if (!answer.ok) { await pages.delete(path); return null; }
  const headers = new Headers(answer.headers);
  headers.set("X-Kept-At", new Date().toISOString());
  const html = await answer.text();
  await pages.put(path, new Response(html, { headers }));
  return html;
}

// Styles and scripts of the kept pages, and what these import.
async function keepShell(needed) {
  const shell = await caches.open(SHELL), wanted = [...needed], seen = new Set(wanted);
  while (wanted.length) {
    const address = wanted.pop();
    let kept = await shell.match(address);
    if (!kept || !address.includes("?v=")) {
      try { kept = await fetch(address); } catch { return; }
      if (!kept.ok) continue;
      await shell.put(address, kept.clone());
    }
    if (!new URL(address, self.location.origin).pathname.endsWith(".js")) continue;
    const text = await kept.text();
    for (const found of text.matchAll(/\bfrom\s+"(\.[^"]+)"/g)) {
      const { pathname, search } = new URL(found[1], new URL(address, self.location.origin));
      if (!seen.has(pathname + search)) { seen.add(pathname + search); wanted.push(pathname + search); }
    }
  }
  for (const each of await shell.keys()) {
    const { pathname, search } = new URL(each.url);
    if (!seen.has(pathname + search)) await shell.delete(each);
  }
}
