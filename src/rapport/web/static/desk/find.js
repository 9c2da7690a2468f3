/* The search box completes its operators: tag: in: is: and what may stand after each. */
"use strict";
(() => {
  const { $, $$ } = Rapport;
  const root = document.body.dataset.root || "";
  if (!root) return;
  let known = null; // the operators with their values, asked for once
  const field = () => $("#find");
  const list = () => $("#find-list");
  const options = () => $$("[role=option]", list());
  const chosen = () => $("[aria-selected=true]", list());

  function load() {
    known ??= fetch(`${root}search/words`, { headers: { Accept: "application/json" }, credentials: "same-origin" })
      .then((answer) => (answer.ok && !answer.redirected ? answer.json() : { operators: [] }))
      .then((told) => told.operators).catch(() => { known = null; return []; });
    return known;
  }
  /* the piece that is being typed: where it begins, and what it says */
  function piece() {
    const box = field();
    const before = box.value.slice(0, box.selectionStart);
    const begin = before.search(/[^\s"]*$/);
    return { begin, text: before.slice(begin), end: box.selectionStart };
  }
  function offers(operators, text) {
    const [, minus, name, value] = /^(-?)(?:([a-z]*):)?(.*)$/i.exec(text);
    if (name === undefined) {
      const wanted = value.toLowerCase();
      return operators.filter((each) => each.name.startsWith(wanted)).map((each) => ({ text: `${minus}${each.name}:`, what: each.what, on: true }));
    }
    const operator = operators.find((each) => each.name === name.toLowerCase());
    if (!operator) return [];
    const wanted = value.toLowerCase();
    return operator.values.filter((each) => each.startsWith(wanted) && each !== wanted).slice(0, 12).map((each) => ({ text: `${minus}${operator.name}:${each}`, what: "" }));
  }
  function close() {
    const box = field();
    if (!list()) return;
    list().hidden = true;
    list().replaceChildren();
    box.setAttribute("aria-expanded", "false");
    box.removeAttribute("aria-activedescendant");
  }
  async function show() {
    const operators = await load();
    const box = field();
    if (!list() || document.activeElement !== box) return;
    const { text } = piece();
    const found = text || !box.value.trim() ? offers(operators, text) : [];
    if (!found.length) return void close();
    list().replaceChildren(...found.map((each, at) => {
      const option = document.createElement("div");
      option.id = `find-${at}`;
      option.className = "item";
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      option.dataset.text = each.text;
      option.dataset.on = each.on ? "1" : "";
      const label = document.createElement("code");
      label.textContent = each.text;
      option.append(label);
      if (each.what) { const what = document.createElement("span"); what.className = "push muted"; what.textContent = each.what; option.append(what); }
      return option;
    }));
    list().hidden = false;
    box.setAttribute("aria-expanded", "true");
    box.removeAttribute("aria-activedescendant");
  }
  function choose(option) {
    chosen()?.setAttribute("aria-selected", "false");
    if (!option) return void field().removeAttribute("aria-activedescendant");
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    field().setAttribute("aria-activedescendant", option.id);
  }
  function take(option) {
    const box = field();
    const { begin, end } = piece();
    const text = option.dataset.text + (option.dataset.on ? "" : " ");
    box.setRangeText(text, begin, end, "end");
    box.focus();
    if (option.dataset.on) show(); else close();
  }
  document.addEventListener("focusin", (event) => { if (event.target.id === "find") show(); });
  document.addEventListener("focusout", (event) => { if (event.target.id === "find") setTimeout(() => { if (document.activeElement !== field()) close(); }, 150); });
  document.addEventListener("input", (event) => { if (event.target.id === "find") show(); });
  document.addEventListener("keydown", (event) => {
    if (event.target.id !== "find" || event.isComposing || list().hidden) return;
    const all = options();
    const at = all.indexOf(chosen());
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      event.stopPropagation();
      choose(all[(at + (event.key === "ArrowDown" ? 1 : -1) + all.length) % all.length]);
    } else if (event.key === "Tab" && !event.shiftKey && piece().text) {
      event.preventDefault();
      take(chosen() || all[0]);
    } else if (event.key === "Enter" && chosen()) {
      event.preventDefault();
      take(chosen());
    } else if (event.key === "Escape") {
      event.stopPropagation();
      close();
    }
  }, true);
  document.addEventListener("mousedown", (event) => {
    const option = event.target.closest?.("#find-list [role=option]");
    if (!option) return;
    event.preventDefault(); // the box keeps the focus
    take(option);
  });
})();
