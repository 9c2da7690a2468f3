/* What was read of a post: the marks on its words, and the sheet in which people correct it. */
"use strict";
(() => {
  const html = document.documentElement;
  const $ = (selector, from = document) => from.querySelector(selector);
  const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];

  // ------------------------------------------------------------------ marks: subtle, or in full with what they stand for
  const KEPT = "rapport.marks";
  function remembered() { try { return localStorage.getItem(KEPT) === "on"; } catch { return false; } }
  function showMarks(on) {
    html.dataset.marks = on ? "on" : "off";
    try { localStorage.setItem(KEPT, html.dataset.marks); } catch { /* a private window forgets it */ }
    for (const button of $$("[data-do=marks]")) button.setAttribute("aria-pressed", String(on));
  }
  const toggleMarks = () => showMarks(html.dataset.marks !== "on");
  showMarks(remembered());
  document.addEventListener("desk-marks", toggleMarks);

  // a reading lights up the words that carried it, a word the readings that it carried
  function light(post, names) {
    post.classList.toggle("lighting", names.length > 0);
    for (const mark of $$("mark[data-why]", post)) mark.classList.toggle("lit", mark.dataset.why.split(" ").some((name) => names.includes(name)));
    for (const chip of $$("[data-carried]", post)) chip.classList.toggle("lit", names.includes(chip.dataset.carried));
  }
  const pressed = (post) => $$("[data-carried][aria-pressed=true]", post).map((chip) => chip.dataset.carried);
  function point(event) {
    const post = event.target.closest?.(".msg");
    if (!post || !$("[data-carried]", post)) return;
    const chip = event.target.closest("[data-carried]");
    const mark = event.target.closest("mark[data-why]");
    light(post, chip ? [chip.dataset.carried] : mark ? mark.dataset.why.split(" ") : pressed(post));
  }
  for (const kind of ["pointerover", "focusin"]) document.addEventListener(kind, point);
  for (const kind of ["pointerout", "focusout"]) document.addEventListener(kind, (event) => {
    const post = event.target.closest?.(".msg");
    if (post && !post.contains(event.relatedTarget)) light(post, pressed(post));
  });

  // ------------------------------------------------------------------ the sheet
  const box = $("#readings");
  const isOpen = () => Boolean(box?.hasAttribute("popover") && box.matches(":popover-open"));
  async function openSheet(link) {
    const answer = await fetch(link.getAttribute("href"), { headers: { "HX-Request": "true" }, credentials: "same-origin" }).catch(() => null);
    if (!answer?.ok || answer.redirected) return void location.assign(link.getAttribute("href"));
    box.innerHTML = await answer.text();
    if (window.htmx) htmx.process(box);
    for (const button of $$("[data-do=marks]", box)) button.setAttribute("aria-pressed", String(html.dataset.marks === "on"));
    for (const menu of $$("details[data-menu][open]")) menu.open = false;
    if (!isOpen()) box.showPopover();
    ($(".toggle:not(:disabled)", box) || $("h2", box)).focus();
  }
  // the menu that it was opened from is closed: the focus goes to the conversation, not to nowhere
  box?.addEventListener("toggle", (event) => {
    const left = document.activeElement;
    if (event.newState === "closed" && (left === document.body || box.contains(left))) $("#main")?.focus({ preventScroll: true });
  });
  // the post that has the focus, or that the address names, else the newest that can be corrected
  function chosenPost() {
    const post = document.activeElement?.closest?.(".msg") || $(".msg:target");
    return (post && $("[data-readings]", post)) || $$("#thread [data-readings]").at(-1);
  }
  document.addEventListener("desk-readings", () => { const link = chosenPost(); if (link && box) openSheet(link); });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-do=marks]")) return void toggleMarks();
    const chip = event.target.closest("[data-carried]");
    if (chip) {
      chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") !== "true"));
      return;
    }
    const link = event.target.closest("[data-readings]");
    if (!link || !box || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    openSheet(link);
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id === "readings") for (const button of $$("[data-do=marks]", box)) button.setAttribute("aria-pressed", String(html.dataset.marks === "on"));
  });
  function walk(event) {
    const by = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (!by) return false;
    const all = $$(".toggle:not(:disabled)", box);
    const towards = getComputedStyle(box).direction === "rtl" && /Left|Right/.test(event.key) ? -by : by;
    all[(all.indexOf(document.activeElement) + towards + all.length) % all.length]?.focus();
    return true;
  }
  // while the sheet is open its letters come first: nothing behind it may happen
  document.addEventListener("keydown", (event) => {
    if (!isOpen() || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.target.closest?.("select")) return;
    if (walk(event)) { event.preventDefault(); event.stopPropagation(); return; }
    if (event.key.length !== 1 || event.key === " ") return;
    event.stopPropagation();
    if (html.dataset.shortcuts !== "on" || event.repeat) return;
    event.preventDefault();
    const letter = $(`[data-letter="${CSS.escape(event.key)}"]`, box);
    const pressed = letter ? event.key : Rapport.shipped(event.key); // the letters of the sheet are its own
    if (pressed === "w") return void toggleMarks();
    if (event.key === "k") return void $("#reading-language", box)?.focus();
    const undo = $$("[data-undo]", box).sort((a, b) => b.dataset.undo - a.dataset.undo)[0];
    const chosen = pressed === "z" ? undo : letter?.disabled ? null : letter;
    if (chosen && pressed !== "z") chosen.focus();
    chosen?.click();
  }, true);
})();
