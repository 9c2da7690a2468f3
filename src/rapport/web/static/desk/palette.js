/* The command palette: Ctrl+K, or the button above the baskets. The server says what fits; keys choose. */
"use strict";
(() => {
  const { $, $$, say } = Rapport;
  const box = $("#palette");
  if (!box) return;
  const field = $("#palette-words");
  const list = $("#palette-list");
  const mac = /Mac|iPhone|iPad/.test(navigator.platform);

  if (mac) for (const each of $$("[data-do=palette] kbd")) each.textContent = "⌘ K";

  let asking = null; // the answer that is on its way
  let due = null;
  let wanted = false; // Enter was pressed before the answer to the last letters came
  const options = () => $$("[role=option]", list);
  const chosen = () => $("[aria-selected=true]", list);

  function choose(option) {
    chosen()?.setAttribute("aria-selected", "false");
    if (!option) return void field.removeAttribute("aria-activedescendant");
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    field.setAttribute("aria-activedescendant", option.id);
  }
  function told(count) {
    $("#palette-said").textContent = count === 0 ? box.dataset.none : count === 1 ? box.dataset.one : box.dataset.many.replace("{n}", count);
  }
  async function ask() {
    due = null;
    asking?.abort();
    const mine = asking = new AbortController();
    const open = $("#main.talk")?.dataset.conversation || "";
    try {
      const answer = await fetch(`${box.dataset.address}?${new URLSearchParams({ q: field.value, c: open })}`, { headers: { "HX-Request": "true" }, signal: mine.signal, credentials: "same-origin" });
      if (answer.redirected || answer.headers.get("HX-Redirect")) return void location.reload();
      if (!answer.ok) throw new Error(answer.status);
      const text = await answer.text();
      if (mine !== asking) return;
      list.innerHTML = text;
      list.scrollTop = 0;
      asking = null;
      choose(options()[0]);
      told(options().length);
      if (wanted) take(chosen());
    } catch (problem) {
      if (problem.name === "AbortError") return;
      asking = null;
      wanted = false;
      say(box.dataset.trouble, "error");
    }
  }
  function open() {
    if (box.open) return void box.close();
    for (const other of $$("dialog[open]")) other.close();
    field.value = "";
    list.replaceChildren();
    wanted = false;
    box.showModal();
    field.focus();
    ask();
  }
  function take(option) {
    wanted = false;
    if (!option) return;
    box.close();
    const { press, post, name, value } = option.dataset;
    if (press) return void Rapport.press(press);
    if (post && $("#work")) return void htmx.ajax("POST", post + location.search, { target: "#work", swap: "morph:innerHTML settle:0ms", values: name ? { [name]: value } : {} });
    const talk = option.id.startsWith("palette-talks-") && $("#work");
    if (talk) Rapport.openRow(option); else location.assign(option.getAttribute("href"));
  }
  field.addEventListener("input", () => {
    asking?.abort();
    clearTimeout(due);
    due = setTimeout(ask, 90);
  });
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const all = options();
    const at = all.indexOf(chosen());
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      event.stopPropagation();
      if (all.length) choose(all[(at + (event.key === "ArrowDown" ? 1 : -1) + all.length) % all.length]);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (due !== null) { clearTimeout(due); wanted = true; ask(); }
      else if (asking) wanted = true;
      else take(chosen());
    } else if (event.key === "Escape") event.stopPropagation();
  });
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (!option || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    take(option);
  });
  box.addEventListener("click", (event) => { if (event.target === box) box.close(); });
  box.addEventListener("close", () => { asking?.abort(); asking = null; clearTimeout(due); due = null; wanted = false; });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do=palette]");
    if (!button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    open();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || event.altKey || event.shiftKey || !(mac ? event.metaKey : event.ctrlKey)) return;
    event.preventDefault();
    open();
  });
})();
