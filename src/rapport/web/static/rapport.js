/* The desk's own script: the list, menus, keys. Every page works without it, with a click and a reload more.
   `Rapport` is what the other scripts build on (desk/live.js, desk/compose.js). */
"use strict";
(() => {
  const html = document.documentElement;
  const body = document.body;
  const $ = (selector, from = document) => from.querySelector(selector);
  const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];
  const wide = () => matchMedia("(min-width: 761px)").matches;

  // ------------------------------------------------------------------ morphing: what a refresh must leave alone
  if (window.Idiomorph) {
    const calls = Idiomorph.defaults.callbacks;
    // an element that keeps its key keeps what somebody typed, chose or was shown in it; so does a half-filled form
    calls.beforeNodeMorphed = (old, fresh) =>
      !(old.nodeType === 1 && fresh.nodeType === 1 && ((old.dataset.keep && old.dataset.keep === fresh.dataset.keep) || isHalfFilled(old, fresh)));
    // what somebody opened stays open
    calls.beforeAttributeUpdated = (name, node) => !(name === "open" && node.tagName === "DETAILS");
  }

  // what is filled in in a form stays until the form is sent, whatever else of the conversation changes meanwhile
  const filling = new WeakSet();
  const OWN_WAYS = "#reply,#jot"; // what is typed there has ways of its own (desk/keep.js)
  const place = (form) => (form.getAttribute("action") || "").split("?")[0];
  function isHalfFilled(old, fresh) { return filling.has(old) && fresh.tagName === "FORM" && place(old) === place(fresh); }
  document.addEventListener("input", (event) => {
    const form = event.target.closest?.("#work form");
    if (form && !form.matches(OWN_WAYS)) filling.add(form);
  });
  document.addEventListener("htmx:beforeRequest", (event) => { if (event.detail.requestConfig.verb !== "get") filling.delete(event.detail.elt); });
  document.addEventListener("htmx:afterRequest", (event) => {
    const { elt, successful, requestConfig } = event.detail;
    if (!successful && requestConfig.verb !== "get" && elt.matches("#work form") && !elt.matches(OWN_WAYS)) filling.add(elt);
  });

  function csrf() {
    const found = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/);
    return found ? decodeURIComponent(found[1]) : ($("input[name=csrfmiddlewaretoken]") || {}).value || "";
  }
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.verb !== "get") event.detail.headers["X-CSRFToken"] = csrf();
  });

  /* `undo`: ids of deeds, joined by commas, that a button beside the words takes back */
  const UNDO = 12000; // milliseconds that it is offered
  function say(text, kind = "", undo = "", lasts = undo ? UNDO : 6000) {
    if (!text) return;
    const box = $("#toasts");
    const item = document.createElement("div");
    item.className = `notice ${kind}`;
    item.textContent = text;
    if (undo) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "btn link";
      button.dataset.deeds = undo;
      button.textContent = body.dataset.undoing;
      item.append(button);
      Object.assign(item.dataset, { said: text, kind, until: Date.now() + lasts });
    }
    box.replaceChildren(item);
    setTimeout(() => item.remove(), lasts);
  }
  // a page that comes while it is offered goes on offering it: on a phone the way back to the list is one
  const OFFERED = "rapport:undo";
  window.addEventListener("pagehide", () => {
    const item = $("#toasts [data-until]");
    try {
      if (item) sessionStorage.setItem(OFFERED, JSON.stringify({ ...item.dataset, deeds: $("[data-deeds]", item).dataset.deeds, root: body.dataset.root }));
      else sessionStorage.removeItem(OFFERED);
    } catch { /* not allowed: z still takes it back */ }
  });
  function offerAgain() {
    let kept = null;
    try { kept = JSON.parse(sessionStorage.getItem(OFFERED)); sessionStorage.removeItem(OFFERED); } catch { return; }
    const left = kept ? kept.until - Date.now() : 0;
    if (left > 1000 && left <= UNDO && kept.root === body.dataset.root) say(kept.said, kept.kind, kept.deeds, left);
  }
  document.addEventListener("desk-problem", (event) => say(event.detail.say, "error"));
  document.addEventListener("htmx:responseError", (event) => {
    const { xhr, elt } = event.detail;
    if (elt.id === "reply-text" && xhr.status >= 500) return; // it is saved again (desk/compose.js)
    const plain = (xhr.getResponseHeader("Content-Type") || "").startsWith("text/plain");
    say(plain ? xhr.responseText : body.dataset.wrong || `${xhr.status}`, "error");
  });
  document.addEventListener("htmx:sendError", (event) => {
    if (event.detail.elt.id !== "reply-text") $("#live").hidden = false;
  });

  // ------------------------------------------------------------------ the list beside the conversation
  let coming = 0; // conversations that were asked for and are not on the page yet
  let newest = ""; // the address that was asked for last, and the one whose answer came last
  let landed = "";
  function openRow(link) {
    const address = link.getAttribute("href");
    if (!window.htmx || !$("#work")) return void location.assign(address);
    coming += 1;
    newest = address;
    landed = "";
    // settled at once, so that the next key meets forms that work
    htmx.ajax("GET", address, { target: "#work", swap: "innerHTML settle:0ms", source: link }).then(() => {
      if (address !== newest) return; // another one was opened meanwhile
      if (address !== landed) return mark($("#work").dataset.conversation);
      history.pushState({}, "", address);
      shown();
    }).catch(() => {}).then(() => { coming -= 1; pressWaiting(); });
    mark(link.dataset.row);
  }
  // answers come in any order: one about a conversation that is not on the screen any more takes nobody's place
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { target, requestConfig, xhr } = event.detail;
    if (target.id !== "work" || !requestConfig) return;
    const { verb, path, elt } = requestConfig;
    if (verb === "get" && elt.matches("[data-row]")) {
      if (path !== newest) event.detail.shouldSwap = false;
      else if (event.detail.shouldSwap) landed = path;
    }
    if (verb === "get") return; // somebody goes there
    const about = path.match(/\/c\/(\d+)\//)?.[1];
    const here = $("#main")?.dataset.conversation;
    if (!about || !here || about === here) return;
    event.detail.shouldSwap = false;
    // its form is gone, and nobody hears what it says there
    const told = xhr.status < 400 && xhr.getResponseHeader("HX-Trigger");
    if (!told) say(body.dataset.elsewhere, "error");
    else for (const [name, detail] of Object.entries(JSON.parse(told))) document.dispatchEvent(new CustomEvent(name, { detail }));
    Rapport.refresh({ list: true });
  });
  function mark(id) {
    for (const row of $$("[data-row]")) {
      if (row.dataset.row === String(id)) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    }
  }
  const FIELDS = "input:not([type=radio],[type=checkbox]),textarea,select,[contenteditable]";
  function shown() {
    const talk = $("#main.talk");
    const open = Boolean(talk && talk.dataset.conversation);
    $(".app").classList.toggle("reading", open);
    if (open) {
      document.title = `${$("h1", talk).textContent} · Rapport`;
      $("#work").dataset.conversation = talk.dataset.conversation;
      mark(talk.dataset.conversation);
      // whoever types elsewhere by now goes on there
      if (!document.activeElement?.matches(FIELDS)) talk.focus({ preventScroll: true });
    }
    settle();
  }
  function settle() {
    const thread = $("#thread");
    if (thread && !location.hash) thread.scrollTop = thread.scrollHeight;
    foldPerson();
    for (const each of whenSettled) each();
  }
  const whenSettled = [];
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
    if (more) { event.preventDefault(); $("#list").dataset.url = more.getAttribute("href"); Rapport.refresh({ list: true }); return; }
    const back = event.target.closest("[data-back]");
    if (back && history.state && wide()) { event.preventDefault(); history.back(); return; }
    if (event.target.closest("[data-do=help]")) help();
  });
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

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
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
  // what somebody put in the place of the shipped keys: everything here speaks of the shipped ones
  const own = JSON.parse(html.dataset.keys || "{}");
  const shipped = (key) => own[key] ?? key;
  const KEYS = {
    j: () => step(1), k: () => step(-1), o: open, u: backToList, "?": help,
    a: () => openMenu("a"), s: () => openMenu("s"), m: () => openMenu("m"), f: () => openMenu("f"),
    c: () => document.dispatchEvent(new Event("desk-readings")), w: () => document.dispatchEvent(new Event("desk-marks")),
    e: finish, y: () => $("[data-key=y]")?.requestSubmit(), d: () => $("[data-key=d]")?.requestSubmit(),
    "/": () => $("#find")?.focus(),
  };
  // "e" is done with a conversation and goes on to the next one. Keys pressed before that one is on the page are meant
  // for it: they wait, and never act on the old one
  let aboutTheOpenOne = "asmecyd";
  const ANYWHERE = "?/";
  let acting = null; // the form above the conversation that is on its way
  let onward = null; // after "e": the conversation, and the row to go on to
  let waiting = [];
  const mustWait = (key) => (acting?.isConnected ? !ANYWHERE.includes(key) : coming > 0 && aboutTheOpenOne.includes(key));
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
    const after = html.dataset.after; // what the person chose in their profile
    if (resolved && row && wide() && after !== "list" && after !== "stay") openRow(row);
    else waiting = waiting.filter((key) => key !== "e"); // nothing to go on to: a second "e" would undo the first
    if (resolved && after === "list") { if (row && wide()) row.focus(); else backToList(); }
    pressWaiting();
  });
  let going = 0;
  function go(key) {
    const place = /^[1-9]$/.test(key) ? $$("[data-basket][href], a[data-basket]")[Number(key) - 1] : $(`[data-go="${CSS.escape(key)}"]`);
    if (place) location.assign(place.getAttribute("href"));
  }
  document.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const inField = event.target.closest?.(FIELDS);
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
    if (["Shift", "AltGraph", "CapsLock"].includes(event.key)) return; // on the way to a capital or a sign
    if (Date.now() - going < 1500) { going = 0; event.preventDefault(); go(event.key); return; }
    const key = shipped(event.key);
    if (key === "g") { going = Date.now(); return; }
    const act = KEYS[key];
    if (!act) return;
    event.preventDefault();
    if (event.repeat && !"jk".includes(key)) return; // held down: one press is one act
    if (mustWait(key)) waiting.push(key);
    else act();
  });

  // a navigation that is longer than the screen begins where the person is; on a phone it is one line
  const here = $(".nav [aria-current]");
  if (here && wide()) here.scrollIntoView({ block: "nearest" });
  else if (here) $("#nav").scrollLeft += here.getBoundingClientRect().left - ($("#nav").clientWidth - here.offsetWidth) / 2;

  window.Rapport = {
    $, $$, say, csrf, wide, mark, rows, openRow, settle,
    /* press -> act; `open`: it is meant for the open conversation, and waits while that one is on its way */
    key(press, act, { open: meant = false } = {}) { KEYS[press] = act; if (meant) aboutTheOpenOne += press; },
    /* what a key does until now, to build on */
    act(press) { return KEYS[press]; },
    openMenu,
    /* the shipped key that a pressed one stands for */
    shipped,
    /* does what a key does, waiting where the key would */
    press(key) { const act = KEYS[key]; if (!act) return; if (mustWait(key)) waiting.push(key); else act(); },
    /* called whenever a conversation was put on the page */
    settled(act) { whenSettled.push(act); act(); },
    /* replaced by desk/live.js */
    refresh() {},
  };
  settle();
  offerAgain();
  // all scripts of the page have run by then
  document.addEventListener("DOMContentLoaded", () => { html.dataset.ready = "yes"; });
})();
