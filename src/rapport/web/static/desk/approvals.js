/* Drafts that wait for approval, by keys: j and k go on and back, r into the words, Ctrl+Enter sends, b gives back. */
"use strict";
(() => {
  const cards = () => [...document.querySelectorAll(".proposal[id]")];
  const here = () => document.activeElement?.closest(".proposal[id]") || null;
  function step(by) {
    const all = cards();
    const at = all.indexOf(here());
    all[Math.min(all.length - 1, Math.max(0, at + by))]?.focus();
  }
  Rapport.key("j", () => step(1));
  Rapport.key("k", () => step(-1));
  Rapport.key("r", () => (here() || cards()[0])?.querySelector("textarea")?.focus());
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing || event.repeat) return;
    const form = event.target.closest?.(".proposal form") || here()?.querySelector("form");
    const button = form?.querySelector("button"); // whoever may not approve it has none
    if (!button) return;
    event.preventDefault();
    form.requestSubmit(button);
  });
  Rapport.key("b", () => {
    const box = (here() || cards()[0])?.querySelector("details");
    if (!box) return;
    box.open = true;
    box.querySelector("input[name=reason]").focus();
  });
})();
