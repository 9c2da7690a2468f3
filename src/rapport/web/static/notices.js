/* "Wake this browser": asks the browser, and hands its address and keys to the desk. */
"use strict";
(() => {
  const box = document.querySelector("#push");
  const button = document.querySelector("#add-device");
  if (!box || !("serviceWorker" in navigator) || !("PushManager" in window)) return;
  button.hidden = false;
  document.querySelector("#no-push").hidden = true;
  const say = (text) => { document.querySelector("#push-said").textContent = text; };
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const csrf = () => document.querySelector("input[name=csrfmiddlewaretoken]").value;

  // "Firefox on Linux": how people know their devices
  function name() {
    const agent = navigator.userAgent;
    const browser = [["Edg/", "Edge"], ["OPR/", "Opera"], ["Firefox/", "Firefox"], ["Chrome/", "Chrome"], ["Safari/", "Safari"]].find(([mark]) => agent.includes(mark));
    const system = [["Android", "Android"], ["iPhone", "iPhone"], ["iPad", "iPad"], ["Windows", "Windows"], ["Mac OS", "Mac"], ["Linux", "Linux"]].find(([mark]) => agent.includes(mark));
    return [browser?.[1] || "Browser", system?.[1]].filter(Boolean).join(" · ");
  }

  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      if (await Notification.requestPermission() !== "granted") return say(box.dataset.denied);
      const worker = await navigator.serviceWorker.register(box.dataset.worker);
      // a worker that was registered this moment may not be subscribed before it is active
      await new Promise((done) => {
        const coming = worker.installing || worker.waiting;
        if (!coming) return done();
        coming.addEventListener("statechange", () => { if (coming.state === "activated" || coming.state === "redundant") done(); });
      });
      const found = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(box.dataset.key) });
      const told = found.toJSON();
      const form = new FormData();
      form.set("endpoint", told.endpoint);
      form.set("p256dh", told.keys.p256dh);
      form.set("auth", told.keys.auth);
      form.set("device", name());
      const answer = await fetch(box.dataset.add, { method: "POST", body: form, headers: { "X-CSRFToken": csrf() }, credentials: "same-origin" });
      if (!answer.ok) return say(box.dataset.failed);
      say(box.dataset.done);
      setTimeout(() => location.reload(), 800);
    } catch {
      say(box.dataset.failed);
    } finally { button.disabled = false; }
  });
})();
