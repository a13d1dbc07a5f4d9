// Shows pushes of this Backstop and opens the page that they are about. It keeps no page and answers no request.
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("push", (event) => {
  let told = {};
  try { told = event.data.json(); } catch { /* A push without a readable text still has to show something. */ }
  event.waitUntil(self.registration.showNotification(told.title || "Backstop", {
    body: told.text || "",
    // A push that comes twice is shown once.
    tag: told.id || "backstop",
    data: { path: told.path || "/" },
    icon: "/static/icon.svg",
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
