/* The composer: counting, saving, beginning from a prepared reply. */
"use strict";
(() => {
  const { $, say, csrf } = Rapport;
  const body = document.body;

  const LINK = /https?:\/\/[^\s<>"]*[^\s<>".,;:!?'()[\]{}…]/giu;
  const CUT = /^[ \t]*[-–—]*[ \t]*✂[ \t]*[-–—]*[ \t]*$/mu; // begins the next post of a thread
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
    const over = Math.max(...field.value.split(CUT).map((part) => lengthOf(part.trim(), field.dataset.unit))) - limit;
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
  function preparedReplies() {
    const box = $("#begin-from");
    if (!box) return;
    if ($("#mode-reply")) $("#mode-reply").checked = true;
    wanted = false;
    box.showPopover();
    $(".item", box)?.focus();
  }

  // What is being looked up stands above. Whoever waits on it begins at its first when it is here; Enter that was
  // pressed meanwhile takes that one. Whoever went on to another stays there.
  let waits = false;
  let wanted = false;
  let failed = false; // then the link in its place is a link again
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.target.id === "words-like") waits = event.target.contains(document.activeElement);
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id !== "words-like") return;
    const first = event.target.closest("[popover]:popover-open") && $("#begin-from .item");
    if (first && waits) first.focus();
    if (first && waits && wanted) first.click();
    waits = wanted = false;
  });
  for (const fault of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(fault, (event) => { if (event.target.id === "words-like") { wanted = false; failed = true; } });
  }
  document.addEventListener("desk-saved", (event) => {
    const state = $("#reply-state");
    state.classList.remove("bad");
    state.textContent = event.detail.say;
    // the server counts as the guard does; its word stands until the next letter
    $("#left").textContent = event.detail.left;
  });
  document.addEventListener("htmx:responseError", (event) => {
    if (event.detail.elt.id === "reply-text" && event.detail.xhr.status >= 500) unsaved();
  });
  document.addEventListener("htmx:sendError", (event) => { if (event.detail.elt.id === "reply-text") unsaved(); });
  document.addEventListener("change", (event) => {
    if (event.target.id === "mode-reply") $("#reply-text")?.focus();
    if (event.target.id === "mode-note") $("#note-text")?.focus();
  });
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    const answer = event.target.closest("[data-answer]");
    if (answer) { event.preventDefault(); answerTo(answer); return; }
    const take = event.target.closest("[data-take]");
    if (take) { write($("#" + take.dataset.take).textContent); return; }
    const begin = event.target.closest("[data-begin]");
    if (begin) { event.preventDefault(); beginFrom(begin); return; }
    if (!failed && event.target.closest("#words-like a.item")) { event.preventDefault(); wanted = true; return; }
    if (event.target.closest("[data-unask]")) { $("#ask").replaceChildren(); focusReply(); }
  });
  // ------------------------------------------------------------------ colleagues at the same conversation
  const root = body.dataset.root || "";
  const page = [...crypto.getRandomValues(new Uint8Array(12))].map((each) => each.toString(16).padStart(2, "0")).join("");
  const opened = () => $("#main.talk")?.dataset.conversation || "";
  let at = ""; // the conversation that this page said it has open
  let typed = 0;
  let told = 0;
  let looking = null;
  function said(fields) {
    const form = new FormData();
    for (const [name, value] of Object.entries({ token: page, csrfmiddlewaretoken: csrf(), ...fields })) if (value) form.set(name, value);
    return form;
  }
  async function beat() {
    clearTimeout(looking);
    const open = opened();
    if (!root || document.visibilityState !== "visible") return void (looking = setTimeout(beat, 10000));
    const writing = Date.now() - typed < 10000;
    told = Date.now();
    const answer = await (open ? fetch(`${root}c/${open}/here`, { method: "POST", body: said({ writing: writing && "1" }), credentials: "same-origin" }) : fetch(`${root}here`, { credentials: "same-origin" })).catch(() => null);
    if (answer?.ok && !answer.redirected) seat(await answer.json());
    clearTimeout(looking);
    looking = setTimeout(beat, document.documentElement.dataset.seat === "taken" ? 3000 : 10000);
  }
  let there = {}; // faces by conversation, as they were told last: a list that was read anew shows them at once
  function paint() {
    for (const place of document.querySelectorAll("[data-faces]")) {
      const faces = there[place.dataset.faces] || "";
      if ((place.dataset.shown || "") !== faces) { place.innerHTML = faces; place.dataset.shown = faces; }
    }
  }
  function seat(news) {
    there = news.faces;
    paint();
    const box = $("#seat");
    if (!box || String(news.open || "") !== opened()) return;
    if (box.dataset.shown !== news.seat) { box.innerHTML = news.seat; box.dataset.shown = news.seat; }
    $("#reply-text").readOnly = news.locked;
    if (news.locked) document.documentElement.dataset.seat = "taken";
    else delete document.documentElement.dataset.seat;
  }
  function leave() {
    if (at) navigator.sendBeacon(`${root}c/${at}/here`, said({ gone: "1" }));
    at = "";
  }
  function arrive() {
    if (opened() === at) return;
    leave();
    typed = 0;
    at = opened();
    delete document.documentElement.dataset.seat;
    beat();
  }
  document.addEventListener("input", (event) => {
    if (event.target.id !== "reply-text") return;
    const began = Date.now() - typed > 10000;
    typed = Date.now();
    if (began) beat();
  });
  document.addEventListener("desk-presence", () => {
    clearTimeout(looking);
    looking = setTimeout(beat, Math.max(150, 800 - (Date.now() - told)) + Math.random() * 150);
  });
  document.addEventListener("click", async (event) => {
    const take = event.target.closest("[data-take-over]");
    if (!take) return;
    event.preventDefault();
    await fetch(take.dataset.takeOver, { method: "POST", body: said({}), headers: { "HX-Request": "true" }, credentials: "same-origin" }).catch(() => say(body.dataset.wrong, "error"));
    await beat();
    focusReply();
  });
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible" && root) beat(); });
  window.addEventListener("pagehide", leave);
  Rapport.settled(arrive);
  Rapport.settled(paint);
  if ($("#list") && !opened()) beat();

  Rapport.key("r", focusReply, { open: true });
  Rapport.key("n", focusNote, { open: true });
  Rapport.key("p", preparedReplies, { open: true });
  Rapport.settled(count);
})();
