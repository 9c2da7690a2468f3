/* Shows what the desk tells this browser while no page of it is open. It keeps nothing and fetches nothing. */
"use strict";
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("push", (event) => {
  let told = {};
  try { told = event.data.json(); } catch { /* a browser wants something shown for each message */ }
  event.waitUntil(self.registration.showNotification(told.title || "Rapport", {
    body: told.body || "",
    tag: told.tag || undefined,
    // the same thing again says so anew
    renotify: Boolean(told.tag),
    data: { url: told.url || "/" },
  }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const url = new URL(event.notification.data?.url || "/", self.location.origin);
  // never anywhere but to this desk
  if (url.origin !== self.location.origin) return;
  event.waitUntil((async () => {
    const open = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
    const page = open.find((each) => new URL(each.url).origin === url.origin && each.focused) || open[0];
    if (page) {
      await page.focus();
      if (page.navigate) { try { await page.navigate(url.href); return; } catch { /* not ours to lead: a new one */ } }
    }
    await self.clients.openWindow(url.href);
  })());
});
