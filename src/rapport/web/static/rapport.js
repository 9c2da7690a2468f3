/* The desk's own script: keys, live pages, counters. Every page works without it, with a click and a reload more. */
"use strict";
(() => {
  const html = document.documentElement;
  const body = document.body;
  const root = body.dataset.root || "";
  const $ = (selector, from = document) => from.querySelector(selector);
  const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];
  const wide = () => matchMedia("(min-width: 761px)").matches;

  // ------------------------------------------------------------------ morphing: what a refresh must leave alone
  if (window.Idiomorph) {
    const calls = Idiomorph.defaults.callbacks;
    // an element that keeps its key keeps what somebody typed, chose or was shown in it
    calls.beforeNodeMorphed = (old, fresh) =>
      !(old.nodeType === 1 && old.dataset.keep && fresh.nodeType === 1 && old.dataset.keep === fresh.dataset.keep);
    // what somebody opened stays open
    calls.beforeAttributeUpdated = (name, node) => !(name === "open" && node.tagName === "DETAILS");
  }

  function csrf() {
    const found = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/);
    return found ? decodeURIComponent(found[1]) : ($("input[name=csrfmiddlewaretoken]") || {}).value || "";
  }
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.verb !== "get") event.detail.headers["X-CSRFToken"] = csrf();
  });

  function say(text, kind = "") {
    if (!text) return;
    const box = $("#toasts");
    const item = document.createElement("div");
    item.className = `notice ${kind}`;
    item.textContent = text;
    box.replaceChildren(item);
    setTimeout(() => item.remove(), 6000);
  }
  document.addEventListener("desk-changed", (event) => {
    say(event.detail.say);
    if ($("#note-text") && event.target.closest?.("#jot")) $("#note-text").value = "";
    refresh({ list: true });
  });
  document.addEventListener("desk-saved", (event) => {
    const state = $("#reply-state");
    state.classList.remove("bad");
    state.textContent = event.detail.say;
    // the server counts as the guard does; its word stands until the next letter
    $("#left").textContent = event.detail.left;
  });
  document.addEventListener("desk-problem", (event) => say(event.detail.say, "error"));
  document.addEventListener("htmx:responseError", (event) => {
    const { xhr, elt } = event.detail;
    if (elt.id === "reply-text" && xhr.status >= 500) return unsaved();
    const plain = (xhr.getResponseHeader("Content-Type") || "").startsWith("text/plain");
    say(plain ? xhr.responseText : body.dataset.wrong || `${xhr.status}`, "error");
  });
  document.addEventListener("htmx:sendError", (event) => {
    if (event.detail.elt.id === "reply-text") unsaved();
    else $("#live").hidden = false;
  });

  // ------------------------------------------------------------------ the list beside the conversation
  let coming = 0; // conversations that were asked for and are not on the page yet
  function openRow(link) {
    const address = link.getAttribute("href");
    if (!window.htmx || !$("#work")) return void location.assign(address);
    coming += 1;
    // settled at once, so that the next key meets forms that work
    htmx.ajax("GET", address, { target: "#work", swap: "innerHTML settle:0ms", source: link }).then(() => {
      history.pushState({}, "", address);
      shown();
    }).catch(() => {}).then(() => { coming -= 1; pressWaiting(); });
    mark(link.dataset.row);
  }
  function mark(id) {
    for (const row of $$("[data-row]")) {
      if (row.dataset.row === String(id)) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    }
  }
  function shown() {
    const talk = $("#main.talk");
    const open = Boolean(talk && talk.dataset.conversation);
    $(".app").classList.toggle("reading", open);
    if (open) {
      document.title = `${$("h1", talk).textContent} · Rapport`;
      $("#work").dataset.conversation = talk.dataset.conversation;
      mark(talk.dataset.conversation);
      talk.focus({ preventScroll: true });
    }
    settle();
  }
  function settle() {
    const thread = $("#thread");
    if (thread && !location.hash) thread.scrollTop = thread.scrollHeight;
    foldPerson();
    count();
  }
  // beside the conversation the person is always shown; below it, on smaller screens, on request
  const roomy = matchMedia("(min-width: 1181px)");
  function foldPerson() { const fold = $("[data-fold]"); if (fold) fold.open = roomy.matches; }
  roomy.addEventListener("change", foldPerson);
  window.addEventListener("popstate", () => location.reload());
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    const row = event.target.closest("[data-row]");
    if (row) { event.preventDefault(); openRow(row); return; }
    const more = event.target.closest("[data-more]");
    if (more) { event.preventDefault(); $("#list").dataset.url = more.getAttribute("href"); refresh({ list: true }); return; }
    const answer = event.target.closest("[data-answer]");
    if (answer) { event.preventDefault(); answerTo(answer); return; }
    const take = event.target.closest("[data-take]");
    if (take) { write($("#" + take.dataset.take).textContent); return; }
    const begin = event.target.closest("[data-begin]");
    if (begin) { event.preventDefault(); beginFrom(begin); return; }
    if (event.target.closest("[data-unask]")) { $("#ask").replaceChildren(); focusReply(); return; }
    const back = event.target.closest("[data-back]");
    if (back && history.state && wide()) { event.preventDefault(); history.back(); return; }
    if (event.target.closest("[data-do=help]")) help();
  });
  function answerTo(link) {
    $("#target").value = link.dataset.answer;
    $("#to").hidden = false;
    $("#to [data-whom]").textContent = link.dataset.whom;
    focusReply();
  }
  function write(text) {
    const field = $("#reply-text");
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    focusReply();
  }

  // a prepared reply into the box; the server asks back before it takes the place of somebody's own words
  async function beginFrom(button) {
    const form = new FormData(button.form);
    form.set(button.name, button.value);
    const open = $("#main").dataset.conversation;
    $("#begin-from").hidePopover();
    const answer = await fetch(button.getAttribute("formaction"), { method: "POST", body: form, headers: { "HX-Request": "true", "X-CSRFToken": csrf() }, credentials: "same-origin" }).catch(() => null);
    if ($("#main")?.dataset.conversation !== open) return;
    if (!answer?.ok) return void say(body.dataset.wrong, "error");
    if (!(answer.headers.get("Content-Type") || "").startsWith("application/json")) {
      $("#ask").innerHTML = await answer.text();
      $("#ask button").focus();
      return;
    }
    const told = await answer.json();
    $("#ask").replaceChildren();
    $("#begun").value = told.begun;
    write(told.text);
    $("#reply-state").textContent = told.say;
  }
  function palette() {
    const box = $("#begin-from");
    if (!box) return;
    if ($("#mode-reply")) $("#mode-reply").checked = true;
    box.showPopover();
    $(".item", box).focus();
  }

  // ------------------------------------------------------------------ menus: a click elsewhere or Esc closes them
  document.addEventListener("click", (event) => {
    for (const menu of $$("details[data-menu][open]")) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("toggle", (event) => {
    const menu = event.target;
    if (!menu.matches?.("details[data-menu]") || !menu.open) return;
    for (const other of $$("details[data-menu][open]")) if (other !== menu) other.open = false;
  }, true);
  function openMenu(key) {
    const menu = $(`details[data-menu="${key}"]`);
    if (!menu) return false;
    menu.open = true;
    ($(".item:not(:disabled)", menu) || $("summary", menu)).focus();
    return true;
  }
  function walkMenu(event) {
    const menu = event.target.closest("details[data-menu][open], [popover]");
    if (!menu || !["ArrowDown", "ArrowUp"].includes(event.key)) return false;
    const items = $$(".item:not(:disabled)", menu);
    const at = items.indexOf(document.activeElement);
    const next = items[(at + (event.key === "ArrowDown" ? 1 : -1) + items.length) % items.length];
    if (next) next.focus();
    event.preventDefault();
    return true;
  }

  // ------------------------------------------------------------------ live: events say what to read again
  let due = null;
  let busy = false;
  const wanted = { list: false, talk: false, counts: false };
  function refresh(what) {
    wanted.list ||= Boolean(what.list);
    wanted.talk ||= Boolean(what.talk);
    wanted.counts ||= Boolean(what.list || what.counts);
    clearTimeout(due);
    due = setTimeout(run, 80);
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
      await Promise.all(jobs);
    } finally { busy = false; }
  }
  async function fetchInto(address, target) {
    const holder = $(target);
    const open = target === "#work" ? $("#main")?.dataset.conversation : null;
    const answer = await fetch(address, { headers: { "HX-Request": "true", "HX-Target": target.slice(1) }, credentials: "same-origin" });
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
    html.dataset.refreshed = String(Number(html.dataset.refreshed || 0) + 1);
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
      if (told.kind === "notices") return refresh({ counts: true });
      const about = told.all || told.kind === "config" || (told.conversations || []).includes(open);
      refresh({ list: true, talk: Boolean(open) && about });
    });
    source.addEventListener("bye", () => { silence(); location.reload(); });
    source.addEventListener("error", () => {
      html.dataset.live = "off";
      setTimeout(() => { if (html.dataset.live === "off") $("#live").hidden = false; }, 3000);
      if (source?.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 15000);
    });
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
  // "waits 38 min" grows while nobody writes
  setInterval(() => { if (document.visibilityState === "visible") refresh({ list: true }); }, 60000);

  // ------------------------------------------------------------------ the composer
  const LINK = /https?:\/\/[^\s<>"]*[^\s<>".,;:!?'()[\]{}…]/giu;
  const REMOTE = /(?<![\p{L}\p{N}_/])(@[\p{L}\p{N}_]+(?:[\p{L}\p{N}_.-]*[\p{L}\p{N}_])?)@[\p{L}\p{N}_.-]+[\p{L}\p{N}_]/gu;
  function clusters(text) {
    if (!window.Intl?.Segmenter) return [...text];
    return [...new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(text)].map((part) => part.segment);
  }
  const light = (code) => code <= 4351 || (code >= 8192 && code <= 8205) || (code >= 8208 && code <= 8223) || (code >= 8242 && code <= 8247);
  function lengthOf(text, unit) {
    if (unit === "weighted") {
      let total = 0;
      const rest = text.normalize("NFC").replace(LINK, () => { total += 23; return ""; });
      for (const part of clusters(rest)) total += /\p{Extended_Pictographic}|\p{RI}/u.test(part) ? 2 : [...part].reduce((sum, c) => sum + (light(c.codePointAt(0)) ? 1 : 2), 0);
      return total;
    }
    if (unit === "mastodon") text = text.replace(LINK, "x".repeat(23)).replace(REMOTE, "$1");
    return clusters(text).length;
  }
  function count() {
    const field = $("#reply-text");
    const left = $("#left");
    if (!field || !left || !field.dataset.limit) return;
    const limit = Number(field.dataset.limit);
    const over = lengthOf(field.value.trim(), field.dataset.unit) - limit;
    left.textContent = (over > 0 ? left.dataset.over : left.dataset.under).replace("{n}", Math.abs(over)).replace("{limit}", limit);
    left.classList.toggle("late", over > 0);
  }
  document.addEventListener("input", (event) => {
    if (event.target.id !== "reply-text") return;
    count();
    const state = $("#reply-state");
    state.classList.remove("bad");
    state.textContent = state.dataset.typing || "…";
  });
  function unsaved() {
    const state = $("#reply-state");
    if (!state) return;
    state.classList.add("bad");
    state.textContent = state.dataset.unsaved;
    setTimeout(() => { const field = $("#reply-text"); if (field && state.classList.contains("bad")) htmx.trigger(field, "again"); }, 3000);
  }
  function focusReply() {
    const mode = $("#mode-reply");
    if (mode && !mode.disabled) mode.checked = true;
    const field = $("#reply-text");
    if (field) { field.focus(); field.setSelectionRange(field.value.length, field.value.length); }
  }
  function focusNote() {
    if ($("#mode-note")) $("#mode-note").checked = true;
    $("#note-text")?.focus();
  }
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
    if (event.target.id === "mode-reply") $("#reply-text")?.focus();
    if (event.target.id === "mode-note") $("#note-text")?.focus();
  });
  document.addEventListener("htmx:afterSwap", (event) => { if (event.detail.target.id === "work") { settle(); mark($("#work").dataset.conversation); } });

  // ------------------------------------------------------------------ keys
  const rows = () => $$("[data-row]");
  function step(by) {
    const all = rows();
    if (!all.length) return;
    const focused = all.indexOf(document.activeElement);
    const at = focused >= 0 ? focused : all.findIndex((row) => row.hasAttribute("aria-current"));
    const next = all[Math.max(0, Math.min(all.length - 1, at + by))];
    next.focus();
    next.scrollIntoView({ block: "nearest" });
    if ($("#main.talk[data-conversation]") && wide()) openRow(next);
  }
  function open() {
    const row = document.activeElement?.closest?.("[data-row]") || rows().find((each) => each.hasAttribute("aria-current")) || rows()[0];
    if (row) openRow(row);
  }
  function backToList() {
    const back = $("[data-back]");
    const current = rows().find((row) => row.hasAttribute("aria-current"));
    if (wide() && current) current.focus();
    else if (back) location.assign(back.getAttribute("href"));
  }
  function help() { const box = $("#keys"); if (box && !box.open) box.showModal(); }
  const KEYS = {
    j: () => step(1), k: () => step(-1), o: open, r: focusReply, n: focusNote, p: palette, u: backToList, "?": help,
    a: () => openMenu("a"), s: () => openMenu("s"), m: () => openMenu("m"), f: () => openMenu("f"),
    c: () => document.dispatchEvent(new Event("desk-readings")), w: () => document.dispatchEvent(new Event("desk-marks")),
    e: finish, y: () => $("[data-key=y]")?.requestSubmit(), x: () => $("[data-key=x]")?.requestSubmit(),
    "/": () => $("#find")?.focus(),
  };
  // "e" is done with a conversation and goes on to the next one. Keys pressed before that one is on the page are meant
  // for it: they wait, and never act on the old one
  const ABOUT_THE_OPEN_ONE = "rnpasmecyx";
  const ANYWHERE = "?/";
  let acting = null; // the form above the conversation that is on its way
  let onward = null; // after "e": the conversation, and the row to go on to
  let waiting = [];
  const mustWait = (key) => (acting ? !ANYWHERE.includes(key) : coming > 0 && ABOUT_THE_OPEN_ONE.includes(key));
  function pressWaiting() {
    while (waiting.length && !mustWait(waiting[0])) KEYS[waiting.shift()]();
  }
  function finish() {
    const form = $("[data-key=e]");
    if (!form) return;
    const id = $("#main").dataset.conversation;
    const all = rows().map((row) => row.dataset.row);
    const at = all.indexOf(id);
    onward = { id, next: at < 0 ? undefined : all[at + 1] || all[at - 1] };
    form.requestSubmit();
  }
  document.addEventListener("htmx:beforeRequest", (event) => { if (event.detail.elt.closest(".acts")) acting = event.detail.elt; });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (!acting || event.detail.requestConfig?.elt !== acting) return;
    const { id, next } = onward || {};
    acting = onward = null;
    const main = $("#main.talk[data-conversation]");
    const row = next && $(`[data-row="${CSS.escape(next)}"]`);
    const resolved = event.detail.successful && main?.dataset.conversation === id && main.dataset.state === "resolved";
    if (resolved && row && wide()) openRow(row);
    else waiting = waiting.filter((key) => key !== "e"); // nothing to go on to: a second "e" would undo the first
    pressWaiting();
  });
  let going = 0;
  function go(key) {
    const place = /^[1-9]$/.test(key) ? $$("[data-basket][href], a[data-basket]")[Number(key) - 1] : $(`[data-go="${CSS.escape(key)}"]`);
    if (place) location.assign(place.getAttribute("href"));
  }
  document.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const inField = event.target.closest?.("input:not([type=radio],[type=checkbox]),textarea,select,[contenteditable]");
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      const form = event.target.closest?.("form.panel");
      const button = form && $(".btn.main", form);
      if (button && !button.disabled) { event.preventDefault(); form.requestSubmit(button); }
      return;
    }
    if (event.key === "Escape") {
      const menu = $("details[data-menu][open]");
      if (menu) { menu.open = false; $("summary", menu).focus(); return; }
      if (inField && !$("dialog[open]")) inField.blur();
      return;
    }
    if (walkMenu(event)) return;
    if (inField || event.ctrlKey || event.metaKey || event.altKey || html.dataset.shortcuts !== "on" || $("dialog[open]")) return;
    if (Date.now() - going < 1500) { going = 0; event.preventDefault(); go(event.key); return; }
    if (event.key === "g") { going = Date.now(); return; }
    const act = KEYS[event.key];
    if (!act) return;
    event.preventDefault();
    if (event.key === "e" && event.repeat) return; // held down: one press is one conversation
    if (mustWait(event.key)) waiting.push(event.key);
    else act();
  });

  listen();
  settle();
  html.dataset.ready = "yes";
})();
