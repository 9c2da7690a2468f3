/* Live pages: the server says what changed, and that part is read again. */
"use strict";
(() => {
  const { $, say, mark } = Rapport;
  const html = document.documentElement;
  const body = document.body;
  const root = body.dataset.root || "";

  let due = null;
  let busy = false;
  const wanted = { list: false, talk: false, counts: false };
  Rapport.refresh = (what) => {
    wanted.list ||= Boolean(what.list);
    wanted.talk ||= Boolean(what.talk);
    wanted.counts ||= Boolean(what.list || what.counts);
    clearTimeout(due);
    due = setTimeout(run, 80);
  };
  // what colleagues do: many pages hear of it at once and ask at different times, and no page asks more often than the
  // server says, however much happens
  let least = 1500;
  let asked = 0;
  let took = 0; // milliseconds that the last answer needed: a server that is busy is asked less often
  let coming = null;
  let failed = 0; // readings in a row that brought nothing
  function refreshSoon(what) {
    wanted.list ||= Boolean(what.list);
    wanted.talk ||= Boolean(what.talk);
    wanted.counts ||= Boolean(what.list || what.counts);
    if (coming !== null) return;
    coming = setTimeout(() => { coming = null; asked = Date.now(); run(); }, Math.max(80, asked + Math.max(least, Math.min(4 * took, 6000)) - Date.now()) + Math.random() * Math.min(least / 3, 1500));
  }
  async function run() {
    if (busy) { due = setTimeout(run, 120); return; }
    busy = true;
    const now = { ...wanted };
    wanted.list = wanted.talk = wanted.counts = false;
    try {
      const jobs = [];
      const list = $("#list[data-url]");
      if (now.list && list) jobs.push(fetchInto(list.dataset.url, "#list"));
      if (now.counts && $("#nav-counts")) jobs.push(fetchInto(`${root}counts?b=${list?.dataset.basket || ""}`, "#nav-counts"));
      if (now.talk && $("#main.talk[data-conversation]")) jobs.push(fetchInto(location.pathname + location.search, "#work"));
      const began = Date.now();
      await Promise.all(jobs);
      took = Math.min(Date.now() - began, 5000);
      failed = 0;
    } catch {
      // it is asked for again: what changed is told once
      failed += 1;
      setTimeout(() => refreshSoon(now), Math.min(1000 * 2 ** failed, 30000));
    } finally { busy = false; }
  }
  async function fetchInto(address, target) {
    const holder = $(target);
    const open = target === "#work" ? $("#main")?.dataset.conversation : null;
    const headers = { "HX-Request": "true", "HX-Target": target.slice(1), "HX-Current-URL": location.href };
    const has = tags[target];
    if (has?.address === address && has.url === location.href) headers["If-None-Match"] = has.tag;
    const answer = await fetch(address, { headers, credentials: "same-origin", signal: AbortSignal.timeout(30000) });
    if (answer.status >= 500) throw new Error(`${answer.status}`);
    if (answer.status === 304) return void seen();
    // it became part of another conversation: what was typed goes along
    if (answer.redirected && open !== null) Rapport.carry(answer.url.match(/\/c\/(\d+)\//)?.[1]);
    if (answer.redirected || answer.headers.get("HX-Redirect")) return void location.reload();
    if (!answer.ok) { if (answer.status === 404 && target === "#work") location.assign(root); return; }
    const text = await answer.text();
    // somebody opened another conversation meanwhile: this answer is about the old one
    if (open !== null && $("#main")?.dataset.conversation !== open) return;
    const thread = $("#thread");
    const atEnd = thread && thread.scrollHeight - thread.scrollTop - thread.clientHeight < 80;
    Idiomorph.morph(holder, text, { morphStyle: "innerHTML", ignoreActiveValue: true });
    if (window.htmx) htmx.process(holder);
    if (target === "#list") mark($("#work")?.dataset.conversation);
    if (target === "#work" && atEnd) $("#thread").scrollTop = $("#thread").scrollHeight;
    if (target === "#work") document.dispatchEvent(new CustomEvent("desk-read"));
    const tag = answer.headers.get("ETag");
    tags[target] = tag ? { address, tag, url: location.href } : undefined;
    seen();
  }
  function seen() { html.dataset.refreshed = String(Number(html.dataset.refreshed || 0) + 1); }
  const tags = {}; // what was read last into each part of the page, and what the server calls it
  /* whether an event may change the list that is shown: one of its own basket, or one that may be of any */
  function ofTheList(told) {
    const list = $("#list");
    const own = list?.dataset.basketId;
    return !own || !told.baskets || told.baskets.includes(Number(own));
  }
  let source = null;
  let known = "";
  function listen() {
    if (!body.dataset.events || !window.EventSource || source) return;
    const address = body.dataset.events.split("?")[0];
    source = new EventSource(known ? `${address}?since=${known}` : body.dataset.events);
    source.addEventListener("open", () => { $("#live").hidden = true; html.dataset.live = "on"; });
    source.addEventListener("desk", (event) => {
      known = event.lastEventId || known;
      const told = JSON.parse(event.data);
      const open = Number($("#work")?.dataset.conversation || 0);
      least = told.every || least;
      if (told.kind === "presence") return void presence(told, open);
      if (told.kind === "notices") return refreshSoon({ counts: true });
      // an open conversation that lies in a basket of others was given to this person: its changes come unnamed
      const place = $("#main.talk")?.dataset.basket;
      const elsewhere = told.baskets?.length === 0 && place && !$(`#nav [data-basket="${CSS.escape(place)}"]`);
      const about = told.all || told.kind === "config" || elsewhere || (told.conversations || []).includes(open);
      refreshSoon({ list: told.all || told.kind === "config" || ofTheList(told), counts: true, talk: Boolean(open) && about });
    });
    source.addEventListener("bye", () => { silence(); location.reload(); });
    source.addEventListener("error", () => {
      html.dataset.live = "off";
      setTimeout(() => { if (html.dataset.live === "off") $("#live").hidden = false; }, 3000);
      if (source?.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 15000);
    });
  }
  // faces: only of what is on the page, and no more often than everything else
  let faces = null;
  function presence(told, open) {
    const shown = told.all || (told.conversations || []).some((id) => id === open || $(`[data-row="${id}"]`));
    if (!shown || faces !== null) return;
    const mine = (told.conversations || []).includes(open);
    faces = setTimeout(() => { faces = null; document.dispatchEvent(new CustomEvent("desk-presence")); }, mine ? 0 : Math.random() * least);
  }
  function silence() {
    source?.close();
    source = null;
  }
  // browsers open six connections to one address: tabs that nobody looks at give theirs back, and catch up later
  let resting = null;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(resting);
    if (document.visibilityState === "visible") listen();
    else resting = setTimeout(silence, 20000);
  });
  window.addEventListener("pagehide", silence);
  // what presses most changes with time alone too; the clocks themselves go on without asking (clocks.js)
  setInterval(() => { if (document.visibilityState === "visible") Rapport.refresh({ list: true }); }, 600000);

  document.addEventListener("desk-changed", (event) => {
    say(event.detail.say, "", event.detail.undo);
    Rapport.refresh({ list: true, talk: event.detail.talk });
  });
  listen();
})();
